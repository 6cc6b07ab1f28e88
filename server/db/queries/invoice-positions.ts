/** invoice-positions — how far customers have been invoiced, and whose turn it is. */
import { sql } from 'drizzle-orm';
import type { Db, Query } from '../client.ts';
import { invoicePositions } from '../tables/index.ts';

type OfCustomer = { readonly tenantId: string; readonly customerId: string };

export type InvoicePosition = {
  /** Periods of features that ended by then are not billed; null before the first billing period was gone through. */
  readonly invoicedFromMs: number | null;
  /** The end of the last billing period that was gone through; null for none. */
  readonly invoicedUntilMs: number | null;
  /** The customer's sequence at that time. */
  readonly sequence: bigint;
};

/** Has a customer looked at by then at the latest; one that is new begins here. */
export async function lookAtInvoices(tx: Db, { tenantId, customerId }: OfCustomer, atMs: number): Promise<void> {
  await tx
    .insert(invoicePositions)
    .values({ customerId, tenantId, lookAt: new Date(atMs) })
    .onConflictDoUpdate({
      target: invoicePositions.customerId,
      set: { lookAt: sql`least(${invoicePositions.lookAt}, excluded.look_at)` },
    });
}

const READ = `
  SELECT invoiced_from, invoiced_until, sequence FROM invoice_positions WHERE customer_id = $1::uuid AND tenant_id = $2::uuid`;

export async function invoicePositionOf(
  query: Query,
  { tenantId, customerId }: OfCustomer,
): Promise<InvoicePosition | null> {
  const [row] = await query<PositionRow>({ text: READ, params: [customerId, tenantId] });
  if (!row) return null;
  return {
    invoicedFromMs: msOrNull(row.invoiced_from),
    invoicedUntilMs: msOrNull(row.invoiced_until),
    sequence: BigInt(row.sequence),
  };
}

/** One driver reads instants, the other their text. */
type Instant = Date | string;

const msOrNull = (at: Instant | null): number | null => (at === null ? null : new Date(at).getTime());

type PositionRow = {
  readonly invoiced_from: Instant | null;
  readonly invoiced_until: Instant | null;
  readonly sequence: string;
};

const MOVE = `
  UPDATE invoice_positions SET invoiced_from = $4::timestamptz, invoiced_until = $2::timestamptz, sequence = $3::bigint,
    look_at = $2::timestamptz
  WHERE customer_id = $1::uuid`;

/** Goes on behind a period; the next is looked at right away. */
export async function moveInvoicePosition(
  query: Query,
  customerId: string,
  {
    invoicedFromMs,
    invoicedUntilMs,
    sequence,
  }: { [Field in keyof InvoicePosition]: NonNullable<InvoicePosition[Field]> },
): Promise<void> {
  const [from, until] = [invoicedFromMs, invoicedUntilMs].map((ms) => new Date(ms).toISOString());
  await query({ text: MOVE, params: [customerId, until ?? '', String(sequence), from ?? ''] });
}

const POSTPONE = 'UPDATE invoice_positions SET look_at = $2::timestamptz WHERE customer_id = $1::uuid';

export async function lookAtInvoicesAgain(query: Query, customerId: string, atMs: number): Promise<void> {
  await query({ text: POSTPONE, params: [customerId, new Date(atMs).toISOString()] });
}

export type InvoiceTurn = { readonly tenantId: string; readonly customerId: string; readonly referenceId: string };

const TURNS = `
  SELECT p.customer_id, p.tenant_id, c.reference_id FROM invoice_positions p JOIN customers c ON c.id = p.customer_id
  WHERE p.look_at <= $1::timestamptz ORDER BY p.look_at LIMIT $2::integer`;

/** Customers to be looked at by now, those that have waited longest first. */
export async function invoiceTurns(query: Query, nowMs: number, max: number): Promise<readonly InvoiceTurn[]> {
  const rows = await query<TurnRow>({ text: TURNS, params: [new Date(nowMs).toISOString(), max] });
  return rows.map((row) => ({
    customerId: row.customer_id,
    tenantId: row.tenant_id,
    referenceId: row.reference_id,
  }));
}

type TurnRow = { readonly customer_id: string; readonly tenant_id: string; readonly reference_id: string };

const OPEN_BOOKS = `
  INSERT INTO invoice_books (tenant_id, since) SELECT id, $1::timestamptz FROM tenants ON CONFLICT (tenant_id) DO NOTHING`;

/** Begins the book of each tenant that has none: what ended before now is not invoiced. */
export async function openInvoiceBooks(query: Query, nowMs: number): Promise<void> {
  await query({ text: OPEN_BOOKS, params: [new Date(nowMs).toISOString()] });
}

const SINCE = 'SELECT since FROM invoice_books WHERE tenant_id = $1::uuid';

export async function invoicedSinceMs(query: Query, tenantId: string): Promise<number | null> {
  const [row] = await query<{ since: Date | string }>({ text: SINCE, params: [tenantId] });
  return row ? new Date(row.since).getTime() : null;
}

const NEXT_NUMBERS = `
  UPDATE invoice_books SET last_number = last_number + $2::integer WHERE tenant_id = $1::uuid RETURNING last_number`;

/** Takes the tenant's next numbers. They are given back if the transaction fails, since others wait for it: no gap. */
export async function nextInvoiceNumbers(tx: Query, tenantId: string, count: number): Promise<readonly number[]> {
  const [row] = await tx<{ last_number: string }>({ text: NEXT_NUMBERS, params: [tenantId, count] });
  if (!row) throw new Error(`tenant ${tenantId} has no book of invoices`);
  return Array.from({ length: count }, (_, i) => Number(row.last_number) - count + 1 + i);
}
