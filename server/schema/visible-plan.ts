/** visible-plan — a plan as far as the viewer may see it: a customer sees its own, and of it its features. */
import type { Context } from '../context.ts';
import type { Plan } from '../domain/plan.ts';
import { reader } from './access.ts';
import { catalogOf, customers } from './loaders.ts';

/** Archived ones, too. Null for one that does not exist, or is not the viewer's to see. */
export async function visiblePlan(context: Context, key: string): Promise<Plan | null> {
  const viewer = reader(context);
  if (viewer.kind === 'customer') {
    const customer = await customers(context).load(viewer.customerId);
    if (customer?.planKey !== key) return null;
  }
  return (await catalogOf(context)).plans.get(key) ?? null;
}
