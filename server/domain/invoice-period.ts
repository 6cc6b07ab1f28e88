/**
 * invoice-period — the stretches of time that a customer is invoiced for, one after the other. Pure.
 *
 * Each is a billing period of the plan's interval. One is cut short where a plan of another interval begins, and the next
 * goes on from there: so they lie side by side without gap or overlap, whatever the customer changes.
 */
import { billingPeriod } from './billing-period.ts';
import { anchorZoneOf, type Customer } from './customer.ts';
import type { BaseCharge } from './invoice.ts';
import type { BillingInterval, Plan, PlanHeld } from './plan.ts';
import { baseChargesOf, type PlanSpan } from './plan-span.ts';
import type { BillingPeriod } from './proration.ts';

export type InvoicePeriod = {
  readonly interval: BillingInterval;
  /** The billing period that base prices are of. */
  readonly whole: BillingPeriod;
  /** The part of it that is invoiced. */
  readonly startMs: number;
  readonly endMs: number;
};

/** What a customer's periods hang on. */
export type PlanHistory = {
  readonly customer: Pick<Customer, 'anchorAtMs' | 'anchorTimeZone' | 'timeZone'>;
  /** In order of time, at least one; the first holds for whatever was before it. */
  readonly spans: readonly PlanSpan[];
  readonly planOf: (held: PlanHeld) => Plan | null;
};

/** How often a plan is billed: by the interval of its first price, or monthly. */
export const intervalOf = (plan: Plan | null): BillingInterval => plan?.prices[0]?.interval ?? 'month';

/** The plan that was held at an instant. */
export const spanAt = (spans: readonly PlanSpan[], atMs: number): PlanSpan | undefined =>
  spans.findLast(({ sinceMs }) => sinceMs <= atMs) ?? spans[0];

/** The period that begins at an instant: where the one before ended. */
export function invoicePeriodFrom(startMs: number, { customer, spans, planOf }: PlanHistory): InvoicePeriod {
  const held = spanAt(spans, startMs);
  const interval = intervalOf(held ? planOf(held) : null);
  const whole = billingPeriod(interval, customer.anchorAtMs, anchorZoneOf(customer), startMs);
  const changed = spans.find(
    (span) => span.sinceMs > startMs && span !== held && intervalOf(planOf(span)) !== interval,
  );
  return { interval, whole, startMs, endMs: Math.min(changed?.sinceMs ?? whole.endMs, whole.endMs) };
}

/** The period around an instant, for one of whom no period was invoiced yet. */
export function invoicePeriodAround(atMs: number, history: PlanHistory): InvoicePeriod {
  const { customer, spans, planOf } = history;
  const held = spanAt(spans, atMs);
  const interval = intervalOf(held ? planOf(held) : null);
  const whole = billingPeriod(interval, customer.anchorAtMs, anchorZoneOf(customer), atMs);
  const upTo = spans.filter((span) => span === held || span.sinceMs <= atMs);
  const other = upTo.findLastIndex((span) => intervalOf(planOf(span)) !== interval);
  const since = other === -1 ? whole.startMs : (upTo[other + 1]?.sinceMs ?? whole.startMs);
  return invoicePeriodFrom(Math.max(whole.startMs, since), history);
}

/** The base prices of a period: each plan's for the part of it in which the customer had the plan. */
export function baseChargesIn(
  { interval, whole, startMs, endMs }: InvoicePeriod,
  { spans, planOf }: PlanHistory,
): readonly BaseCharge[] {
  return baseChargesOf(spans, whole, interval, planOf).flatMap((charge) => {
    const { applied } = charge;
    const clipped = {
      startMs: Math.max(applied?.startMs ?? whole.startMs, startMs),
      endMs: Math.min(applied?.endMs ?? whole.endMs, endMs),
    };
    return clipped.startMs < clipped.endMs ? [{ ...charge, applied: clipped }] : [];
  });
}
