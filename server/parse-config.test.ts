/**
 * Goal: every mistake in a config is refused with its path, what was found and what is allowed.
 * Method: one config that is right, and a table of single mistakes made in it.
 */
import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-problems.ts';
import { unitsOf } from './domain/units.ts';
import { parseConfig } from './parse-config.ts';

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
  it('is read into definitions, exactly', () => {
    const { features, plans, defaultPlanKey } = parseConfig(valid(), 'metergraph.config.ts');
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
        price: { unitAmount: unitsOf('0.25'), currency: 'usd' },
      },
    ]);
    expect(plans).toEqual([
      {
        key: 'free',
        rateLimit: { limit: 100, windowMs: 60_000 },
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
  });

  it.each([
    ['a field that is undefined', changed('features.api_calls.unit', undefined)],
    ['no plans', { features: {} }],
    ['a window of a day', changed('plans.free.rateLimit.window', 'P1D')],
  ])('may have %s', (_, config) => expect(problemsOf(config)).toEqual([]));
});

it.each([
  // at                                  is                       says
  ['feature', {}, 'feature is no field of a config; did you mean "features"? allowed are features, plans, defaultPlan'],
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
  ['features.api_calls.reset', { every: 6, unit: 'hour' }, 'features.api_calls.reset is not supported yet: a reset of'],
  ['features.api_calls.aggregation', 'latest', 'features.api_calls.aggregation is not supported yet: the aggregation'],
  ['features.api_calls.of', 'user', 'features.api_calls.of is not supported yet: counting distinct values'],
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
  ['features.storage.price', 5, 'features.storage.price is 5; a price is a group of fields: unitAmount, currency'],
  ['features.storage.price', {}, 'features.storage.price.unitAmount is missing; write a number'],
  ['features.storage.price.unitAmount', -1, 'features.storage.price.unitAmount is -1; a price is 0 or more'],
  ['features.storage.price.currency', 'dollar', 'features.storage.price.currency is "dollar"; write the three small'],
  ['features.storage.price.tiers', [], 'features.storage.price.tiers is not supported yet: prices in tiers'],
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
  ['plans.free.features.api_calls.credits', {}, 'plans.free.features.api_calls.credits is not supported yet: credits'],
  ['plans.free.features.api_calls.reset', 'daily', 'plans.free.features.api_calls.reset is no field of what a plan'],
  ['plans.free.rateLimit.window', '1m', 'plans.free.rateLimit.window is "1m"; write an ISO 8601 duration'],
  ['plans.free.rateLimit.window', 'P1M', 'plans.free.rateLimit.window is "P1M"; write an ISO 8601 duration'],
  ['plans.free.rateLimit.window', 'PT0.5S', 'plans.free.rateLimit.window is 0.5 seconds; a window is from 1 second'],
  ['plans.free.rateLimit.limit', 0, 'plans.free.rateLimit.limit is 0; write how many calls fit into the window'],
  ['plans.free.rateLimit.limit', '100', 'plans.free.rateLimit.limit is "100"; write how many calls fit'],
  ['defaultPlan', 'fre', 'defaultPlan is "fre" and names a plan that is not defined; did you mean "free"? defined are'],
  ['hooks', {}, 'hooks is not supported yet: hooks; decide in your app before it calls consume'],
  ['authorizeReference', () => true, 'authorizeReference is not supported yet'],
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
