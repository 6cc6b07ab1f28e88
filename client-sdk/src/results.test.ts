import { describe, expect, it } from 'vitest';
import { MetergraphError } from './errors.ts';
import { toConsumption, toOutcome } from './results.ts';
import { aUsage } from './testing/gateway-schema.ts';

type Result = Parameters<typeof toConsumption>[0];
type Answer = Extract<Result, { __typename: 'Consumption' }>;

const { thresholds, feature, ...usage } = aUsage('api_calls', '1');
const money = { amount: '0', currency: 'usd' };
const denial: Answer['denial'] = { reason: 'LIMIT_REACHED', message: 'all used', retryAt: null };
const answer = (decision: Pick<Answer, 'allowed' | 'denial'>): Answer => ({
  __typename: 'Consumption',
  ...decision,
  amount: '1',
  split: { included: '1', credits: '0', wallet: '0', overage: '0', walletCharge: money, overageCost: money },
  usage: { ...usage, feature: { ...feature }, thresholds: [...thresholds] },
  alerts: [],
  replayed: false,
});

/** Goal: nothing but a clear yes is ever a yes. */
describe('toConsumption', () => {
  const says = (result: Result) => {
    try {
      return toConsumption(result).allowed;
    } catch (error) {
      return error instanceof MetergraphError ? error.code : 'unexpected';
    }
  };
  it.each([
    [answer({ allowed: true, denial: null }), true],
    [answer({ allowed: false, denial }), false],
    [answer({ allowed: false, denial: null }), 'BAD_RESPONSE'],
    [answer({ allowed: true, denial }), 'BAD_RESPONSE'],
    [
      { __typename: 'CustomerNotFoundError', code: 'CUSTOMER_NOT_FOUND', message: 'who?', path: null } as const,
      'CUSTOMER_NOT_FOUND',
    ],
  ])('%# → %s', (result, expected) => expect(says(result)).toBe(expected));
});

describe('toOutcome', () => {
  it('never throws', () => {
    expect(toOutcome(undefined, 0)).toMatchObject({ ok: false, error: { code: 'BAD_RESPONSE' } });
    expect(toOutcome(answer({ allowed: true, denial }), 0)).toMatchObject({
      ok: false,
      error: { code: 'BAD_RESPONSE' },
    });
    expect(toOutcome(answer({ allowed: true, denial: null }), 0)).toMatchObject({ ok: true });
  });
});
