/** Goal: which version of a plan holds for whom. Method: a plan with versions 1 to 4, whose customers were moved to 3. */
import { expect, it } from 'vitest';
import { type Catalog, type Plan, planAt, planOfCustomer } from './plan.ts';

const planOf = (version: number): Plan => ({
  tenantId: 't',
  key: 'pro',
  displayName: 'Pro',
  version,
  prices: [],
  rateLimits: [],
  spendLimit: null,
  wallet: null,
  features: new Map([['calls', {}]]),
  archivedAtMs: null,
});

const catalog: Catalog = {
  version: 1,
  features: new Map(),
  plans: new Map([['pro', planOf(4)]]),
  planVersions: new Map([['pro', { movedVersion: 3, byNumber: new Map([3, 4].map((n) => [n, planOf(n)])) }]]),
  defaultPlanKey: null,
};

it.each([
  // put on, has
  [1, 3],
  [3, 3],
  [4, 4],
  [5, undefined],
  [null, 4], // whatever is newest
])('put on version %s, has %s', (planVersion, has) => {
  if (planVersion !== null) expect(planAt(catalog, 'pro', planVersion)?.version).toBe(has);
  expect(planOfCustomer(catalog, { tenantId: 't', planKey: 'pro', planVersion })?.version).toBe(has ?? 0);
});

it('has no plan without one, and gets nothing from a plan that is missing', () => {
  expect(planOfCustomer(catalog, { tenantId: 't', planKey: null, planVersion: null })).toBeNull();
  for (const planVersion of [null, 1]) {
    const missing = planOfCustomer(catalog, { tenantId: 't', planKey: 'gone', planVersion });
    expect(missing).toMatchObject({ key: 'gone', version: 0, features: new Map() });
  }
});
