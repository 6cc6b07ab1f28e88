/**
 * Goal: feature → plan → customer, field by field, the last one set wins. Method: a fold over one field at a time, and
 * a table of what a field is when nobody has set it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { featureOf, planOf } from './definitions.ts';
import type { EntitlementValue, LimitFields } from './feature.ts';
import type { Plan } from './plan.ts';
import { isEntitled, LIMIT_FIELDS, mergePolicy } from './policy.ts';
import type { Price } from './price.ts';
import type { RateLimit } from './rate-limit.ts';
import { DEFAULT_THRESHOLDS, type Threshold } from './threshold.ts';
import { ONE, unitsOf } from './units.ts';

const TENANT = '2ed6657d-e927-568b-95e1-2665a8aea6a2';
const FEATURE = featureOf(TENANT, { key: 'api_calls' });

const planWith = (...entries: (readonly [string, LimitFields])[]): Plan =>
  planOf(TENANT, { key: 'pro', features: new Map(entries) }, null);

const perUnit = (unitAmount: bigint, currency: string): Price => ({
  model: 'per_unit',
  unitAmount,
  currency,
  minimumSpend: null,
  maximumSpend: null,
});

/** Any subset of the fields, each with any value. */
const limitFields: fc.Arbitrary<LimitFields> = fc.record(
  {
    limit: fc.constantFrom(null, 0n, ONE, 5n * ONE),
    included: fc.constantFrom(0n, 2n * ONE),
    enforcement: fc.constantFrom('hard' as const, 'soft' as const),
    minLimit: fc.constantFrom(0n, -ONE, ONE),
    thresholds: fc.constantFrom<readonly Threshold[]>([], [{ kind: 'used', value: ONE }]),
    price: fc.constantFrom(perUnit(ONE, 'usd'), perUnit(0n, 'eur')),
    billing: fc.constantFrom('postpaid' as const, 'prepaid' as const),
    spendLimit: fc.constantFrom(null, 0n, 500n * ONE),
    credits: fc.constantFrom(null, { allocation: ONE, onRenewal: 'reset' as const, reset: null, priority: 0 }),
    rateLimits: fc.constantFrom<readonly RateLimit[]>([], [{ limit: 2, windowMs: 1_000 }]),
    entityLimit: fc.constantFrom(null, 0n, ONE),
    value: fc.constantFrom<EntitlementValue>(10, 'eu', false),
  },
  { requiredKeys: [] },
);

describe('the merge', () => {
  it('is a plain fold: of each field, the last one set', () => {
    const own = fc.option(limitFields, { nil: undefined });
    fc.assert(
      fc.property(limitFields, own, own, (ofFeature, ofPlan, override) => {
        const plan = planWith(...(ofPlan ? [[FEATURE.key, ofPlan] as const] : []), ['other', { limit: 77n }]);
        const policy = mergePolicy({ ...FEATURE, ...ofFeature }, plan, override);
        for (const field of LIMIT_FIELDS) {
          const setters = [ofFeature, ofPlan, override].filter((fields) => fields && field in fields);
          const last = setters.at(-1);
          if (last) expect(policy[field]).toEqual(last[field]);
        }
      }),
    );
  });

  it('`null` and `0` are set: a plan makes unlimited what the feature limits, and a customer gets nothing of it', () => {
    const feature = { ...FEATURE, limit: unitsOf('1000') };
    expect(mergePolicy(feature, planWith(['api_calls', { limit: null }]), undefined).limit).toBeNull();
    expect(mergePolicy(feature, planWith(['api_calls', { limit: null }]), { limit: 0n }).limit).toBe(0n);
  });
});

describe('what nobody has set', () => {
  const price = perUnit(ONE, 'usd');
  it.each([
    // set                               limit   included  enforcement
    [{}, null, null, 'hard'],
    [{ limit: 5n }, 5n, 5n, 'hard'],
    [{ limit: 5n, included: 2n }, 5n, 2n, 'hard'],
    [{ price }, null, 0n, 'soft'],
    [{ price, limit: null }, null, 0n, 'soft'],
    [{ price, limit: 5n }, 5n, 5n, 'soft'],
    [{ price, included: 2n }, null, 2n, 'soft'],
    [{ price, limit: 5n, enforcement: 'hard' }, 5n, 5n, 'hard'],
    [{ limit: 5n, enforcement: 'soft' }, 5n, 5n, 'soft'],
  ] as const)('%o: limit %s, included %s, %s', (set, limit, included, enforcement) => {
    expect(mergePolicy({ ...FEATURE, ...set }, null, undefined)).toMatchObject({ limit, included, enforcement });
  });

  it('has the default thresholds, no floor and no price', () => {
    const policy = mergePolicy(FEATURE, null, undefined);
    expect(policy).toMatchObject({ thresholds: DEFAULT_THRESHOLDS, minLimit: null, price: null });
  });

  it('an empty list of thresholds is none, not the default', () => {
    expect(mergePolicy(FEATURE, null, { thresholds: [] }).thresholds).toEqual([]);
  });
});

describe('entitled', () => {
  const plan = planWith(['api_calls', {}]);
  it.each([
    ['without a plan', 'anything', null, undefined, true],
    ['where the plan names it, though it sets nothing', 'api_calls', plan, undefined, true],
    ['not where the plan does not name it', 'storage', plan, undefined, false],
    ['where an own override names it', 'storage', plan, { limit: 0n }, true],
  ] as const)('%s', (_, key, of, override, entitled) => expect(isEntitled(key, of, override)).toBe(entitled));
});
