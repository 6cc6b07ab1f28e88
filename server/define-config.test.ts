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
  defineConfig({ features, plans: { free: { rateLimits: {}, features: {} } } });
});
