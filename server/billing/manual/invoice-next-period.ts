/**
 * invoice-next-period — makes the record of a customer's next billing period that is over: once, whoever else tries.
 *
 * All of it is one transaction under the lock of the customer's row: the invoice, its number, and how far the customer has
 * been invoiced. Two gateways come one after the other, and the second finds nothing to do; one that is killed has done
 * nothing.
 */
import type { Catalogs } from '../../db/catalogs.ts';
import type { Database, Db, Query } from '../../db/client.ts';
import { isDue, lockCustomer } from '../../db/queries/customers.ts';
import {
  type InvoicePosition,
  type InvoiceTurn,
  invoicedSinceMs,
  invoicePositionOf,
  lookAtInvoicesAgain,
  moveInvoicePosition,
  nextInvoiceNumbers,
} from '../../db/queries/invoice-positions.ts';
import { insertInvoice } from '../../db/queries/invoices.ts';
import { queryIn } from '../../db/query-in.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Customer } from '../../domain/customer.ts';
import { invoiceLeft } from '../../domain/invoice-left.ts';
import {
  type InvoicePeriod,
  invoicePeriodAround,
  invoicePeriodFrom,
  type PlanHistory,
} from '../../domain/invoice-period.ts';
import { isWorthAnInvoice } from '../../domain/invoice-record.ts';
import type { Catalog } from '../../domain/plan.ts';
import { billOf, planHistoryOf } from '../customer-bill.ts';

export type InvoicingDeps = {
  readonly database: Database;
  readonly catalogs: Catalogs;
  readonly clock: Clock;
  /** How long after its end a billing period is invoiced. */
  readonly finaliseAfterMs: number;
};

export type Invoiced =
  /** A period was gone through, and these invoices made of it: none where there was nothing to pay. */
  | { readonly kind: 'invoiced'; readonly numbers: readonly number[] }
  /** The next period is not over yet, or not for long enough. */
  | { readonly kind: 'waiting' }
  /** Something is due of the customer that belongs on the invoice: it is to be settled first. */
  | { readonly kind: 'unsettled'; readonly customer: Customer };

const DAY_MS = 86_400_000;
/** A plan that is saved anew for all who have it may end a billing period earlier, and nobody tells. */
const LOOK_AGAIN_MS = 7 * DAY_MS;
/** The longest billing period: so far back a plan may have begun that holds in it. */
const PERIOD_MS_MAX = 367 * DAY_MS;
/** Periods of features on one invoice: sixty that count by the hour fill a year with half a million. */
const PERIODS_MAX = 500_000;
const SPANS_MAX = 10_000;

export async function invoiceNextPeriod(deps: InvoicingDeps, turn: InvoiceTurn): Promise<Invoiced> {
  return deps.database.db.transaction((tx) => invoiceIn(tx, deps, turn));
}

async function invoiceIn(tx: Db, deps: InvoicingDeps, { tenantId, customerId }: InvoiceTurn): Promise<Invoiced> {
  const query = queryIn(tx);
  const nowMs = deps.clock.now();
  const customer = await lockCustomer(tx, tenantId, customerId);
  const position = await invoicePositionOf(query, { tenantId, customerId });
  const sinceMs = await invoicedSinceMs(query, tenantId);
  if (!customer || !position || sinceMs === null) return { kind: 'waiting' };
  const catalog = await deps.catalogs.current(query, tenantId);
  const { period, history, fromMs } = await nextPeriod(query, { customer, catalog, position, sinceMs, nowMs });
  const dueMs = period.endMs + deps.finaliseAfterMs;
  if (dueMs > nowMs) {
    await lookAtInvoicesAgain(query, customerId, Math.min(dueMs, nowMs + LOOK_AGAIN_MS));
    return { kind: 'waiting' };
  }
  if (await isDue(tx, customer, period.endMs)) return { kind: 'unsettled', customer };
  const from = { ...position, invoicedFromMs: fromMs };
  const numbers = await invoicePeriod(query, { customer, catalog, position: from, period, history, nowMs });
  const until = { invoicedFromMs: fromMs, invoicedUntilMs: period.endMs, sequence: customer.sequence };
  await moveInvoicePosition(query, customerId, until);
  return { kind: 'invoiced', numbers };
}

type Reading = {
  readonly customer: Customer;
  readonly catalog: Catalog;
  readonly position: InvoicePosition;
  readonly nowMs: number;
};

/** The one after the last; the first is the one that ran when the customer came, or when invoices began to be made. */
async function nextPeriod(query: Query, reading: Reading & { readonly sinceMs: number }) {
  const { customer, position, sinceMs, nowMs } = reading;
  const firstMs = Math.max(customer.createdAtMs, sinceMs);
  const startMs = position.invoicedUntilMs ?? firstMs - PERIOD_MS_MAX;
  const history = await planHistoryOf(query, reading, { startMs, endMs: nowMs + 1, nowMs, max: SPANS_MAX });
  const period =
    position.invoicedUntilMs === null
      ? invoicePeriodAround(firstMs, history)
      : invoicePeriodFrom(position.invoicedUntilMs, history);
  // Of one who was there before invoices were made, earlier periods are somebody else's to bill; of others, all are ours.
  const firstFromMs = customer.createdAtMs < sinceMs ? period.startMs : 0;
  return { period, history, fromMs: position.invoicedFromMs ?? firstFromMs };
}

async function invoicePeriod(
  query: Query,
  reading: Reading & { readonly period: InvoicePeriod; readonly history: PlanHistory },
): Promise<readonly number[]> {
  const { customer, period, nowMs } = reading;
  const { tenantId, id: customerId } = customer;
  const bill = await billOf(query, { ...reading, withRunning: false, max: PERIODS_MAX + 1 });
  if (bill.usage.length > PERIODS_MAX)
    throw new Error(`customer ${customerId} has more periods than fit on an invoice`);
  const parts = invoiceLeft(bill).parts.filter(isWorthAnInvoice);
  if (parts.length === 0) return [];
  const numbers = await nextInvoiceNumbers(query, tenantId, parts.length);
  for (const [i, part] of parts.entries()) {
    const number = numbers[i] ?? 0;
    await insertInvoice(query, { tenantId, customerId, number, part, period, issuedAtMs: nowMs });
  }
  return numbers;
}
