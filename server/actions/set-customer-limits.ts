/** set-customer-limits — a customer's own limits: the last word in its policies. */
import { type Customer, currentPlanOf } from '../domain/customer.ts';
import type { LimitFields } from '../domain/feature.ts';
import { problemsOfLimits } from '../domain/limit-bounds.ts';
import { type Catalog, type Plan, planOfCustomer } from '../domain/plan.ts';
import { problemsOfOverride } from '../domain/policy-bounds.ts';
import { type Problem, under } from '../domain/problem.ts';
import { changeCustomer } from './change-customer.ts';
import type { Deps } from './deps.ts';
import { inInput } from './input-path.ts';
import { refuseFirst } from './refuse-first.ts';
import { refuseUnknownFeatures } from './refuse-unknown-features.ts';

/** The override of one feature becomes exactly these fields; none of them removes it. */
export type CustomerLimit = { readonly featureKey: string; readonly fields: LimitFields };

/**
 * Sets the overrides of the features named; those of others stay.
 *
 * @throws {MeterError} `INVALID_INPUT` with the path of the field, also where it does not go with what feature and plan
 *   say; `CUSTOMER_NOT_FOUND`, `FEATURE_NOT_FOUND`
 */
export async function setCustomerLimits(
  deps: Deps,
  tenantId: string,
  { referenceId, limits }: { readonly referenceId: string; readonly limits: readonly CustomerLimit[] },
): Promise<Customer> {
  refuseFirst(inInput(problemsOf(limits)));
  const catalog = await deps.catalogs.current(deps.database.query, tenantId);
  const keys = limits.map(({ featureKey }) => featureKey);
  return changeCustomer(deps, tenantId, referenceId, (customer) => {
    refuseUnknownFeatures(keys, catalog, (i) => ['input', 'limits', String(i), 'featureKey']);
    const held = currentPlanOf(customer, deps.clock.now());
    refuseFirst(inInput(clashesOf(limits, catalog, planOfCustomer(catalog, { tenantId, ...held }))));
    return { ...customer, overrides: withLimits(customer.overrides, limits) };
  });
}

function problemsOf(limits: readonly CustomerLimit[]): readonly Problem[] {
  const seen = new Set<string>();
  return limits.flatMap(({ featureKey, fields }, i): readonly Problem[] => {
    const path = ['limits', String(i)];
    if (seen.has(featureKey)) return [{ path: [...path, 'featureKey'], sentence: `"${featureKey}" is there twice` }];
    seen.add(featureKey);
    return under(path, problemsOfLimits(fields));
  });
}

const clashesOf = (limits: readonly CustomerLimit[], { features }: Catalog, plan: Plan | null): readonly Problem[] =>
  limits.flatMap(({ featureKey, fields }, i) => {
    const feature = features.get(featureKey);
    const problems = feature ? problemsOfOverride(feature, plan?.features.get(featureKey), fields) : [];
    return under(['limits', String(i)], problems);
  });

function withLimits(overrides: Customer['overrides'], limits: readonly CustomerLimit[]): Customer['overrides'] {
  const changed = new Map(overrides);
  for (const { featureKey, fields } of limits) {
    if (Object.keys(fields).length === 0) changed.delete(featureKey);
    else changed.set(featureKey, fields);
  }
  return changed;
}
