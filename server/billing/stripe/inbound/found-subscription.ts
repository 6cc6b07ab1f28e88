/** found-subscription — a subscription of Stripe's in the domain's words. */
import type Stripe from 'stripe';
import { BILLING_INTERVALS, type BillingInterval } from '../../../domain/plan.ts';
import { type FoundSubscription, SUBSCRIPTION_STATUSES, type Subscription } from '../../../domain/subscription.ts';
import { openSinceMs } from './open-since.ts';

export type FoundAt = {
  readonly tenantId: string;
  /** What was known of the customer's subscription until now. */
  readonly known: Pick<Subscription, 'id' | 'planKey'> | null;
  /** Its invoices, the newest first, where it is past due. */
  readonly invoices: readonly Stripe.Invoice[];
};

/** @returns null for one that is for no plan of the tenant: somebody else's. */
export function foundSubscription(
  subscription: Stripe.Subscription,
  { tenantId, known, invoices }: FoundAt,
): FoundSubscription | null {
  const { id, cancel_at, cancel_at_period_end, ended_at, billing_cycle_anchor, created } = subscription;
  const item = baseItemOf(subscription, tenantId);
  const planKey = planKeyOf(subscription, tenantId) ?? (known?.id === id ? known.planKey : null);
  const status = SUBSCRIPTION_STATUSES.find((one) => one === subscription.status);
  if (planKey === null || !item || status === undefined) return null;
  const periodEndMs = item.current_period_end * 1_000;
  const cancelsAtMs = cancel_at === null ? (cancel_at_period_end ? periodEndMs : null) : cancel_at * 1_000;
  return {
    id,
    status: isThrownAway(subscription) && isPaid(status) ? 'paused' : status,
    planKey,
    interval: intervalOf(item),
    currency: item.price.currency,
    anchorAtMs: billing_cycle_anchor * 1_000,
    periodStartMs: item.current_period_start * 1_000,
    periodEndMs,
    cancelsAtMs,
    endedAtMs: ended_at === null ? null : ended_at * 1_000,
    pastDueSinceMs: status === 'past_due' ? openSinceMs(invoices) : null,
    createdAtMs: created * 1_000,
  };
}

/** Its invoices are voided: nothing is paid. Those that are kept as drafts, or not collected, are a gift of the tenant's. */
const isThrownAway = ({ pause_collection }: Stripe.Subscription): boolean => pause_collection?.behavior === 'void';

/** Whether there are invoices to throw away: one that has not begun, or is over, is what it is. */
const isPaid = (status: Stripe.Subscription.Status): boolean =>
  status === 'active' || status === 'trialing' || status === 'past_due';

/** The item with a plan's base price; else one that is charged by use of a plan; else the first that is charged at all. */
function baseItemOf({ items: { data } }: Stripe.Subscription, tenantId: string): Stripe.SubscriptionItem | undefined {
  const ours = data.filter(({ price }) => planOf(price.metadata, tenantId) !== null);
  const base = ours.find(({ price }) => !price.metadata.metergraph_feature) ?? ours[0];
  return base ?? data.find(({ price }) => price.recurring?.usage_type === 'licensed') ?? data[0];
}

/** Its base price says which plan it is, also after the customer has changed it in the portal; then what it was made for. */
function planKeyOf(subscription: Stripe.Subscription, tenantId: string): string | null {
  const base = baseItemOf(subscription, tenantId);
  return (base ? planOf(base.price.metadata, tenantId) : null) ?? planOf(subscription.metadata, tenantId);
}

const planOf = ({ metergraph_tenant, metergraph_plan }: Stripe.Metadata, tenantId: string): string | null =>
  metergraph_tenant === tenantId && metergraph_plan ? metergraph_plan : null;

function intervalOf({ price: { recurring } }: Stripe.SubscriptionItem): BillingInterval | null {
  if (recurring?.interval_count !== 1) return null;
  return BILLING_INTERVALS.find((one) => one === recurring.interval) ?? null;
}
