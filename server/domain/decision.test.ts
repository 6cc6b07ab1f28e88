/**
 * Goal: the named cases of a decision, as its users would tell them. Method: one feature, `api_calls`; vary policy,
 * state and call. The laws that hold for all of them are in tests/domain.
 */
import { describe, expect, it } from 'vitest';
import { emptyCounter } from './counter.ts';
import { type Decision, decide } from './decision.ts';
import type { ConsumeMode, MeterState, UsageRequest } from './meter-state.ts';
import type { LimitPolicy } from './policy.ts';
import type { Price } from './price.ts';
import { DEFAULT_THRESHOLDS, parseThresholdKey, thresholdKey } from './threshold.ts';
import { formatUnits, type Units, unitsOf } from './units.ts';

const NOW = Date.parse('2026-03-15T12:00:00Z');
const MARCH = { startMs: Date.parse('2026-03-01T00:00:00Z'), endMs: Date.parse('2026-04-01T00:00:00Z') };

type Situation = {
  readonly limit?: string | null;
  /** Left out, it is the limit, as the merge of policies makes it. */
  readonly included?: string | null;
  readonly enforcement?: LimitPolicy['enforcement'];
  readonly minLimit?: string;
  readonly price?: string;
  readonly used?: string;
  readonly overage?: string;
  readonly state?: Partial<MeterState>;
};

function situation({
  limit = null,
  included = limit,
  enforcement = 'hard',
  minLimit,
  price,
  ...rest
}: Situation): MeterState {
  const { used = '0', overage = '0', state } = rest;
  return {
    featureKey: 'api_calls',
    aggregation: 'sum',
    policy: {
      limit: unitsOrNull(limit),
      included: unitsOrNull(included),
      enforcement,
      minLimit: minLimit === undefined ? null : unitsOf(minLimit),
      thresholds: DEFAULT_THRESHOLDS,
      price: price === undefined ? null : perUnit(price),
      billing: 'postpaid',
      spendLimit: null,
      credits: null,
      rateLimits: [],
      entityLimit: null,
      value: null,
    },
    planKey: 'pro',
    entitled: true,
    rateRules: [],
    rateWindows: new Map(),
    counter: { ...emptyCounter(MARCH), used: unitsOf(used), overage: unitsOf(overage) },
    entity: null,
    funds: { credits: 0n, grants: [], wallet: null, spending: null },
    paid: { credits: 0n, wallet: 0n, overage: unitsOf(overage), walletCharge: 0n, draws: [] },
    ...state,
  };
}

const perUnit = (unitAmount: string): Price => ({
  model: 'per_unit',
  unitAmount: unitsOf(unitAmount),
  currency: 'usd',
  minimumSpend: null,
  maximumSpend: null,
});

const request = (amount: string, mode: ConsumeMode = 'REJECT'): UsageRequest => ({
  amount: unitsOf(amount),
  mode,
  purpose: 'use',
  atMs: NOW,
  isNewValue: false,
});

const ask = (of: Situation, amount = '1', mode: ConsumeMode = 'REJECT'): string =>
  spell(decide(situation(of), request(amount, mode), NOW));

it('a limit of 5 passes 5 calls, and the 6th is denied', () => {
  let state = situation({ limit: '5' });
  const answers = Array.from({ length: 6 }, () => {
    const decision = decide(state, request('1'), NOW);
    if (decision.outcome === 'allowed') state = { ...state, counter: decision.counter };
    return spell(decision);
  });
  expect(answers).toEqual([
    'took 1 (included 1), 1 used',
    'took 1 (included 1), 2 used',
    'took 1 (included 1), 3 used',
    'took 1 (included 1), 4 used, raised fraction:0.8',
    'took 1 (included 1), 5 used, raised fraction:1',
    'LIMIT_REACHED until 2026-04-01',
  ]);
});

describe('limits', () => {
  it.each([
    // asked  of                                                        says
    ['10', { limit: '10' }, 'took 10 (included 10), 10 used, raised fraction:0.8 fraction:1'], // exactly the limit
    ['10.000000001', { limit: '10', used: '0' }, 'LIMIT_REACHED'], // more than all of it: waiting does not help
    ['1', { limit: '10', used: '9.5' }, 'LIMIT_REACHED until 2026-04-01'],
    ['0.5', { limit: '10', used: '9.5' }, 'took 0.5 (included 0.5), 10 used, raised fraction:0.8 fraction:1'],
    ['1', { limit: '0' }, 'LIMIT_REACHED'], // 0 is nothing, this month and the next
    [
      '1e20',
      { limit: null },
      'took 100000000000000000000 (included 100000000000000000000), 100000000000000000000 used',
    ],
    ['5', { limit: '3', used: '7' }, 'LIMIT_REACHED'], // lowered below what is used
    [
      '5',
      { limit: '3', enforcement: 'soft' },
      'took 5 (included 3, overage 2), 5 used, raised fraction:0.8 fraction:1',
    ],
  ] as const)('%s of %o: %s', (amount, of, says) => expect(ask(of, amount)).toBe(says));
});

describe('what is included, and what pays beyond it', () => {
  const priced = { included: '100', price: '10' };
  it.each([
    [
      '50',
      { ...priced, used: '80' },
      'took 50 (included 20, overage 30 for 300), 130 used, raised fraction:0.8 fraction:1',
    ],
    [
      '50',
      { ...priced, used: '130', overage: '30' },
      'took 50 (overage 50 for 500), 180 used, raised fraction:0.8 fraction:1',
    ],
    ['50', { included: '0', price: '0.25' }, 'took 50 (overage 50 for 12.5), 50 used'],
    ['6', { limit: '10', included: '5' }, 'INSUFFICIENT_FUNDS'], // within the limit, but nothing pays
    ['2', { limit: '10', included: '5', used: '4' }, 'INSUFFICIENT_FUNDS until 2026-04-01'],
    ['7', { limit: '10', included: '5', used: '4' }, 'LIMIT_REACHED'], // beyond both: the limit comes first
    ['7', { limit: '10', included: '5', used: '4', price: '1' }, 'LIMIT_REACHED until 2026-04-01'],
    [
      '6',
      { limit: '10', included: '5', used: '4', price: '1' },
      'took 6 (included 1, overage 5 for 5), 10 used, raised fraction:0.8 fraction:1',
    ],
  ] as const)('%s of %o: %s', (amount, of, says) => expect(ask(of, amount)).toBe(says));
});

describe('modes, with 3 of 10 left', () => {
  const left = { limit: '10', used: '7' };
  it.each([
    ['REJECT', '5', left, 'LIMIT_REACHED until 2026-04-01'],
    ['CLAMP', '5', left, 'took 3 (included 3), 10 used, raised fraction:0.8 fraction:1'],
    ['CLAMP', '2', left, 'took 2 (included 2), 9 used, raised fraction:0.8'],
    ['CLAMP', '500', { ...left, included: '8' }, 'took 1 (included 1), 8 used, raised fraction:0.8'],
    ['CLAMP', '5', { ...left, used: '10' }, 'LIMIT_REACHED until 2026-04-01'], // nothing fits
    ['CLAMP', '5', { ...left, included: '7' }, 'INSUFFICIENT_FUNDS until 2026-04-01'],
    ['OVERFLOW', '5', left, 'took 5 (included 3, overage 2), 12 used, raised fraction:0.8 fraction:1'],
    ['OVERFLOW', '5', { limit: '0' }, 'took 5 (overage 5), 5 used, raised fraction:0.8 fraction:1'],
  ] as const)('%s %s of %o: %s', (mode, amount, of, says) => expect(ask(of, amount, mode)).toBe(says));
});

describe('giving back', () => {
  const seats = { limit: '10', minLimit: '0', used: '4' };
  it.each([
    ['REJECT', '-4', seats, 'took -4 (included -4), 0 used'],
    ['REJECT', '-5', seats, 'BELOW_MINIMUM'],
    ['REJECT', '-3', { ...seats, minLimit: '2' }, 'BELOW_MINIMUM'],
    ['REJECT', '-2', { ...seats, minLimit: '2' }, 'took -2 (included -2), 2 used'],
    ['CLAMP', '-5', seats, 'took -4 (included -4), 0 used'],
    ['CLAMP', '-5', { ...seats, used: '0' }, 'BELOW_MINIMUM'],
    ['OVERFLOW', '-5', seats, 'BELOW_MINIMUM'], // past a limit, but never below a floor
    ['REJECT', '-3', { ...seats, used: '12', overage: '2' }, 'took -3 (included -1, overage -2), 9 used'], // last in, first out
    ['REJECT', '-1', { limit: '10', used: '4' }, 'invalid: Amount -1 is negative, and …'],
    ['REJECT', '-1', { ...seats, minLimit: '-3', used: '-2' }, 'took -1 (included -1), -3 used'],
  ] as const)('%s %s of %o: %s', (mode, amount, of, says) => expect(ask(of, amount, mode)).toBe(says));

  it('raises nothing: it is use that crosses a line', () => {
    expect(ask({ limit: '5', minLimit: '0', used: '10', overage: '5' }, '-1')).toBe('took -1 (overage -1), 9 used');
  });
});

describe('a level', () => {
  const level = (used: string, of: Situation = {}): Situation => {
    const gauge = { level: unitsOf(used), atMs: MARCH.startMs, area: 0n };
    const counter = { ...emptyCounter(MARCH), used: unitsOf(used), gauge };
    return { ...of, state: { aggregation: 'latest', counter } };
  };
  it.each([
    ['REJECT', '5', level('3', { limit: '5' }), 'took 2 (included 2), 5 used, raised fraction:0.8 fraction:1'],
    ['REJECT', '1', level('3', { limit: '5' }), 'took -2 (included -2), 1 used'],
    ['REJECT', '6', level('3', { limit: '5' }), 'LIMIT_REACHED'], // it is kept, so the next period has no more room
    ['CLAMP', '6', level('3', { limit: '5' }), 'took 2 (included 2), 5 used, raised fraction:0.8 fraction:1'],
    ['REJECT', '2', level('3', { limit: '5', minLimit: '3' }), 'BELOW_MINIMUM'],
    ['REJECT', '6', level('3', { limit: '5', minLimit: '7' }), 'LIMIT_REACHED'], // of both, the first in order
    ['CLAMP', '6', level('3', { limit: '5', minLimit: '6' }), 'BELOW_MINIMUM'], // what fits is too little
  ] as const)('%s %s of %o: %s', (mode, amount, of, says) => expect(ask(of, amount, mode)).toBe(says));
});

describe('a spend limit of all features', () => {
  const spent = (endMs: number) => ({
    included: '0',
    price: '10',
    state: {
      funds: {
        credits: 0n,
        grants: [],
        wallet: null,
        spending: { spent: unitsOf('95'), limit: unitsOf('100'), endMs },
      },
    },
  });
  it.each([
    ['when its month has ended', spent(MARCH.endMs - 1_000), 'SPEND_LIMIT_REACHED until 2026-03-31T23:59:59.000Z'],
    ['with the period', spent(MARCH.endMs), 'SPEND_LIMIT_REACHED until 2026-04-01'],
    [
      'not with a period that ends before its month',
      spent(MARCH.endMs + 1_000),
      'SPEND_LIMIT_REACHED until 2026-04-01T00:00:01.000Z',
    ],
  ] as const)('is free again %s', (_, of, says) => expect(ask(of)).toBe(says));
});

describe('a feature that counts events', () => {
  const count = { state: { aggregation: 'count' as const } };
  it.each([
    ['1', { ...count, limit: '5' }, 'took 1 (included 1), 1 used'],
    ['2', { ...count, limit: '5' }, 'invalid: Amount 2 makes no sense …'],
    ['0.5', { ...count, limit: '5' }, 'invalid: Amount 0.5 makes no sense …'],
    ['-1', { ...count, minLimit: '0', used: '1' }, 'took -1 (included -1), 0 used'],
  ] as const)('%s of %o: %s', (amount, of, says) => expect(ask(of, amount, 'CLAMP')).toBe(says));

  it('takes no part of one', () =>
    expect(ask({ ...count, limit: '2.5', used: '2' }, '1', 'CLAMP')).toBe('LIMIT_REACHED until 2026-04-01'));
});

describe('the order of refusal', () => {
  const everything = {
    limit: '10',
    included: '5',
    used: '10',
    state: {
      entitled: false,
      rateRules: [{ scope: '', limit: 1, windowMs: 60_000 }],
      rateWindows: new Map([[' 60000', { startMs: NOW, calls: 1 }]]),
    },
  };
  it.each([
    ['a full window first', everything, 'RATE_LIMITED until 2026-03-15T12:01'],
    ['then the plan', { ...everything, state: { entitled: false } }, 'FEATURE_NOT_IN_PLAN'],
    ['then the limit', { ...everything, state: {} }, 'LIMIT_REACHED until 2026-04-01'],
    ['then what pays', { ...everything, limit: '20', state: {} }, 'INSUFFICIENT_FUNDS until 2026-04-01'],
  ] as const)('%s', (_, of, says) => expect(ask(of)).toBe(says));
});

describe('totals that no longer fit into 38 digits', () => {
  const most = '99999999999999999999999999999.999999999';
  it.each([
    ['1', { limit: null, used: most }, 'invalid: Amount 1 on top of …'],
    [most, { limit: '5', used: '1' }, 'LIMIT_REACHED'], // refused, so there is nothing to count
    ['1e20', { included: '0', price: '1e20' }, 'invalid: Amount 100000000000000000000 on top of …'], // what it costs
  ] as const)('%s of %o: %s', (amount, of, says) => expect(ask(of, amount)).toBe(says));

  it('CLAMP takes what does fit', () => {
    expect(ask({ limit: '5', used: '1' }, most, 'CLAMP')).toBe(
      'took 4 (included 4), 5 used, raised fraction:0.8 fraction:1',
    );
  });
});

it.each([
  [
    { limit: '5', used: '4' },
    '4 of "api_calls" are used and 3 more were asked for, but the limit is 5. It resets at 2026-04-01T00:00:00.000Z.',
  ],
  [
    { limit: '2' },
    '0 of "api_calls" are used and 3 more were asked for, but the limit is 2. It resets at 2026-04-01T00:00:00.000Z, which does not help this call.',
  ],
  [
    { limit: '9', included: '2', used: '2' },
    '2 of "api_calls" are used and 3 more were asked for, but 2 are included and nothing pays for more. It resets at 2026-04-01T00:00:00.000Z, which does not help this call.',
  ],
  [
    { limit: '5', used: '4', state: { counter: { ...emptyCounter({ startMs: 0, endMs: null }), used: unitsOf('4') } } },
    '4 of "api_calls" are used and 3 more were asked for, but the limit is 5. It never resets.',
  ],
  [
    { limit: '2', state: { aggregation: 'latest', counter: { ...emptyCounter(MARCH), used: unitsOf('1') } } },
    '1 of "api_calls" are used and 2 more were asked for, but the limit is 2. It resets at 2026-04-01T00:00:00.000Z, which does not help this call.',
  ],
  [
    { limit: '2', state: { aggregation: 'max', counter: { ...emptyCounter(MARCH), used: unitsOf('1') } } },
    '1 of "api_calls" are used and 2 more were asked for, but the limit is 2. It resets at 2026-04-01T00:00:00.000Z, which does not help this call.',
  ],
  [{ state: { entitled: false } }, 'Plan "pro" does not include "api_calls"; choose a plan that does.'],
] as const)('a denial says what was found and what to do: %o', (of, message) => {
  const decision = decide(situation(of), request('3'), NOW);
  expect(decision).toMatchObject({ outcome: 'denied', denial: { message } });
});

it('a denial of what would take too much from a quantity that is held says how much of it there is', () => {
  const gauge = { level: unitsOf('4'), atMs: MARCH.startMs, area: 0n };
  const state: Partial<MeterState> = { aggregation: 'weighted_sum', counter: { ...emptyCounter(MARCH), gauge } };
  expect(decide(situation({ state }), request('-5'), NOW)).toMatchObject({
    denial: { message: 'Giving back 5 of "api_calls" would leave less than the minimum of 0; 4 are in use.' },
  });
});

it('thresholds are raised in the order of their configuration', () => {
  const thresholds = ['remaining:2', 'used:5', 'fraction:0.5'].map(parseThresholdKey);
  const state = situation({ limit: '10' });
  const decision = decide({ ...state, policy: { ...state.policy, thresholds } }, request('8'), NOW);
  expect(spell(decision)).toBe('took 8 (included 8), 8 used, raised remaining:2 used:5 fraction:0.5');
});

const unitsOrNull = (text: string | null): Units | null => (text === null ? null : unitsOf(text));

function spell(decision: Decision): string {
  if (decision.outcome === 'invalid') return `invalid: ${decision.problem.split(' ').slice(0, 5).join(' ')} …`;
  if (decision.outcome === 'denied') {
    const { reason, retryAtMs } = decision.denial;
    return retryAtMs === null
      ? reason
      : `${reason} until ${new Date(retryAtMs).toISOString().replace(/(T00:00)?:00\.000Z$/, '')}`;
  }
  const { amount, payment, counter, raised } = decision;
  const { included, overage, cost: charged } = payment;
  const cost = charged === 0n ? '' : ` for ${formatUnits(charged)}`;
  const parts = [
    ...(included === 0n ? [] : [`included ${formatUnits(included)}`]),
    ...(overage === 0n ? [] : [`overage ${formatUnits(overage)}${cost}`]),
  ];
  const alerts =
    raised.length === 0 ? '' : `, raised ${raised.map(({ threshold }) => thresholdKey(threshold)).join(' ')}`;
  return `took ${formatUnits(amount)} (${parts.join(', ')}), ${formatUnits(counter.used)} used${alerts}`;
}
