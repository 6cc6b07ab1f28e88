/**
 * Goal: every mistake in a config is refused with its path, what was found and what is allowed.
 * Method: one config that is right, and a table of single mistakes made in it.
 */
import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-problems.ts';
import { DEFAULT_BILLING } from './domain/billing-rules.ts';
import { unitsOf } from './domain/units.ts';
import { parseConfig } from './parse-config.ts';

const UNBOUNDED = { currency: 'usd', minimumSpend: null, maximumSpend: null };

const valid = () => ({
  features: {
    api_calls: {
      displayName: 'API calls',
      unit: 'call',
      aggregation: 'count',
      reset: 'daily',
      limit: 1_000,
      thresholds: [0.8, '1', { used: 800 }, { remaining: 10 }],
      details: ['Calls per day'],
    },
    storage: { reset: 'never', minLimit: 0, price: { unitAmount: '0.25' } },
  },
  plans: {
    free: { rateLimit: { limit: 100, window: 'PT1M' }, features: { api_calls: { limit: 5, enforcement: 'hard' } } },
    pro: {
      price: [{ amount: 2_000, currency: 'EUR', interval: 'month' }],
      features: { api_calls: { limit: null }, storage: { included: 10 } },
    },
  },
  defaultPlan: 'free',
});

/** The valid config with one value put at a path (`undefined` takes the field away). */
function changed(path: string, value: unknown): unknown {
  const config: Record<string, unknown> = valid();
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let place = config;
  for (const step of steps) {
    place[step] ??= {};
    place = place[step] as Record<string, unknown>; // groups all the way, by the table
  }
  place[last] = value;
  return config;
}

function problemsOf(config: unknown): readonly string[] {
  try {
    parseConfig(config, 'metergraph.config.ts');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, sentence }) => `${path} ${sentence}`);
    throw error;
  }
}

describe('a config that is right', () => {
  it.each([
    [undefined, null],
    [{}, null],
    [{ finaliseAfter: 'P1D' }, null],
    [{ biller: 'manual' }, { finaliseAfterMs: 3_600_000 }],
    [{ biller: 'manual', finaliseAfter: 'P3D' }, { finaliseAfterMs: 259_200_000 }],
  ])('with billing of %j makes invoices by %j', (billing, invoicing) => {
    expect(parseConfig({ ...valid(), ...(billing && { billing }) }, 'the test').invoicing).toEqual(invoicing);
  });

  it('is read into definitions, exactly', () => {
    const { definition, hooks, billing, notices } = parseConfig(valid(), 'metergraph.config.ts');
    const { features, plans, defaultPlanKey } = definition;
    expect(features).toEqual([
      {
        key: 'api_calls',
        displayName: 'API calls',
        unit: 'call',
        aggregation: 'count',
        reset: 'daily',
        limit: unitsOf('1000'),
        thresholds: [
          { kind: 'fraction', value: unitsOf('0.8') },
          { kind: 'fraction', value: unitsOf('1') },
          { kind: 'used', value: unitsOf('800') },
          { kind: 'remaining', value: unitsOf('10') },
        ],
        details: ['Calls per day'],
      },
      {
        key: 'storage',
        reset: 'never',
        minLimit: 0n,
        price: { model: 'per_unit', unitAmount: unitsOf('0.25'), ...UNBOUNDED },
      },
    ]);
    expect(plans).toEqual([
      {
        key: 'free',
        rateLimits: [{ limit: 100, windowMs: 60_000 }],
        features: new Map([['api_calls', { limit: unitsOf('5'), enforcement: 'hard' }]]),
      },
      {
        key: 'pro',
        prices: [{ amount: unitsOf('2000'), currency: 'eur', interval: 'month' }],
        features: new Map<string, unknown>([
          ['api_calls', { limit: null }],
          ['storage', { included: unitsOf('10') }],
        ]),
      },
    ]);
    expect(defaultPlanKey).toBe('free');
    expect(billing).toEqual(DEFAULT_BILLING);
    expect(hooks).toEqual({ before: null, after: null, authorizeReference: null });
    expect(notices).toEqual([]);
  });

  it('says what is sold beside plans, and what holds for payments', () => {
    const { billing } = parseConfig(
      {
        ...valid(),
        creditPacks: { big_pack: { feature: 'storage', amount: '100', price: { amount: 900, currency: 'EUR' } } },
        billing: { redirectOrigins: ['https://app.example.com'], dunningGraceDays: 3, defaultCurrency: 'EUR' },
      },
      'metergraph.config.ts',
    );
    expect(billing).toEqual({
      creditPacks: [
        {
          key: 'big_pack',
          displayName: 'Big pack',
          featureKey: 'storage',
          units: unitsOf('100'),
          price: unitsOf('900'),
          currency: 'eur',
        },
      ],
      redirectOrigins: ['https://app.example.com'],
      dunningGraceMs: 3 * 86_400_000,
      defaultCurrency: 'eur',
    });
  });

  it.each([
    ['a field that is undefined', changed('features.api_calls.unit', undefined)],
    ['no plans', { features: {} }],
    ['a window of a day', changed('plans.free.rateLimit.window', 'P1D')],
  ])('may have %s', (_, config) => expect(problemsOf(config)).toEqual([]));
});

const noop = () => {};
const SYNC = { run: noop, mode: 'sync', onFailure: 'deny' };

it.each<[path: string, value: unknown, says: string]>([
  // at                                  is                       says
  [
    'feature',
    {},
    'feature is no field of a config; did you mean "features"? allowed are features, plans, defaultPlan, creditPacks, billing, hooks',
  ],
  ['features', undefined, 'features is missing; features are written as { key: { … } }'],
  ['features.api_calls', 5, 'features.api_calls is 5; a feature is a group of fields: displayName,'],
  ['features.api_calls.limits', 5, 'features.api_calls.limits is no field of a feature; did you mean "limit"? allowed'],
  [
    'features.api_calls.limit',
    '5 GB',
    `features.api_calls.limit can't be read: "5 GB" is not a decimal number; write it like`,
  ],
  ['features.api_calls.limit', -1, 'features.api_calls.limit is -1; a limit is 0 (nothing allowed) or more, or null'],
  [
    'features.api_calls.limit',
    0.1 + 0.2,
    `features.api_calls.limit can't be read: "0.30000000000000004" has 17 fractional`,
  ],
  [
    'features.api_calls.limit',
    Number.POSITIVE_INFINITY,
    `features.api_calls.limit can't be read: "Infinity" is not a decimal`,
  ],
  ['features.api_calls.limit', true, 'features.api_calls.limit is true; write a number, or a string like "0.5"'],
  ['features.api_calls.included', null, 'features.api_calls.included is null; write a number'],
  ['features.api_calls.reset', 'weekley', 'features.api_calls.reset is "weekley"; did you mean "weekly"? allowed are'],
  [
    'features.api_calls.reset',
    { every: 6, unit: 'hours' },
    'features.api_calls.reset.unit is "hours"; did you mean "hour"',
  ],
  [
    'features.api_calls.reset',
    { every: 0, unit: 'hour' },
    'features.api_calls.reset is "every 0 hour"; an interval is a',
  ],
  ['features.api_calls.reset', { each: 6, unit: 'hour' }, 'features.api_calls.reset.each is no field of an interval'],
  ['features.api_calls.aggregation', 'uniq', 'features.api_calls.aggregation is "uniq"; did you mean "unique"?'],
  ['features.api_calls.aggregation', 'unique', 'features.api_calls.of is missing; unique counts the distinct values'],
  ['features.api_calls.aggregation', 'duration', 'features.api_calls.unit is "call"; a duration is counted in one of'],
  [
    'features.storage.aggregation',
    'duration',
    'features.storage.unit is missing; a duration is counted in one of second',
  ],
  ['features.storage.aggregation', 'weighted_sum', 'features.storage.reset is "never", but a weighted sum weighs'],
  [
    'features.api_calls.of',
    'user',
    'features.api_calls.of is "user", but the aggregation is count; only unique counts',
  ],
  [
    'features.api_calls.anchor',
    'billing',
    'features.api_calls.anchor is "billing"; allowed are calendar, subscription',
  ],
  ['features.api_calls.dimensions', 'model', 'features.api_calls.dimensions is "model"; write a list of names of'],
  ['features.api_calls.dimensions', [...'abcdef'], 'features.api_calls.dimensions has 6 properties; at most 5 are'],
  ['features.api_calls.dimensions', ['a', 'a'], 'features.api_calls.dimensions.1 is there twice; name each property'],
  ['features.api_calls.dimensions', [''], 'features.api_calls.dimensions.0 is empty; write 1 to 64 characters'],
  ['features.api_calls.displayName', ' ', 'features.api_calls.displayName is empty; leave it out or write something'],
  ['features.api_calls.details', 'calls', 'features.api_calls.details is "calls"; write a list of lines of text'],
  ['features.api_calls.thresholds', 0.8, 'features.api_calls.thresholds is 0.8; write a list like [0.8, 1]'],
  ['features.api_calls.thresholds', [80], 'features.api_calls.thresholds.0 is 80; a fraction of the limit is above 0'],
  ['features.api_calls.thresholds', [{ left: 1 }], 'features.api_calls.thresholds.0 is a group of fields; write a'],
  [
    'features.api_calls.thresholds',
    [1, '1.0'],
    'features.api_calls.thresholds.1 is there twice; each threshold raises',
  ],
  [
    'features.api_calls.thresholds',
    [{ used: 1, every: 1 }],
    'features.api_calls.thresholds.0 is a group of fields; write',
  ],
  [
    'features.api_calls.thresholds',
    [{ spend: 0 }],
    'features.api_calls.thresholds.0 is 0 spent; write an amount above 0',
  ],
  [
    'features.api_calls.thresholds',
    [{ every: 'x' }],
    `features.api_calls.thresholds.0.every can't be read: "x" is not`,
  ],
  [
    'features.api_calls.thresholds',
    [{ remainingFraction: 1 }],
    'features.api_calls.thresholds.0 is 1 of the limit remaining',
  ],
  [
    'features.api_calls.thresholds',
    [{ spend: 5, falling: true }],
    'features.api_calls.thresholds.0.falling is true, but only fraction and used are watched on the way down',
  ],
  [
    'features.storage.price',
    5,
    'features.storage.price is 5; write { unitAmount: 5 } for a price of so many minor units',
  ],
  ['features.storage.price', false, 'features.storage.price is false; leave it out where use costs nothing'],
  ['features.storage.price', {}, 'features.storage.price says no amount; write { unitAmount: 10 } for each unit'],
  ['features.storage.price', { per: 100 }, 'features.storage.price.unitAmount is missing; write a number'],
  [
    'features.storage.price',
    { unitAmount: 1, per: 0 },
    'features.storage.price.per is 0; a package has more than 0 units',
  ],
  ['features.storage.price', { percent: -1 }, 'features.storage.price.percent is -1; a percentage is 0 or more'],
  [
    'features.storage.price',
    { percent: 1, unitAmount: 1 },
    'features.storage.price.unitAmount is no field of a price in',
  ],
  [
    'features.storage.price',
    { unitAmount: 1, tier: [] },
    'features.storage.price.tier is no field of a price per unit',
  ],
  ['features.storage.price', { tiers: [] }, 'features.storage.price.tiers is empty; write at least one tier'],
  [
    'features.storage.price',
    { mode: 'volume' },
    'features.storage.price.tiers is missing; write a list like [{ upTo: 1_000',
  ],
  [
    'features.storage.price',
    { tiers: [], mode: 'tiered' },
    'features.storage.price.mode is "tiered"; allowed are graduated',
  ],
  [
    'features.storage.price',
    { tiers: [{ upTo: null }] },
    'features.storage.price.tiers.0 has no amount; give unitAmount',
  ],
  [
    'features.storage.price',
    { tiers: [{ unitAmount: 1 }] },
    'features.storage.price.tiers.0.upTo is missing; write a number',
  ],
  [
    'features.storage.price',
    { tiers: [{ upTo: 5, unitAmount: 1 }] },
    'features.storage.price.tiers.0.upTo is 5; the last tier',
  ],
  [
    'features.storage.price',
    { tiers: [{ upTo: null, unitAmount: 1, flatAmount: 1 }], mode: 'stairstep' },
    'features.storage.price.tiers.0.unitAmount is no field of a tier of a stairstep price',
  ],
  [
    'features.storage.price',
    { unitAmount: 1, minimumSpend: 2, maximumSpend: 1 },
    'features.storage.price.minimumSpend is 2',
  ],
  ['features.storage.price.unitAmount', -1, 'features.storage.price.unitAmount is -1; a price is 0 or more'],
  ['features.storage.price.currency', 'dollar', 'features.storage.price.currency is "dollar"; write the three small'],
  [
    'features.storage.billing',
    'pre-paid',
    'features.storage.billing is "pre-paid"; did you mean "prepaid"? allowed are',
  ],
  ['features.api_calls.billing', 'prepaid', 'features.api_calls.billing is "prepaid", which needs a price: give one'],
  ['features.api_calls.spendLimit', 5, 'features.api_calls.spendLimit is 5, but without a price nothing is spent'],
  ['features.storage.spendLimit', -1, 'features.storage.spendLimit is -1; a spend limit is 0 or more, in minor units'],
  ['features.storage.entityLimit', -1, 'features.storage.entityLimit is -1; a limit is 0 or more, or null'],
  [
    'features.storage.value',
    null,
    'features.storage.value is null; write what the plan grants: a number, text, or true',
  ],
  ['features.storage.value', Number.NaN, 'features.storage.value is NaN; write a finite number, text or true'],
  ['features.storage.value', '', 'features.storage.value is empty; write 1 to 200 characters'],
  ['features.storage.credits', 100, 'features.storage.credits is 100; write { allocation: 100 }: credits is a group'],
  ['features.storage.credits', {}, 'features.storage.credits.allocation is missing; write a number'],
  [
    'features.storage.credits',
    { allocation: 0 },
    'features.storage.credits.allocation is 0; credits are more than 0 units',
  ],
  [
    'features.storage.credits',
    { allocation: 1, onRenewal: 'rset' },
    'features.storage.credits.onRenewal is "rset"; did you',
  ],
  [
    'features.storage.credits',
    { allocation: 1, onRenewal: 'rollover' },
    'features.storage.credits.onRenewal is "rollover"; write',
  ],
  [
    'features.storage.credits',
    { allocation: 1, onRenewal: { rollover: { max: '5x%' } } },
    'features.storage.credits.onRenewal.rollover.max is "5x%"; write a percentage like "50%"',
  ],
  [
    'features.storage.credits',
    { allocation: 1, onRenewal: { rollover: { max: '0%' } } },
    'features.storage.credits.onRenewal.rollover.max is 0; a cap is above 0, or left out',
  ],
  [
    'features.storage.credits',
    { allocation: 1, onRenewal: { rollover: { expiresAfter: { every: 99_999, unit: 'month' } } } },
    'features.storage.credits.onRenewal.rollover.expiresAfter is "every 99999 month"; an interval is a whole number',
  ],
  [
    'features.storage.credits',
    { allocation: 1, priority: 0.5 },
    'features.storage.credits.priority is 0.5; write a whole',
  ],
  [
    'features.storage.rateLimit',
    { limit: 1, window: 'PT0S' },
    'features.storage.rateLimit.window is 0 seconds; a window',
  ],
  [
    'features.storage.rateLimits',
    { limit: 1, window: 'PT1S' },
    'features.storage.rateLimits is a group of fields; write a list',
  ],
  [
    'features.storage.rateLimits',
    [{ limit: 0, window: 'PT1S' }],
    'features.storage.rateLimits.0.limit is 0; write how many',
  ],
  [
    'features.storage.rateLimits',
    [
      { limit: 1, window: 'PT60S' },
      { limit: 2, window: 'PT1M' },
    ],
    'features.storage.rateLimits.1.window is as long as the window of another; keep the smaller limit',
  ],
  ['plans.free.rateLimits', [], 'plans.free.rateLimit is there beside rateLimits; write them all into the list'],
  ['plans.free.spendLimit', 500, 'plans.free.spendLimit is 500; write { amount: 500 }: a plan'],
  ['plans.free.spendLimit', { amount: -1 }, 'plans.free.spendLimit.amount is -1; a spend limit is 0 or more'],
  ['plans.free.wallet', 5, 'plans.free.wallet is 5; a wallet is a group of fields: currency, floor, autoTopUp'],
  [
    'plans.free.wallet',
    { currency: 'dollar' },
    'plans.free.wallet.currency is "dollar"; write the three small letters',
  ],
  [
    'plans.free.wallet',
    { floor: -100, autoTopUp: { threshold: -100, amount: 1 } },
    'plans.free.wallet.autoTopUp.threshold is -100, but no balance falls below the floor of -100',
  ],
  [
    'plans.free.wallet',
    { autoTopUp: { threshold: 1, amount: 0 } },
    'plans.free.wallet.autoTopUp.amount is 0; write how much',
  ],
  [
    'plans.free.wallet',
    { autoTopUp: { threshold: 1, amount: 1, maxPerMonth: 0 } },
    'plans.free.wallet.autoTopUp.maxPerMonth is 0; write a whole number from 1',
  ],
  [
    'plans.free.wallet',
    { autoTopUp: { threshold: 1, amount: 1, coolOff: '1 day' } },
    'plans.free.wallet.autoTopUp.coolOff is "1 day"; write an ISO 8601 duration',
  ],
  [
    'plans.free.wallet',
    { autoTopUp: { threshold: 1, amount: 1 } },
    'plans.free.wallet.autoTopUp has nothing to do: no feature of the plan is prepaid',
  ],
  ['plans.free.existingCustomers', 'keep', 'plans.free.existingCustomers is "keep"; allowed are stay, move'],
  [
    'plans.free.features.api_calls',
    5,
    'plans.free.features.api_calls is 5; write { limit: 5 } or { value: 5 }: what a plan',
  ],
  [
    'plans.free.features.api_calls',
    null,
    'plans.free.features.api_calls is null; write true, false, or its fields: what',
  ],
  ['features.9lives', {}, 'features.9lives is "9lives"; a key starts with a letter'],
  ['plans', [], 'plans is a list; plans are written as { key: { … } }'],
  ['plans.pro.prices', [], 'plans.pro.prices is no field of a plan; did you mean "price"? allowed are displayName'],
  ['plans.pro.price', [{ amount: 1 }], 'plans.pro.price.0.interval is missing; allowed are day, week, month, year'],
  ['plans.pro.price', [{ amount: 1, interval: 'monthly' }], 'plans.pro.price.0.interval is "monthly"; did you mean'],
  ['plans.free.features', undefined, 'plans.free.features is missing; the features of a plan are written as'],
  [
    'plans.free.features.api_cals',
    {},
    'plans.free.features.api_cals names a feature that is not defined; did you mean',
  ],
  ['plans.free.features.api_calls.reset', 'daily', 'plans.free.features.api_calls.reset is no field of what a plan'],
  ['plans.free.rateLimit.window', '1m', 'plans.free.rateLimit.window is "1m"; write an ISO 8601 duration'],
  ['plans.free.rateLimit.window', 'P1M', 'plans.free.rateLimit.window is "P1M"; write an ISO 8601 duration'],
  ['plans.free.rateLimit.window', 'PT0.5S', 'plans.free.rateLimit.window is 0.5 seconds; a window is from 1 second'],
  ['plans.free.rateLimit.limit', 0, 'plans.free.rateLimit.limit is 0; write how many calls fit into the window'],
  ['plans.free.rateLimit.limit', '100', 'plans.free.rateLimit.limit is "100"; write how many calls fit'],
  [
    'creditPacks.big',
    { feature: 'storagee', amount: 1, price: { amount: 1 } },
    'creditPacks.big.feature is "storagee" and names a feature that is not defined; did you mean "storage"?',
  ],
  [
    'creditPacks.big',
    { feature: 'storage', amount: 0, price: { amount: 1 } },
    'creditPacks.big.amount is 0; a pack gives more than 0',
  ],
  [
    'creditPacks.big',
    { feature: 'storage', amount: 1, price: { amount: 0.5 } },
    'creditPacks.big.price.amount is 0.5; a payment is of whole minor units (cents), above 0',
  ],
  [
    'creditPacks.big',
    { feature: 'storage', amount: 1, price: 900 },
    "creditPacks.big.price is 900; write { amount: 900 }: a credit pack's price is a group of fields: amount, currency",
  ],
  [
    'billing.redirectOrigins',
    ['https://app.example.com/'],
    'billing.redirectOrigins.0 is "https://app.example.com/"; write scheme, host and port like',
  ],
  [
    'billing.redirectOrigins',
    ['https://*.example.com'],
    'billing.redirectOrigins.0 is "https://*.example.com"; write scheme, host and port like',
  ],
  ['billing.redirectOrigins', ['*'], 'billing.redirectOrigins.0 is "*"; write scheme, host and port like'],
  ['billing.dunningGraceDays', 91, 'billing.dunningGraceDays is 91; write a number of days from 0 to 90'],
  ['billing.dunningGraceDays', -1, 'billing.dunningGraceDays is -1; write a number of days from 0 to 90'],
  ['billing.defaultCurrency', 'dollar', 'billing.defaultCurrency is "dollar"'],
  ['billing.graceDays', 7, 'billing.graceDays is no field of billing'],
  ['defaultPlan', 'fre', 'defaultPlan is "fre" and names a plan that is not defined; did you mean "free"? defined are'],
  [
    'billing',
    'manual',
    'billing is "manual"; billing is a group of fields: redirectOrigins, dunningGraceDays, defaultCurrency, biller, finaliseAfter',
  ],
  ['billing.biller', 'manul', 'billing.biller is "manul"; did you mean "manual"? allowed are manual'],
  [
    'billing.finaliseAfter',
    60,
    'billing.finaliseAfter is 60; write an ISO 8601 duration of seconds, minutes, hours or days, like "PT1M" for one minute',
  ],
  [
    'billing.finaliseAfter',
    'P36D',
    'billing.finaliseAfter comes to 864 hours; write a duration from "PT0S" to "P35D", like "PT1H"',
  ],
  [
    'billing.finaliseAfter',
    '-PT1H',
    'billing.finaliseAfter comes to -1 hours; write a duration from "PT0S" to "P35D", like "PT1H"',
  ],
  ['hooks', () => {}, 'hooks is a function; hooks is a group of fields: before, after'],
  ['hooks', { befor: () => {} }, 'hooks.befor is no field of hooks; did you mean "before"?'],
  ['hooks', { after: true }, 'hooks.after is true; write a function, like async ({ usage })'],
  ['hooks', { before: 'no' }, 'hooks.before is "no"; write a function, like async ({ customer, feature, amount })'],
  ['hooks', { before: { run: noop, mode: 'sync' } }, 'hooks.before.onFailure is missing; allowed are deny, allow'],
  [
    'hooks',
    { before: { run: noop, mode: 'fast', onFailure: 'deny' } },
    'hooks.before.mode is "fast"; allowed are async',
  ],
  [
    'hooks',
    { before: { ...SYNC, run: async () => {} } },
    'hooks.before.run is an async function, but the mode is "sync"',
  ],
  ['hooks', { before: { ...SYNC, deadline: 'PT1S' } }, 'hooks.before.deadline is set, but the mode is "sync"'],
  ['hooks', { before: { ...SYNC, mode: 'async', deadline: 'PT1M' } }, 'hooks.before.deadline is 60000 ms; from 10 ms'],
  ['authorizeReference', true, 'authorizeReference is true; write a function, like async ({ apiKey, referenceId })'],
])('%s: %j is refused', (path, value, says) => {
  const problems = problemsOf(changed(path, value));
  expect(
    problems.filter((problem) => problem.startsWith(says)),
    problems.join('\n'),
  ).toHaveLength(1);
});

it.each([undefined, null, 'free', [], 5])('%j is no config', (raw) => {
  expect(problemsOf(raw)).toHaveLength(1);
});

it('lists all problems at once, each on a line of its own', () => {
  const config = {
    features: { api_calls: { limit: -1, rest: 'daily' }, storage: { reset: 'nevr' } },
    plans: { free: { features: { api_cals: { limit: 'x' } } } },
    defaultPlan: 'pro',
  };
  expect(() => parseConfig(config, '/app/metergraph.config.ts')).toThrow(
    /^The config \/app\/metergraph.config.ts has 5 problems:\n/,
  );
  expect(problemsOf(config).map((problem) => problem.split(' ')[0])).toEqual([
    'features.api_calls.rest',
    'features.storage.reset',
    'plans.free.features.api_cals.limit',
    'plans.free.features.api_cals',
    'defaultPlan',
  ]);
});
