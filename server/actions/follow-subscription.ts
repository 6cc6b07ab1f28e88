/**
 * follow-subscription — lets a customer follow the subscription that pays for it: plan, start, end, and the notice of a
 * change, in one transaction.
 */
import type { FollowedSubscription, FoundOf } from '../billing/effects.ts';
import { billingAccountOf, saveSubscription } from '../db/queries/billing-accounts.ts';
import { lockCustomer } from '../db/queries/customers.ts';
import { emit } from '../db/queries/outgoing-events.ts';
import { isoOf } from '../domain/notice.ts';
import { subscriptionStatusChanged } from '../domain/notices-of-money.ts';
import { follow, governing, type Subscription } from '../domain/subscription.ts';
import { saveChange, whenSettled } from './change-customer.ts';
import type { Deps } from './deps.ts';

/**
 * Applies what was found, unless somebody else has applied something since the account was read: what was found may be
 * older than that then, and has to be asked for again. So states are applied in the order in which they were, whoever
 * asks, and however long the answer is on its way.
 *
 * @returns null where it has to be asked for again.
 */
export async function followSubscription(
  deps: Deps,
  { account, found }: FoundOf,
  graceMs: number,
): Promise<FollowedSubscription | null> {
  const { tenantId, customerId } = account;
  const catalog = await deps.catalogs.current(deps.database.query, tenantId);
  let subscriptions: Pick<FollowedSubscription, 'before' | 'after'> = { before: null, after: null };
  try {
    const customer = await whenSettled(deps, async (tx, nowMs) => {
      const before = await lockCustomer(tx, tenantId, customerId);
      if (!before) throw new Error(`customer ${customerId} has an account and is not there`);
      const current = await billingAccountOf(tx, account);
      if (current?.revision !== account.revision) throw new Outdated();
      const { subscription: known } = current;
      const at = { nowMs, graceMs };
      const { subscription, ...followed } = follow(before, known, governing(found, known, at), catalog, at);
      const changed = await saveChange(tx, before, followed.customer, nowMs, followed.planSinceMs);
      if ('due' in changed) return changed;
      if (!(await saveSubscription(tx, current, subscription, nowMs))) throw new Outdated();
      if (subscription && subscription.status !== known?.status) {
        const about = { tenantId, customerId, referenceId: before.referenceId, atMs: nowMs };
        const data = { ...changeOf(known, subscription), effectiveAt: isoOf(nowMs) };
        await emit(tx, subscriptionStatusChanged(about, data, `${subscription.id} ${current.revision + 1n}`));
      }
      subscriptions = { before: known, after: subscription };
      return changed;
    });
    return { customer, ...subscriptions };
  } catch (error) {
    if (error instanceof Outdated) return null;
    throw error;
  }
}

const changeOf = (before: Subscription | null, { planKey, status }: Subscription) => ({
  planKey,
  previousPlanKey: before?.planKey ?? null,
  status,
  previousStatus: before?.status ?? null,
});

class Outdated extends Error {}
