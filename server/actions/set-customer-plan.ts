/** set-customer-plan — puts a customer on another plan, or on the newest version of its own: now, or when it renews. */
import { type Customer, currentPlanOf } from '../domain/customer.ts';
import { planNotFound } from '../domain/errors.ts';
import { type Catalog, liveKeys, livePlan, type Plan } from '../domain/plan.ts';
import { type PlanChange, withPlan } from '../domain/plan-change.ts';
import { changeCustomer } from './change-customer.ts';
import type { Deps } from './deps.ts';

export type NewPlan = {
  readonly referenceId: string;
  readonly planKey: string;
  /** A downgrade waits for the renewal and everything else holds at once, where this is null. */
  readonly effective: PlanChange | null;
};

/**
 * What has been used in the running periods stays used; it is measured by the new plan's limits from the instant on at
 * which it takes effect. A change that was pending is called off.
 *
 * @throws {MeterError} `CUSTOMER_NOT_FOUND`, `PLAN_NOT_FOUND`
 */
export async function setCustomerPlan(
  deps: Deps,
  tenantId: string,
  { referenceId, planKey, effective }: NewPlan,
): Promise<Customer> {
  const catalog = await deps.catalogs.current(deps.database.query, tenantId);
  return changeCustomer(deps, tenantId, referenceId, (customer) => {
    const nowMs = deps.clock.now();
    const plan = planFor(currentPlanOf(customer, nowMs).planKey, planKey, catalog);
    return withPlan(customer, catalog, plan, effective, nowMs);
  });
}

/** One that is archived may be kept by those who have it, and is nobody else's to get. */
function planFor(heldKey: string | null, wantedKey: string, catalog: Catalog): Plan {
  const plan = heldKey === wantedKey ? catalog.plans.get(wantedKey) : livePlan(catalog, wantedKey);
  if (!plan) throw planNotFound(wantedKey, liveKeys(catalog.plans));
  return plan;
}
