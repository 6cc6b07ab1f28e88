import type { Consumption, Denial } from '@metergraph/client-sdk';
import { describe, expect, it } from 'vitest';
import { describeOutcome } from './describe-outcome.ts';
import { alert, allowed, usage } from './testing/usages.ts';

const DENIAL: Denial = { reason: 'LIMIT_REACHED', message: 'All 100 are used.', retryAt: null };
const denied = (): Consumption => ({ ...allowed('0'), allowed: false, denial: DENIAL });
const once = (consumption: Consumption) => describeOutcome({ kind: 'once', answer: { consumption, ms: 4 } });

describe('one call', () => {
  it('allowed, says how much and what it took', () => {
    expect(once(allowed('20'))).toEqual({
      tone: 'allowed',
      title: 'Allowed',
      detail: '20 calls, all included.',
      facts: ['allowed: true', 'replayed: false'],
      latency: '4 ms',
    });
  });

  it('says each part that paid, and what it cost', () => {
    const split = {
      included: '30',
      credits: '5',
      wallet: '5',
      overage: '10',
      walletCharge: { amount: '250', currency: 'usd' },
      overageCost: { amount: '40', currency: 'usd' },
    };
    const consumption = allowed('50', { split, usage: usage({ unit: 'GB' }) });
    expect(once(consumption).detail).toBe(
      '50 GB: 30 included, 5 from credits, 5 from the wallet ($2.50), 10 overage ($0.40).',
    );
  });

  it('says so when it raised an alert', () => {
    expect(once(allowed('1', { alerts: [alert()] })).facts).toContain('alerts: 1');
  });

  it('given back, is counted all the same', () => {
    const { split } = allowed('0');
    expect(once(allowed('-1', { split })).detail).toBe('-1 call counted.');
  });

  it('denied, says why and that nothing was counted', () => {
    expect(once(denied())).toEqual({
      tone: 'denied',
      title: 'Denied',
      detail: 'All 100 are used. Nothing was counted.',
      facts: ['allowed: false', 'reason: LIMIT_REACHED'],
      latency: '4 ms',
    });
  });

  it('failed, says the code', () => {
    const words = describeOutcome({ kind: 'failed', code: 'NETWORK', message: 'the gateway could not be reached' });
    expect(words).toMatchObject({ tone: 'failed', facts: ['NETWORK'], latency: null });
  });
});

describe('the same call twice', () => {
  const twice = (consumption: Consumption) =>
    describeOutcome({
      kind: 'twice',
      idempotencyKey: '0123456789abcdef',
      first: { consumption, ms: 5 },
      second: { consumption: { ...consumption, replayed: true }, ms: 3 },
    });

  it('is counted once, and answered twice', () => {
    expect(twice(allowed('1'))).toEqual({
      tone: 'allowed',
      title: 'Counted once',
      detail: 'Sent twice with the key 01234567…: 1 call counted once, and the first answer given again.',
      facts: ['replayed: false, then true'],
      latency: '5 + 3 ms',
    });
  });

  it('is denied once, for a denial is remembered too', () => {
    expect(twice(denied())).toMatchObject({ tone: 'denied', title: 'Denied once' });
  });
});
