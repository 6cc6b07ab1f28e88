/** found-subscription — a subscription of Stripe's in the domain's words. */
import type Stripe from 'stripe';
import { type FoundSubscription, SUBSCRIPTION_STATUSES } from '../../../domain/subscription.ts';

/** @returns null for one that is for no plan of the tenant: somebody else's. */
export function foundSubscription(subscription: Stripe.Subscription, tenantId: string): FoundSubscription | null {
  const { id, items, cancel_at, cancel_at_period_end, ended_at, billing_cycle_anchor, created } = subscription;
  const planKey = planKeyOf(subscription, tenantId);
  const [item] = items.data;
  const status = SUBSCRIPTION_STATUSES.find((known) => known === subscription.status);
  if (planKey === null || !item || status === undefined) return null;
  const periodEndMs = item.current_period_end * 1_000;
  const cancelsAtMs = cancel_at === null ? (cancel_at_period_end ? periodEndMs : null) : cancel_at * 1_000;
  return {
    id,
    status: isThrownAway(subscription) && status !== 'canceled' ? 'paused' : status,
    planKey,
    anchorAtMs: billing_cycle_anchor * 1_000,
    periodStartMs: item.current_period_start * 1_000,
    periodEndMs,
    cancelsAtMs,
    endedAtMs: ended_at === null ? null : ended_at * 1_000,
    pastDueSinceMs: status === 'past_due' ? openSinceMs(subscription.latest_invoice) : null,
    createdAtMs: created * 1_000,
  };
}

/** Its invoices are voided: nothing is paid. Those that are kept as drafts, or not collected, are a gift of the tenant's. */
const isThrownAway = ({ pause_collection }: Stripe.Subscription): boolean => pause_collection?.behavior === 'void';

/** When the invoice became one that is to be paid; null where it is not there to be seen. */
function openSinceMs(invoice: Stripe.Subscription['latest_invoice']): number | null {
  if (invoice === null || typeof invoice === 'string') return null;
  const finalizedAt = invoice.status_transitions.finalized_at;
  return invoice.status === 'open' && finalizedAt !== null ? finalizedAt * 1_000 : null;
}

/** Its base price says which plan it is, also after the customer has changed it in the portal; then what it was made for. */
function planKeyOf({ items, metadata }: Stripe.Subscription, tenantId: string): string | null {
  const ofItems = items.data
    .map(({ price }) => price.metadata)
    .filter(({ metergraph_tenant, metergraph_plan }) => metergraph_tenant === tenantId && metergraph_plan);
  const base = ofItems.find(({ metergraph_feature }) => !metergraph_feature) ?? ofItems[0];
  const own = metadata.metergraph_tenant === tenantId ? metadata.metergraph_plan : undefined;
  return base?.metergraph_plan ?? own ?? null;
}
