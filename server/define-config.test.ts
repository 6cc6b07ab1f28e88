/** Goal: a config that names what isn't there does not compile. Method: the type checker runs over these lines, too. */
import { expect, it } from 'vitest';
import { defineConfig } from './define-config.ts';

const features = { api_calls: { limit: 5 }, storage: { minLimit: 0, reset: 'never' } } as const;

it('hands the config back as it is', () => {
  const config = defineConfig({
    features,
    plans: {
      free: { features: { api_calls: { limit: 1 } } },
      pro: { rateLimit: { limit: 100, window: 'PT1M' }, features: { api_calls: { limit: null }, storage: {} } },
    },
    defaultPlan: 'free',
  });
  expect(config.plans?.pro.features.api_calls).toEqual({ limit: null });
});

it('does without plans', () => {
  expect(defineConfig({ features })).toEqual({ features });
});

it('takes all that the engine knows', () => {
  const config = defineConfig({
    features: {
      seats: { aggregation: 'unique', of: 'user_id', reset: { every: 6, unit: 'hour' }, anchor: 'subscription' },
      tokens: {
        price: {
          tiers: [
            { upTo: 10, unitAmount: 2 },
            { upTo: null, flatAmount: 5 },
          ],
          mode: 'volume',
        },
        thresholds: [0.8, { used: 8, falling: true }, { remainingFraction: '0.1' }, { spend: 5 }, { every: 10 }],
        rateLimits: [{ limit: 1, window: 'PT1S' }],
      },
      region: {},
    },
    plans: {
      pro: {
        wallet: { floor: -500, autoTopUp: { threshold: 100, amount: 1_000 } },
        spendLimit: { amount: 5_000 },
        existingCustomers: 'move',
        features: {
          seats: true,
          region: { value: 'eu' },
          tokens: { billing: 'prepaid', credits: { allocation: 5, onRenewal: { rollover: { max: '50%' } } } },
        },
      },
    },
    hooks: {
      before: async ({ customer, amount }) => (customer.planKey === amount ? 'No.' : undefined),
      after: async () => {},
    },
    authorizeReference: ({ referenceId }) => referenceId !== 'root',
  });
  expect(config.plans?.pro.features.seats).toBe(true);
  expect(defineConfig({ features, hooks: { before: () => {} } })).toMatchObject({ features });
  expect(defineConfig({ features, hooks: { before: async () => {} } })).toMatchObject({ features });
});

it('does not compile where a name dangles', () => {
  // @ts-expect-error: the plan names a feature that isn't there
  defineConfig({ features, plans: { free: { features: { api_cals: { limit: 1 } } } } });
  // @ts-expect-error: there is no such plan
  defineConfig({ features, plans: { free: { features: {} } }, defaultPlan: 'fre' });
  // @ts-expect-error: without plans none can be the default
  defineConfig({ features, defaultPlan: 'free' });
  // @ts-expect-error: no such field
  defineConfig({ features: { api_calls: { limits: 5 } } });
  // @ts-expect-error: no such reset
  defineConfig({ features: { api_calls: { reset: 'fortnightly' } } });
  // @ts-expect-error: no such field of a plan
  defineConfig({ features, plans: { free: { limits: {}, features: {} } } });
  // @ts-expect-error: unique values of what?
  defineConfig({ features: { seats: { aggregation: 'unique' } } });
  // @ts-expect-error: a sum is of no property
  defineConfig({ features: { seats: { aggregation: 'sum', of: 'user_id' } } });
  // @ts-expect-error: a price of nothing
  defineConfig({ features: { api_calls: { price: { currency: 'usd' } } } });
  // @ts-expect-error: a step has no price per unit
  defineConfig({ features: { a: { price: { tiers: [{ upTo: null, unitAmount: 1 }], mode: 'stairstep' } } } });
  // @ts-expect-error: one rate limit or several
  defineConfig({ features: { a: { rateLimit: { limit: 1, window: 'PT1S' }, rateLimits: [] } } });
  // @ts-expect-error: a hook says what becomes of the call when it fails
  defineConfig({ features, hooks: { before: { run: () => undefined, mode: 'sync' } } });
});
