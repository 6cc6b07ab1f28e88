/** visible-plan — a plan as far as the viewer may see it: a customer sees its own, in its version, and of it its features. */
import type { Context } from '../context.ts';
import { currentPlanOf } from '../domain/customer.ts';
import { type Plan, planOfCustomer } from '../domain/plan.ts';
import { reader } from './access.ts';
import { catalogOf, customers } from './loaders.ts';
import { encodeNodeId } from './node-id.ts';

/**
 * Archived ones, too.
 *
 * @param version Of which version; null for the newest, or the one that holds for the customer who asks.
 * @returns null for one that does not exist, or is not the viewer's to see.
 */
export async function visiblePlan(context: Context, key: string, version: number | null = null): Promise<Plan | null> {
  const viewer = reader(context);
  const plan =
    viewer.kind === 'customer' ? await ownPlan(context, viewer.customerId) : await anyPlan(context, key, version);
  return plan?.key === key && (version === null || plan.version === version) ? plan : null;
}

async function ownPlan(context: Context, customerId: string): Promise<Plan | null> {
  const customer = await customers(context).load(customerId);
  if (!customer) return null;
  const held = currentPlanOf(customer, context.services.clock.now());
  return planOfCustomer(await catalogOf(context), { tenantId: customer.tenantId, ...held });
}

async function anyPlan(context: Context, key: string, version: number | null): Promise<Plan | null> {
  const { plans, planVersions } = await catalogOf(context);
  const plan = version === null ? plans.get(key) : planVersions.get(key)?.byNumber.get(version);
  return plan ?? null;
}

/** A plan keeps its id when it changes; those of its versions that some customers stayed on have ids of their own. */
export async function planNodeId(context: Context, { tenantId, key, version }: Plan): Promise<string> {
  const isNewest = (await catalogOf(context)).plans.get(key)?.version === version;
  return encodeNodeId('Plan', tenantId, key, ...(isNewest ? [] : [String(version)]));
}
