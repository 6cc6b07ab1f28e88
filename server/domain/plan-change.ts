/** plan-change — which way a change of plan goes, and when it takes effect. */
import { billingPeriod } from './billing-period.ts';
import { anchorZoneOf, type Customer, currentPlanOf } from './customer.ts';
import type { ExistingCustomers } from './definitions.ts';
import { type BillingInterval, type Catalog, type Plan, type PlanPrice, planOfCustomer } from './plan.ts';

export const PLAN_CHANGES = ['immediately', 'at_renewal'] as const;
/** `at_renewal` is the end of the billing period. */
export type PlanChange = (typeof PLAN_CHANGES)[number];

export type PlanDirection = 'upgrade' | 'equal' | 'downgrade' | 'unknown';

/** A plan without a base price renews as use is billed. */
const INTERVAL_WITHOUT_PRICE: BillingInterval = 'month';

/** How often each interval comes in the 400 years after which the calendar repeats: so prices compare exactly. */
const TIMES_IN_400_YEARS: Readonly<Record<BillingInterval, bigint>> = {
  day: 146_097n,
  week: 20_871n,
  month: 4_800n,
  year: 400n,
};

/**
 * Compares what two plans cost a month before any use. A plan has the first of its base prices, and one without costs
 * nothing; nothing is as much in every currency.
 *
 * @param from Null for a customer without a plan, which is neither more nor less than any: `unknown`.
 * @returns `unknown` also where the other plan has no price in the currency of the first one.
 */
export function directionOf(from: Plan | null, to: Plan): PlanDirection {
  if (from === null) return 'unknown';
  const price = from.prices[0] ?? null;
  const other = counterpartOf(price, to);
  if (other === undefined) return 'unknown';
  const difference = costOf(other) - costOf(price);
  if (difference === 0n) return 'equal';
  return difference > 0n ? 'upgrade' : 'downgrade';
}

/** What the other plan charges instead: in the same currency, and for as long a time if it can be had so. */
function counterpartOf(price: PlanPrice | null, { prices }: Plan): PlanPrice | null | undefined {
  if (price === null || price.amount === 0n || prices.length === 0) return prices[0] ?? null;
  const comparable = prices.filter(({ currency, amount }) => currency === price.currency || amount === 0n);
  return comparable.find(({ interval }) => interval === price.interval) ?? comparable[0];
}

const costOf = (price: PlanPrice | null): bigint =>
  price === null ? 0n : price.amount * TIMES_IN_400_YEARS[price.interval];

/** When a downgrade takes effect is the end of what was paid for; everything else is had at once. */
export const usualChange = (direction: PlanDirection): PlanChange =>
  direction === 'downgrade' ? 'at_renewal' : 'immediately';

/** The end of the billing period around an instant, counted from the customer's anchor by the interval of the plan. */
export function renewalOf(
  customer: Pick<Customer, 'anchorAtMs' | 'anchorTimeZone' | 'timeZone'>,
  plan: Plan | null,
  atMs: number,
): number {
  const interval = plan?.prices[0]?.interval ?? INTERVAL_WITHOUT_PRICE;
  return billingPeriod(interval, customer.anchorAtMs, anchorZoneOf(customer), atMs).endMs;
}

/**
 * The customer put on the newest version of a plan: at once, or with a change pending. Whatever was pending before is
 * called off.
 *
 * @param effective When; null for what is usual in that direction. A plan that the customer has already is kept at once.
 */
export function withPlan(
  customer: Customer,
  catalog: Catalog,
  wanted: Plan,
  effective: PlanChange | null,
  nowMs: number,
): Customer {
  const held = currentPlanOf(customer, nowMs);
  const current = planOfCustomer(catalog, { tenantId: customer.tenantId, ...held });
  const next = { planKey: wanted.key, planVersion: wanted.version };
  const isHeld = current?.key === wanted.key && current.version === wanted.version;
  const change = isHeld ? 'immediately' : (effective ?? usualChange(directionOf(current, wanted)));
  if (change === 'immediately') return { ...customer, ...next, pendingPlan: null };
  return { ...customer, ...held, pendingPlan: { ...next, atMs: renewalOf(customer, current, nowMs) } };
}

/**
 * The version that saving this plan moves earlier customers to.
 *
 * @param existing What whoever saves it says of them; not saying lets them stay.
 * @returns null where they stay, or where all of them have it already.
 */
export function moveTo(catalog: Catalog, plan: Plan, existing: ExistingCustomers | null | undefined): number | null {
  const movedBefore = catalog.planVersions.get(plan.key)?.movedVersion ?? 1;
  return existing === 'move' && movedBefore < plan.version ? plan.version : null;
}
