/**
 * subscription — what a customer may have by what it pays: which plan, counted from when, until when. Pure.
 *
 * A subscription is taken as the processor has it at this moment, never as a notice tells of it; so the order in which
 * notices come, and how often, changes nothing.
 */
import { type Customer, currentPlanOf } from './customer.ts';
import { type BillingInterval, type Catalog, livePlan, type Plan, type PlanTerms } from './plan.ts';

export const SUBSCRIPTION_STATUSES = [
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'paused',
  'canceled',
] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

/** As the processor has it, or had it when it was last asked. */
export type Subscription = {
  readonly id: string;
  readonly status: SubscriptionStatus;
  readonly planKey: string;
  /** Whether the customer follows it: not while there is no such plan here. */
  readonly isFollowed: boolean;
  /** What its base price is charged for, and in what; null where that is none of a plan's prices, or not known. */
  readonly interval: BillingInterval | null;
  readonly currency: string | null;
  /** Where its billing periods are counted from. */
  readonly anchorAtMs: number;
  readonly periodStartMs: number;
  readonly periodEndMs: number;
  /** When it ends because it was called off; null while it goes on. */
  readonly cancelsAtMs: number | null;
  readonly endedAtMs: number | null;
  /** Since when it has been past due, and until when its plan goes on all the same; null while it is not. */
  readonly pastDueSinceMs: number | null;
  readonly graceEndsAtMs: number | null;
};

/** What each status is good for. */
const TREATMENTS = {
  /** Not paid for the first time yet, or never: the customer keeps whatever it has. */
  incomplete: 'nothing',
  incomplete_expired: 'nothing',
  trialing: 'plan',
  active: 'plan',
  /** An invoice is open: the plan goes on for the grace. */
  past_due: 'grace',
  /** The processor has given up on an invoice: it has had its retries, and the customer its grace. */
  unpaid: 'held_up',
  /** A trial that ended without a payment method, or invoices that are thrown away for now. */
  paused: 'held_up',
  canceled: 'ended',
} as const satisfies Record<SubscriptionStatus, string>;

/** By which clocks a processor counts periods from their anchor, wherever the customer lives. */
export const SUBSCRIPTION_TIME_ZONE = 'UTC';

export const DUNNING_GRACE_MS = 7 * 24 * 3_600_000;

/** What a subscription entitles to. */
export type Standing =
  | { readonly kind: 'none' }
  /** The plan, until then by itself; null for on and on. */
  | { readonly kind: 'subscribed'; readonly id: string; readonly planKey: string; readonly untilMs: number | null }
  | { readonly kind: 'ended'; readonly id: string };

export function standingOf(subscription: Subscription | null, nowMs: number): Standing {
  if (subscription === null) return { kind: 'none' };
  const { id, status, planKey, cancelsAtMs, graceEndsAtMs } = subscription;
  const treatment = TREATMENTS[status];
  if (treatment === 'nothing') return { kind: 'none' };
  if (treatment === 'ended' || treatment === 'held_up') return { kind: 'ended', id };
  const untilMs = earliest(cancelsAtMs, graceEndsAtMs);
  return untilMs !== null && untilMs <= nowMs ? { kind: 'ended', id } : { kind: 'subscribed', id, planKey, untilMs };
}

/** At which price its plan is paid now; null where it entitles to none, or nothing is known of it. */
export function termsOf(subscription: Subscription | null, nowMs: number): PlanTerms | null {
  if (!subscription?.isFollowed || standingOf(subscription, nowMs).kind !== 'subscribed') return null;
  const { planKey, interval, currency } = subscription;
  return interval === null || currency === null ? null : { planKey, interval, currency };
}

const earliest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b);

/** Whether it is paid for, or may be again: beside it, a second one would be paid twice. */
export const isRunning = ({ status }: Pick<Subscription, 'status'>): boolean =>
  TREATMENTS[status] === 'plan' || TREATMENTS[status] === 'grace' || TREATMENTS[status] === 'held_up';

/** One of a customer's subscriptions as it was found. */
export type FoundSubscription = Omit<Subscription, 'isFollowed' | 'graceEndsAtMs'> & { readonly createdAtMs: number };

/** @param graceMs How long the plan goes on while an invoice is open. */
export type LookedAt = { readonly nowMs: number; readonly graceMs: number };

/**
 * The one that counts: one that entitles to its plan, before one that may again, before one that has ended; and the newest
 * of those.
 *
 * @param known What was known until now, of one of them.
 */
export function governing(
  found: readonly FoundSubscription[],
  known: Subscription | null,
  at: LookedAt,
): FoundSubscription | null {
  const ranked = found.map((one) => ({ one, rank: rankOf(keptOf(known, one, at), at.nowMs) }));
  const [first] = ranked.sort(
    (a, b) => b.rank - a.rank || b.one.createdAtMs - a.one.createdAtMs || (a.one.id < b.one.id ? 1 : -1),
  );
  return first?.one ?? null;
}

function rankOf(subscription: Subscription, nowMs: number): number {
  if (standingOf(subscription, nowMs).kind === 'subscribed') return 3;
  if (isRunning(subscription)) return 2;
  return TREATMENTS[subscription.status] === 'ended' ? 1 : 0;
}

/**
 * What is kept of a subscription. Since when it is past due the processor says by its open invoices; where none is to be
 * seen, it is since when it was first known to be.
 */
export function keptOf(
  known: Subscription | null,
  found: FoundSubscription,
  { nowMs, graceMs }: LookedAt,
): Subscription {
  const { createdAtMs: _, ...kept } = found;
  if (found.status !== 'past_due') return { ...kept, isFollowed: true, pastDueSinceMs: null, graceEndsAtMs: null };
  const seenAtMs = known?.id === found.id ? known.pastDueSinceMs : null;
  const pastDueSinceMs = found.pastDueSinceMs ?? seenAtMs ?? nowMs;
  return { ...kept, isFollowed: true, pastDueSinceMs, graceEndsAtMs: pastDueSinceMs + graceMs };
}

/** What a subscription has come to, for a customer. */
export type Followed = {
  readonly customer: Customer;
  readonly subscription: Subscription | null;
  /** Since when the customer has the plan that it has now, if that is another: a new subscription is paid from its start. */
  readonly planSinceMs: number;
};

/**
 * Lets a customer follow its subscription.
 *
 * - It has the plan from now on, and where the subscription ends by itself (called off, or past due for longer than the
 *   grace) the default plan from then on, whether or not anybody tells of it then.
 * - Where it has ended, or is gone, the default plan from now on.
 * - Billing periods are counted from where the subscription's are.
 * - Where nothing of this is another than it was known to be, the customer stays as it is: also on a plan that
 *   somebody has given it by hand meanwhile.
 * - Where there is no such plan, it stays as it is until there is one, and follows then.
 *
 * Without a default plan nothing is there to fall back to, and the customer keeps the plan.
 *
 * @param known What was known of the subscription until now; null for nothing.
 * @param found The one that governs; null where the processor has none.
 */
export function follow(
  customer: Customer,
  known: Subscription | null,
  found: FoundSubscription | null,
  catalog: Catalog,
  at: LookedAt,
): Followed {
  const { nowMs } = at;
  const now = found ?? goneOf(known, nowMs);
  if (now === null) return { customer, subscription: known, planSinceMs: nowMs };
  const kept = keptOf(known, now, at);
  const [before, standing] = [standingOf(known, nowMs), standingOf(kept, nowMs)];
  const subscription = { ...kept, isFollowed: standing.kind !== 'subscribed' || catalog.plans.has(standing.planKey) };
  const anchored = isNewStart(known, subscription) ? withStart(customer, subscription) : customer;
  if (known?.isFollowed !== false && isSame(before, standing)) {
    return { customer: anchored, subscription, planSinceMs: nowMs };
  }
  const isNew = standing.kind === 'subscribed' && known?.id !== standing.id;
  return {
    customer: customerWith(anchored, standing, catalog, nowMs),
    subscription,
    planSinceMs: isNew ? Math.min(subscription.periodStartMs, nowMs) : nowMs,
  };
}

/** What was running and is nowhere to be found has ended. */
const goneOf = (known: Subscription | null, nowMs: number): FoundSubscription | null =>
  known && isRunning(known) ? { ...known, status: 'canceled', endedAtMs: nowMs, createdAtMs: 0 } : null;

const isNewStart = (known: Subscription | null, found: Subscription): boolean =>
  TREATMENTS[found.status] !== 'nothing' &&
  !(known?.anchorAtMs === found.anchorAtMs && TREATMENTS[known.status] !== 'nothing');

const withStart = (customer: Customer, { anchorAtMs }: Subscription): Customer => ({
  ...customer,
  anchorAtMs,
  anchorTimeZone: SUBSCRIPTION_TIME_ZONE,
});

function isSame(a: Standing, b: Standing): boolean {
  if (a.kind === 'none' || b.kind === 'none') return a.kind === b.kind;
  if (a.kind === 'ended' || b.kind === 'ended') return a.kind === b.kind && a.id === b.id;
  return a.id === b.id && a.planKey === b.planKey && a.untilMs === b.untilMs;
}

function customerWith(customer: Customer, standing: Standing, catalog: Catalog, nowMs: number): Customer {
  if (standing.kind === 'none') return customer;
  const fallback = catalog.defaultPlanKey === null ? undefined : livePlan(catalog, catalog.defaultPlanKey);
  if (standing.kind === 'ended') return fallback ? withPlanOnly(customer, fallback, nowMs) : customer;
  const plan = catalog.plans.get(standing.planKey);
  if (!plan) return customer;
  const { untilMs } = standing;
  const pendingPlan =
    untilMs === null || !fallback ? null : { planKey: fallback.key, planVersion: fallback.version, atMs: untilMs };
  return { ...withPlanOnly(customer, plan, nowMs), pendingPlan };
}

/** A customer who has the plan keeps the version that it has. */
function withPlanOnly(customer: Customer, { key, version }: Plan, nowMs: number): Customer {
  const held = currentPlanOf(customer, nowMs);
  return { ...customer, ...(held.planKey === key ? held : { planKey: key, planVersion: version }), pendingPlan: null };
}
