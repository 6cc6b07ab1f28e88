/** Goal: who wants more of a feature is offered the plans that give more of it, and no others. Method: tables over a price list. */
import { describe, expect, it } from 'vitest';
import { catalogOf } from '../billing/stripe/catalog/testing/catalog-of.ts';
import type { Config } from '../define-config.ts';
import type { LimitFields } from './feature.ts';
import type { Plan } from './plan.ts';
import { isEntitled, mergePolicy } from './policy.ts';
import { ONE } from './units.ts';
import { upgradesOf } from './upgrade.ts';

const monthly = (amount: number) => ({ price: [{ amount, interval: 'month' as const }] });
const CONFIG: Config<string, string> = {
  features: { calls: { limit: 5 }, seats: { included: 1, limit: null } },
  plans: {
    free: { features: { calls: true, seats: true } },
    same: { ...monthly(100), features: { calls: true } },
    pro: { ...monthly(2_000), features: { calls: { limit: 500 }, seats: { included: 10 } } },
    yearly: { price: [{ amount: 12_000, interval: 'year' }], features: { calls: { limit: 50 } } },
    metered: {
      ...monthly(500),
      features: { calls: { included: 5, limit: 5, enforcement: 'soft', price: { unitAmount: 1 } } },
    },
    whole: { ...monthly(90_000), features: { calls: { limit: null } } },
    partner: { features: { calls: { limit: null } } },
    gone: { ...monthly(1), features: { calls: { limit: null } } },
    other: { ...monthly(1), features: { seats: { limit: 99 } } },
  },
};
const CATALOG = catalogOf(CONFIG, ['gone']);

function offered(planKey: string, featureKey = 'calls', override?: LimitFields): readonly string[] {
  const feature = CATALOG.features.get(featureKey);
  const plan = CATALOG.plans.get(planKey) as Plan;
  if (!feature) throw new Error(`no feature ${featureKey}`);
  const policy = mergePolicy(feature, plan, override);
  return upgradesOf(CATALOG, { feature, entitled: isEntitled(featureKey, plan, override), policy }).map(
    ({ key }) => key,
  );
}

describe('a customer is offered, the cheapest first,', () => {
  it.each<[string, readonly string[]]>([
    ['free', ['metered', 'yearly', 'pro', 'whole']],
    ['yearly', ['metered', 'pro', 'whole']],
    ['pro', ['metered', 'whole']],
    ['metered', []],
    ['whole', []],
    ['other', ['same', 'metered', 'yearly', 'pro', 'whole']],
  ])('with plan %s, %j', (planKey, plans) => {
    expect(offered(planKey)).toEqual(plans);
  });

  it('what gives more than its own limits', () => {
    expect(offered('free', 'calls', { limit: 100n * ONE })).toEqual(['metered', 'pro', 'whole']);
    expect(offered('free', 'calls', { limit: null })).toEqual([]);
  });

  it('what includes more, where nothing pays for what goes beyond', () => {
    expect(offered('free', 'seats')).toEqual(['pro']);
  });

  it('ten at most', () => {
    const tiers = Array.from(
      { length: 12 },
      (_, i) => [`p${i}`, { ...monthly(i), features: { calls: { limit: 10 + i } } }] as const,
    );
    const catalog = catalogOf({ features: { calls: { limit: 5 } }, plans: Object.fromEntries(tiers) });
    const feature = catalog.features.get('calls');
    if (!feature) throw new Error('no feature');
    const upgrades = upgradesOf(catalog, { feature, entitled: false, policy: mergePolicy(feature, null, undefined) });
    expect(upgrades.map(({ key }) => key)).toEqual(Array.from({ length: 10 }, (_, i) => `p${i}`));
  });
});
