/**
 * subscription — what a customer may have by what it pays: which plan, counted from when, until when. Pure.
 *
 * A subscription is taken as the processor has it at this moment, never as a notice tells of it; so the order in which
 * notices come, and how often, changes nothing.
 */
import { type Customer, currentPlanOf } from './customer.ts';
import { type Catalog, livePlan, type Plan } from './plan.ts';

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
  /** Where its billing periods are counted from. */
  readonly anchorAtMs: number;
  readonly periodStartMs: number;
  readonly periodEndMs: number;
  /** When it ends because it was called off; null while it goes on. */
  readonly cancelsAtMs: number | null;
  readonly endedAtMs: number | null;
  /** Since when it has been past due; null while it is not. */
  readonly pastDueSinceMs: number | null;
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

export type StandingAt = { readonly nowMs: number; readonly graceMs: number };

export function standingOf(subscription: Subscription | null, { nowMs, graceMs }: StandingAt): Standing {
  if (subscription === null) return { kind: 'none' };
  const { id, status, planKey, cancelsAtMs, pastDueSinceMs } = subscription;
  const treatment = TREATMENTS[status];
  if (treatment === 'nothing') return { kind: 'none' };
  if (treatment === 'ended' || treatment === 'held_up') return { kind: 'ended', id };
  const untilMs = earliest(cancelsAtMs, treatment === 'grace' ? (pastDueSinceMs ?? nowMs) + graceMs : null);
  return untilMs !== null && untilMs <= nowMs ? { kind: 'ended', id } : { kind: 'subscribed', id, planKey, untilMs };
}

const earliest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b);

/** Whether it is paid for, or may be again: beside it, a second one would be paid twice. */
export const isRunning = ({ status }: Pick<Subscription, 'status'>): boolean =>
  TREATMENTS[status] === 'plan' || TREATMENTS[status] === 'grace' || TREATMENTS[status] === 'held_up';

const RANKS = { plan: 3, grace: 3, held_up: 2, ended: 1, nothing: 0 } as const;

/** One of a customer's subscriptions as it was found. */
export type FoundSubscription = Subscription & { readonly createdAtMs: number };

/** The one that counts: one that runs before one that has ended, and the newest of those. */
export function governing(found: readonly FoundSubscription[]): FoundSubscription | null {
  const rank = ({ status }: Subscription) => RANKS[TREATMENTS[status]];
  const [first] = [...found].sort(
    (a, b) => rank(b) - rank(a) || b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1),
  );
  return first ?? null;
}

/** What is kept of a subscription: that it is past due, since when it was first known to be. */
export function keptOf(known: Subscription | null, found: FoundSubscription, nowMs: number): Subscription {
  const { createdAtMs: _, ...kept } = found;
  if (found.status !== 'past_due') return { ...kept, pastDueSinceMs: null };
  const seenAtMs = known?.id === found.id ? known.pastDueSinceMs : null;
  return { ...kept, pastDueSinceMs: earliest(seenAtMs, found.pastDueSinceMs) ?? nowMs };
}

/** What a subscription has come to, for a customer. */
export type Followed = { readonly customer: Customer; readonly subscription: Subscription | null };

/**
 * Lets a customer follow its subscription.
 *
 * - It has the plan from now on, and where the subscription ends by itself (called off, or past due for longer than the
 *   grace) the default plan from then on, whether or not anybody tells of it then.
 * - Where it has ended, the default plan from now on.
 * - Billing periods are counted from where the subscription's are.
 * - Where nothing of this is another than it was known to be, the customer stays as it is: also on a plan that
 *   somebody has given it by hand meanwhile.
 *
 * Without a default plan nothing is there to fall back to, and the customer keeps the plan.
 *
 * @param known What was known of the subscription until now; null for nothing.
 */
export function follow(
  customer: Customer,
  known: Subscription | null,
  found: FoundSubscription | null,
  catalog: Catalog,
  at: StandingAt,
): Followed {
  if (found === null) return { customer, subscription: known };
  const subscription = keptOf(known, found, at.nowMs);
  const standing = standingOf(subscription, at);
  const anchored = isNewStart(known, subscription) ? withStart(customer, subscription) : customer;
  if (isSame(standingOf(known, at), standing)) return { customer: anchored, subscription };
  return { customer: customerWith(anchored, standing, catalog, at.nowMs), subscription };
}

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
