/** Goal: what a definition leaves out has its default, and only a difference counts as a change. Method: tables. */
import { describe, expect, it } from 'vitest';
import { problemsOfFeature, problemsOfPlan } from './definition-bounds.ts';
import {
  displayNameOf,
  type FeatureDefinition,
  featureOf,
  isSame,
  type PlanDefinition,
  planOf,
} from './definitions.ts';
import { ONE, PREPAID_MAX, unitsOf } from './units.ts';

it.each([
  ['api_calls', 'Api calls'],
  ['apiCalls', 'Api calls'],
  ['api-calls', 'Api calls'],
  ['GPU', 'GPU'],
  ['llm.gpt4:tokens', 'Llm gpt4 tokens'],
  ['storage', 'Storage'],
])('%s is shown as "%s"', (key, name) => expect(displayNameOf(key)).toBe(name));

it('completes a feature', () => {
  expect(featureOf('tenant', { key: 'api_calls', limit: ONE })).toEqual({
    tenantId: 'tenant',
    key: 'api_calls',
    displayName: 'Api calls',
    unit: null,
    aggregation: 'sum',
    of: null,
    reset: 'monthly',
    anchor: 'calendar',
    dimensions: [],
    details: [],
    limit: ONE,
    archivedAtMs: null,
  });
});

describe('the version of a plan', () => {
  const definition: PlanDefinition = {
    key: 'pro',
    prices: [{ amount: unitsOf('2000'), currency: 'usd', interval: 'month' }],
    features: new Map([
      ['a', { limit: ONE, enforcement: 'hard' }],
      ['b', {}],
    ]),
  };
  const stored = planOf('tenant', definition, null);

  it('is 1 for a new plan', () => expect(stored.version).toBe(1));

  it.each<[string, PlanDefinition]>([
    ['the same', definition],
    ['its features in another order', { ...definition, features: new Map([...definition.features].reverse()) }],
    [
      'the fields of a feature in another order',
      {
        ...definition,
        features: new Map([
          ['b', {}],
          ['a', { enforcement: 'hard', limit: unitsOf('1.000') }],
        ]),
      },
    ],
    ['defaults said aloud', { ...definition, displayName: 'Pro', rateLimits: [], spendLimit: null, wallet: null }],
    ['what becomes of those who have it', { ...definition, existingCustomers: 'move' }],
  ])('stays with %s', (_, again) => {
    const plan = planOf('tenant', again, stored);
    expect(plan.version).toBe(1);
    expect(isSame(stored, plan)).toBe(true);
  });

  it.each<[string, PlanDefinition]>([
    ['another name', { ...definition, displayName: 'Professional' }],
    ['no price', { key: 'pro', features: definition.features }],
    [
      'unlimited instead of unset',
      { ...definition, features: new Map([...definition.features, ['b', { limit: null }]]) },
    ],
    ['a feature less', { ...definition, features: new Map([['b', {}]]) }],
    ['a rate limit', { ...definition, rateLimits: [{ limit: 1, windowMs: 1_000 }] }],
    ['a spend limit', { ...definition, spendLimit: { amount: ONE, currency: 'usd' } }],
    ['a wallet', { ...definition, wallet: { currency: 'usd', floor: 0n, autoTopUp: null } }],
    [
      'credits taken away instead of unset',
      { ...definition, features: new Map([...definition.features, ['b', { credits: null }]]) },
    ],
  ])('rises with %s', (_, changed) => expect(planOf('tenant', changed, stored).version).toBe(2));

  it('rises when an archived plan comes back', () => {
    expect(planOf('tenant', definition, { ...stored, archivedAtMs: 5 }).version).toBe(2);
  });
});

const CONTROL = 'has a control character in it; only printable characters are allowed';

const CREDITS = { allocation: ONE, onRenewal: 'reset', reset: null, priority: 0 } as const;
const RATE = { limit: 1, windowMs: 1_000 };
const TOP_UP = { threshold: ONE, amount: ONE, maxPerMonth: 1, coolOffMs: 0 };

describe('bounds', () => {
  it.each([
    [{ key: '' }, ['key']],
    [{ key: 'with space' }, ['key']],
    [{ key: 'a'.repeat(65) }, ['key']],
    [{ key: 'a', minLimit: unitsOf('6'), limit: unitsOf('5') }, ['minLimit']],
    [{ key: 'a', included: -1n }, ['included']],
    [{ key: 'a', thresholds: [{ kind: 'fraction', value: 0n }] }, ['thresholds', '0']],
    [{ key: 'a', thresholds: [{ kind: 'remaining', value: -1n }] }, ['thresholds', '0']],
    [{ key: 'a', details: Array.from({ length: 51 }, () => 'line') }, ['details']],
    [{ key: 'a', aggregation: 'unique' }, ['of']],
    [{ key: 'a', aggregation: 'unique', of: '' }, ['of']],
    [{ key: 'a', of: 'user' }, ['of']],
    [{ key: 'a', aggregation: 'duration' }, ['unit']],
    [{ key: 'a', aggregation: 'duration', unit: 'week' }, ['unit']],
    [{ key: 'a', aggregation: 'weighted_sum', reset: 'never' }, ['reset']],
    [{ key: 'a', reset: 'every 0 hour' }, ['reset']],
    [{ key: 'a', dimensions: [...'abcdef'] }, ['dimensions']],
    [{ key: 'a', dimensions: ['model', 'model'] }, ['dimensions', '1']],
    [{ key: 'a', spendLimit: -1n }, ['spendLimit']],
    [{ key: 'a', entityLimit: -1n }, ['entityLimit']],
    [
      { key: 'a', credits: { allocation: PREPAID_MAX + 1n, onRenewal: 'reset', reset: null, priority: 0 } },
      ['credits', 'allocation'],
    ],
    [{ key: 'a', value: Number.POSITIVE_INFINITY }, ['value']],
    [{ key: 'a', value: 'x'.repeat(201) }, ['value']],
    [{ key: 'a', thresholds: [{ kind: 'remaining_fraction', value: ONE }] }, ['thresholds', '0']],
    [{ key: 'a', thresholds: [{ kind: 'spend', value: 0n }] }, ['thresholds', '0']],
    [{ key: 'a', thresholds: [{ kind: 'every', value: 0n }] }, ['thresholds', '0']],
    [{ key: 'a', thresholds: [{ kind: 'used', value: -1n, falling: true }] }, ['thresholds', '0']],
    [{ key: 'a', credits: { ...CREDITS, allocation: 0n } }, ['credits', 'allocation']],
    [{ key: 'a', credits: { ...CREDITS, priority: 1.5 } }, ['credits', 'priority']],
    [{ key: 'a', credits: { ...CREDITS, reset: 'every 0 day' } }, ['credits', 'reset']],
    [
      { key: 'a', credits: { ...CREDITS, onRenewal: { max: ONE, maxFraction: ONE, expiresAfter: null } } },
      ['credits', 'onRenewal', 'rollover', 'maxFraction'],
    ],
    [{ key: 'a', rateLimits: [{ limit: 0, windowMs: 1_000 }] }, ['rateLimits', '0', 'limit']],
    [{ key: 'a', rateLimits: [{ limit: 1, windowMs: 999 }] }, ['rateLimits', '0', 'window']],
    [{ key: 'a', rateLimits: [RATE, { ...RATE, limit: 2 }] }, ['rateLimits', '1', 'window']],
  ] satisfies [FeatureDefinition, string[]][])('%o is no feature, because of %j', (definition, path) => {
    expect(problemsOfFeature(definition).map((problem) => problem.path)).toEqual([path]);
  });

  it.each([
    [{ spendLimit: { amount: -1n, currency: 'usd' } }, ['spendLimit', 'amount']],
    [{ spendLimit: { amount: 0n, currency: 'USD' } }, ['spendLimit', 'currency']],
    [{ rateLimits: [{ limit: 0.5, windowMs: 1_000 }] }, ['rateLimits', '0', 'limit']],
    [{ rateLimits: Array.from({ length: 11 }, (_, i) => ({ limit: 1, windowMs: 1_000 + i })) }, ['rateLimits']],
    [{ wallet: { currency: 'dollar', floor: 0n, autoTopUp: null } }, ['wallet', 'currency']],
    [{ wallet: { currency: 'usd', floor: ONE, autoTopUp: null } }, ['wallet', 'floor']],
    [
      { wallet: { currency: 'usd', floor: 0n, autoTopUp: { ...TOP_UP, amount: PREPAID_MAX + 1n } } },
      ['wallet', 'autoTopUp', 'amount'],
    ],
    [
      { wallet: { currency: 'usd', floor: 0n, autoTopUp: { ...TOP_UP, threshold: 0n } } },
      ['wallet', 'autoTopUp', 'threshold'],
    ],
    [
      { wallet: { currency: 'usd', floor: 0n, autoTopUp: { ...TOP_UP, amount: 0n } } },
      ['wallet', 'autoTopUp', 'amount'],
    ],
    [
      { wallet: { currency: 'usd', floor: 0n, autoTopUp: { ...TOP_UP, maxPerMonth: 0 } } },
      ['wallet', 'autoTopUp', 'maxPerMonth'],
    ],
    [
      { wallet: { currency: 'usd', floor: 0n, autoTopUp: { ...TOP_UP, coolOffMs: -1 } } },
      ['wallet', 'autoTopUp', 'coolOff'],
    ],
    [{ features: new Map([['a', { spendLimit: -1n }]]) }, ['features', 'a', 'spendLimit']],
  ] satisfies [Partial<PlanDefinition>, string[]][])('%o is no plan, because of %j', (more, path) => {
    const definition = { key: 'p', features: new Map(), ...more };
    expect(problemsOfPlan(definition).map((problem) => problem.path)).toEqual([path]);
  });

  describe.each([
    ['the name of a feature', ['displayName'], (text: string) => problemsOfFeature({ key: 'a', displayName: text })],
    ['a unit', ['unit'], (text: string) => problemsOfFeature({ key: 'a', unit: text })],
    ['a detail', ['details', '1'], (text: string) => problemsOfFeature({ key: 'a', details: ['line', text] })],
    [
      'the name of a plan',
      ['displayName'],
      (text: string) => problemsOfPlan({ key: 'a', displayName: text, features: new Map() }),
    ],
  ] as const)('of %s', (_, path, problemsOf) => {
    it.each([
      ['200 characters', 'x'.repeat(200), null],
      ['any script', '团队 ünïcode 😀', null],
      ['nothing', '', 'is empty; leave it out or write something'],
      ['blanks', ' \t\n', 'is empty; leave it out or write something'],
      ['201 characters', 'x'.repeat(201), 'is 201 characters long; at most 200 fit'],
      ['a line break', 'a\nb', CONTROL],
      ['NUL', 'a\0', CONTROL],
      ['an escape sequence', '\u001b[31mred', CONTROL],
      ['half a pair', '\ud800', 'has half of a surrogate pair in it; only whole characters are allowed'],
    ])('%s', (_name, text, sentence) => {
      expect(problemsOf(text)).toEqual(sentence === null ? [] : [{ path, sentence }]);
    });
  });

  it('has nothing against a feature or plan at its bounds', () => {
    const thresholds = [
      { kind: 'remaining', value: 0n },
      { kind: 'remaining_fraction', value: 0n },
      { kind: 'used', value: 0n, falling: true },
    ] as const;
    expect(problemsOfFeature({ key: `a${'.'.repeat(63)}`, limit: 0n, minLimit: 0n, thresholds })).toEqual([]);
    expect(problemsOfFeature({ key: 'a', aggregation: 'unique', of: 'u'.repeat(64), value: false })).toEqual([]);
    expect(problemsOfFeature({ key: 'a', aggregation: 'duration', unit: 'day', reset: 'every 1000 year' })).toEqual([]);
    const wallet = { currency: 'usd', floor: -ONE, autoTopUp: { ...TOP_UP, threshold: 0n } };
    expect(problemsOfPlan({ key: 'p', rateLimits: [RATE], wallet, features: new Map() })).toEqual([]);
  });
});
