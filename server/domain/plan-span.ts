/** plan-span — which plan a customer has had since when, and which base prices come of that. Pure. */
import { type Customer, currentPlanOf } from './customer.ts';
import type { BaseCharge } from './invoice.ts';
import type { BillingInterval, Plan, PlanHeld, PlanPrice } from './plan.ts';
import type { BillingPeriod } from './proration.ts';

/** A plan that a customer has had since then, up to the next span. */
export type PlanSpan = PlanHeld & { readonly sinceMs: number };

type PlanOfCustomer = Pick<Customer, 'planKey' | 'planVersion' | 'pendingPlan'>;

/**
 * The spans that a change of a customer begins, in order of time; none where its plan stays.
 *
 * A pending change that has come due began one at its own time, whether or not anybody has noticed it until now.
 *
 * @param sinceMs Since when the customer has the plan that it has after it.
 */
export function spansOfChange(
  before: PlanOfCustomer,
  after: PlanOfCustomer,
  nowMs: number,
  sinceMs = nowMs,
): readonly PlanSpan[] {
  const [had, has] = [currentPlanOf(before, nowMs), currentPlanOf(after, nowMs)];
  const due = dueSpan(before, nowMs);
  return [...(due ? [due] : []), ...(isSame(had, has) ? [] : [{ ...has, sinceMs }])];
}

/**
 * All that is known of a customer's plans: what is stored, and what has come due since.
 *
 * @param stored In order of time. Where there is nothing, the customer has always had the plan that it has.
 */
export function knownSpans(stored: readonly PlanSpan[], customer: PlanOfCustomer, nowMs: number): readonly PlanSpan[] {
  const { planKey, planVersion } = customer;
  const known = stored.length > 0 ? stored : [{ planKey, planVersion, sinceMs: Number.NEGATIVE_INFINITY }];
  const due = dueSpan(customer, nowMs);
  return due ? [...known.filter(({ sinceMs }) => sinceMs < due.sinceMs), due] : known;
}

function dueSpan({ pendingPlan }: PlanOfCustomer, nowMs: number): PlanSpan | null {
  if (pendingPlan === null || pendingPlan.atMs > nowMs) return null;
  const { planKey, planVersion, atMs } = pendingPlan;
  return { planKey, planVersion, sinceMs: atMs };
}

const isSame = (a: PlanHeld, b: PlanHeld): boolean => a.planKey === b.planKey && a.planVersion === b.planVersion;

/**
 * The base prices of a billing period: each plan's for the part of it in which the customer had the plan.
 *
 * - What came before the first span is unknown, or before the customer was registered: the first plan is billed for it,
 *   so that whoever never changes plans pays the whole, wherever the billing periods are counted from.
 * - The last plan is billed to the end: an invoice of the running period is about all of it.
 * - Each plan has the first of its prices for the billing interval of the period; one that has none costs nothing here.
 * - Spans that follow each other at the same plan and price are one: another version is no other price.
 *
 * @param spans  In order of time; the first began before the period, or is the first of all.
 * @param planOf What holds for someone put on a plan. Where all customers of a version were moved to a later one, that is
 *   the later one for the whole period: when they were moved isn't in their history.
 */
export function baseChargesOf(
  spans: readonly PlanSpan[],
  period: BillingPeriod,
  interval: BillingInterval,
  planOf: (held: PlanHeld) => Plan | null,
): readonly BaseCharge[] {
  const parts = spans
    .map((span, i) => {
      const startMs = i === 0 ? period.startMs : Math.max(span.sinceMs, period.startMs);
      const endMs = Math.min(spans[i + 1]?.sinceMs ?? period.endMs, period.endMs);
      return { plan: planOf(span), applied: { startMs, endMs } };
    })
    .filter(({ applied }) => applied.startMs < applied.endMs)
    .map(({ plan, applied }) => ({ plan, price: plan && priceIn(plan, interval), applied }));
  return joined(parts).flatMap(({ plan, price, applied }) =>
    plan && price ? [{ planName: plan.displayName, price, period, applied }] : [],
  );
}

const priceIn = ({ prices }: Plan, interval: BillingInterval): PlanPrice | null =>
  prices.find((price) => price.interval === interval) ?? null;

type Part = { readonly plan: Plan | null; readonly price: PlanPrice | null; readonly applied: BillingPeriod };

function joined(parts: readonly Part[]): readonly Part[] {
  const all: Part[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (last && costsTheSame(last, part)) {
      all[all.length - 1] = { ...part, applied: { startMs: last.applied.startMs, endMs: part.applied.endMs } };
    } else {
      all.push(part);
    }
  }
  return all;
}

const costsTheSame = (a: Part, b: Part): boolean =>
  a.plan?.key === b.plan?.key && a.price?.amount === b.price?.amount && a.price?.currency === b.price?.currency;
