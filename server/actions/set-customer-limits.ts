/** set-customer-limits — a customer's own limits: the last word in its policies. */
import type { Customer } from '../domain/customer.ts';
import { type Problem, problemsOfLimits } from '../domain/definition-bounds.ts';
import type { LimitFields } from '../domain/feature.ts';
import { changeCustomer } from './change-customer.ts';
import type { Deps } from './deps.ts';
import { refuseFirst } from './refuse-first.ts';
import { refuseUnknownFeatures } from './refuse-unknown-features.ts';

/** The override of one feature becomes exactly these fields; none of them removes it. */
export type CustomerLimit = { readonly featureKey: string; readonly fields: LimitFields };

/**
 * Sets the overrides of the features named; those of others stay.
 *
 * @throws {MeterError} `INVALID_INPUT` with the path of the field, `CUSTOMER_NOT_FOUND`, `FEATURE_NOT_FOUND`
 */
export async function setCustomerLimits(
  deps: Deps,
  tenantId: string,
  { referenceId, limits }: { readonly referenceId: string; readonly limits: readonly CustomerLimit[] },
): Promise<Customer> {
  refuseFirst(problemsOf(limits));
  const catalog = await deps.catalogs.current(deps.database.query, tenantId);
  const keys = limits.map(({ featureKey }) => featureKey);
  return changeCustomer(deps, tenantId, referenceId, (customer) => {
    refuseUnknownFeatures(keys, catalog, (i) => ['input', 'limits', String(i), 'featureKey']);
    return { ...customer, overrides: withLimits(customer.overrides, limits) };
  });
}

function problemsOf(limits: readonly CustomerLimit[]): readonly Problem[] {
  const seen = new Set<string>();
  return limits.flatMap(({ featureKey, fields }, i): readonly Problem[] => {
    const path = ['limits', String(i)];
    if (seen.has(featureKey)) return [{ path: [...path, 'featureKey'], sentence: `"${featureKey}" is there twice` }];
    seen.add(featureKey);
    return problemsOfLimits(fields).map((problem) => ({ ...problem, path: [...path, ...problem.path] }));
  });
}

function withLimits(overrides: Customer['overrides'], limits: readonly CustomerLimit[]): Customer['overrides'] {
  const changed = new Map(overrides);
  for (const { featureKey, fields } of limits) {
    if (Object.keys(fields).length === 0) changed.delete(featureKey);
    else changed.set(featureKey, fields);
  }
  return changed;
}
