/** customer-bill — what a customer is to be billed, out of counters, plans and what was invoiced before. Reads; writes nothing. */
import type { Query } from '../db/client.ts';
import { billedPeriods } from '../db/queries/billed-periods.ts';
import type { InvoicePosition } from '../db/queries/invoice-positions.ts';
import { billedLines } from '../db/queries/invoices.ts';
import { planSpansIn } from '../db/queries/plan-spans.ts';
import type { Customer } from '../domain/customer.ts';
import type { BaseCharge, UsageCharge } from '../domain/invoice.ts';
import { chargesOf } from '../domain/invoice-charges.ts';
import type { BilledLine } from '../domain/invoice-left.ts';
import { baseChargesIn, type InvoicePeriod, type PlanHistory } from '../domain/invoice-period.ts';
import { atTerms, type Catalog, type PlanHeld, type PlanTerms, planOfCustomer } from '../domain/plan.ts';
import { knownSpans } from '../domain/plan-span.ts';

export type Bill = {
  readonly base: readonly BaseCharge[];
  readonly usage: readonly UsageCharge[];
  readonly billed: readonly BilledLine[];
  readonly invoicedUntilMs: number | null;
};

export type BillOf = {
  readonly customer: Customer;
  readonly catalog: Catalog;
  readonly history: PlanHistory;
  readonly period: InvoicePeriod;
  /** How far the customer has been invoiced; null where nobody makes invoices. */
  readonly position: InvoicePosition | null;
  /** Whether periods that have not ended by the end of the bill are on it, too. */
  readonly withRunning: boolean;
  readonly nowMs: number;
  /** How many periods of features are read at most. */
  readonly max: number;
};

export type HistoryOf = Pick<BillOf, 'customer' | 'catalog'> & {
  /** What the customer's subscription says; left out or null: the first price of a plan is paid. */
  readonly terms?: PlanTerms | null;
};

/** The plans that a customer has had since an instant, and the one before; each at the price that is paid, where one is. */
export async function planHistoryOf(
  query: Query,
  { customer, catalog, terms }: HistoryOf,
  { startMs, endMs, nowMs, max }: { startMs: number; endMs: number; nowMs: number; max: number },
): Promise<PlanHistory> {
  const of = { tenantId: customer.tenantId, customerId: customer.id };
  const spans = knownSpans(await planSpansIn(query, of, { startMs, endMs }, max), customer, nowMs);
  const planOf = (held: PlanHeld) => {
    const plan = planOfCustomer(catalog, { tenantId: customer.tenantId, ...held });
    return plan && terms ? atTerms(plan, terms) : plan;
  };
  return { customer, spans, planOf };
}

export async function billOf(query: Query, bill: BillOf): Promise<Bill> {
  const { customer, catalog, history, period, position, withRunning, nowMs, max } = bill;
  const of = { tenantId: customer.tenantId, customerId: customer.id };
  const { invoicedFromMs = null, invoicedUntilMs = null } = position ?? {};
  const counted = await billedPeriods(query, {
    ...of,
    endedAfterMs: invoicedUntilMs === null ? (invoicedFromMs ?? period.startMs) : period.startMs,
    neverBeforeMs: invoicedFromMs ?? 0,
    changedAfter: invoicedUntilMs === null ? null : (position?.sequence ?? null),
    endedByMs: withRunning ? null : period.endMs,
    max,
  });
  const before = counted.filter(({ period: { endMs } }) => endMs === null || endMs <= (invoicedUntilMs ?? 0));
  return {
    base: baseChargesIn(period, history),
    usage: chargesOf(counted, { ...history, customer, catalog, atMs: Math.min(nowMs, period.endMs - 1) }),
    billed: invoicedUntilMs === null ? [] : await billedLines(query, of, before),
    invoicedUntilMs,
  };
}
