/** set-customer-plan — puts a customer on another plan, as of now. */
import type { Customer } from '../domain/customer.ts';
import { planNotFound } from '../domain/errors.ts';
import { liveKeys, livePlan } from '../domain/plan.ts';
import { changeCustomer } from './change-customer.ts';
import type { Deps } from './deps.ts';

/**
 * What has been used in the running periods stays used; it is measured by the new plan's limits from the next call on.
 *
 * @throws {MeterError} `CUSTOMER_NOT_FOUND`, `PLAN_NOT_FOUND`
 */
export async function setCustomerPlan(
  deps: Deps,
  tenantId: string,
  { referenceId, planKey }: { readonly referenceId: string; readonly planKey: string },
): Promise<Customer> {
  const catalog = await deps.catalogs.current(deps.database.query, tenantId);
  return changeCustomer(deps, tenantId, referenceId, (customer) => {
    const isKnown = customer.planKey === planKey || livePlan(catalog, planKey) !== undefined;
    if (!isKnown) throw planNotFound(planKey, liveKeys(catalog.plans));
    return { ...customer, planKey };
  });
}
