/** invoices — invoice records and their lines: written once, read by customer, by number and by time. */
import type { InvoiceLineKind, InvoicePart, UsageLineKind } from '../../domain/invoice.ts';
import type { CountedPeriod } from '../../domain/invoice-charges.ts';
import type { BilledLine } from '../../domain/invoice-left.ts';
import type { InvoiceRecord, InvoiceRecordLine, InvoiceStatus } from '../../domain/invoice-record.ts';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import { formatUnits, unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';

type OfCustomer = { readonly tenantId: string; readonly customerId: string };

const INSERT_INVOICE = `
  INSERT INTO invoices (customer_id, number, tenant_id, currency, period_start, period_end, total, paid_from_wallet, due, issued_at)
  VALUES ($1::uuid, $2::bigint, $3::uuid, $4::text, $5::timestamptz, $6::timestamptz, $7::numeric, $8::numeric, $9::numeric, $10::timestamptz)`;

/** One statement however many lines there are: they travel as JSON. */
const INSERT_LINES = `
  INSERT INTO invoice_lines (customer_id, number, line, tenant_id, currency, kind, adjustment, feature_key, description, quantity, unit_amount, amount, period_start, period_end)
  SELECT $1::uuid, $2::bigint, l.line, $3::uuid, $4::text, l.kind, l.adjustment, l.feature_key, l.description, l.quantity, l.unit_amount, l.amount, l.period_start, l.period_end
  FROM jsonb_to_recordset($5::text::jsonb) AS l (line integer, kind text, adjustment boolean, feature_key text, description text,
    quantity numeric, unit_amount numeric, amount numeric, period_start timestamptz, period_end timestamptz)`;

export type NewInvoice = OfCustomer & {
  readonly number: number;
  readonly part: InvoicePart;
  readonly period: { readonly startMs: number; readonly endMs: number };
  readonly issuedAtMs: number;
};

export async function insertInvoice(tx: Query, invoice: NewInvoice): Promise<void> {
  const { tenantId, customerId, number, part, period, issuedAtMs } = invoice;
  const { currency, total, paidFromWallet, due, lines } = part;
  const sums = [total, paidFromWallet, due].map(({ amount }) => formatUnits(amount));
  const times = [period.startMs, period.endMs].map(isoOf);
  const params = [customerId, number, tenantId, currency, ...times, ...sums, isoOf(issuedAtMs)];
  await tx({ text: INSERT_INVOICE, params });
  const rows = lines.map((line, i) => ({
    line: i + 1,
    kind: line.kind,
    adjustment: line.isAdjustment ?? false,
    feature_key: line.featureKey,
    description: line.description,
    quantity: formatUnits(line.quantity),
    unit_amount: line.unitAmount === null ? null : formatUnits(line.unitAmount),
    amount: formatUnits(line.amount.amount),
    period_start: isoOf(line.period.startMs),
    period_end: line.period.endMs === null ? null : isoOf(line.period.endMs),
  }));
  await tx({ text: INSERT_LINES, params: [customerId, number, tenantId, currency, JSON.stringify(rows)] });
}

const BILLED = `
  SELECT l.feature_key, l.period_start, l.kind, l.currency, sum(l.quantity)::text AS quantity, sum(l.amount)::text AS amount
  FROM jsonb_to_recordset($3::text::jsonb) AS c (feature_key text, period_start timestamptz)
  JOIN invoice_lines l ON l.customer_id = $1::uuid AND l.feature_key = c.feature_key COLLATE "C" AND l.period_start = c.period_start
  WHERE l.tenant_id = $2::uuid AND l.feature_key IS NOT NULL
  GROUP BY l.feature_key, l.period_start, l.kind, l.currency
  ORDER BY l.feature_key, l.period_start, l.kind, l.currency`;

/** What invoices have said of these periods, also those that are void. */
export async function billedLines(
  query: Query,
  { tenantId, customerId }: OfCustomer,
  periods: readonly CountedPeriod[],
): Promise<readonly BilledLine[]> {
  if (periods.length === 0) return [];
  const wanted = periods.map(({ featureKey, period }) => ({
    feature_key: featureKey,
    period_start: isoOf(period.startMs),
  }));
  const rows = await query<BilledRow>({ text: BILLED, params: [customerId, tenantId, JSON.stringify(wanted)] });
  return rows.map((row) => ({
    featureKey: row.feature_key,
    periodStartMs: msOf(row.period_start),
    kind: row.kind,
    currency: row.currency,
    quantity: unitsOf(row.quantity),
    amount: unitsOf(row.amount),
  }));
}

const COLUMNS_AND = `
  i.number, i.tenant_id, i.customer_id, c.reference_id, i.currency, i.period_start, i.period_end, i.status,
  i.total::text AS total, i.paid_from_wallet::text AS paid_from_wallet, i.due::text AS due, i.issued_at, i.voided_at,`;
const FROM_INVOICES = 'FROM invoices i JOIN customers c ON c.id = i.customer_id';
const INVOICES = `SELECT ${COLUMNS_AND} 0 AS lines ${FROM_INVOICES}`;

/** Two texts, since each goes by an index of its own. */
const PAGE_OF_TENANT = `
  ${INVOICES} WHERE i.tenant_id = $1::uuid AND i.number < $2::bigint ORDER BY i.number DESC LIMIT $3::integer`;
const PAGE_OF_CUSTOMER = `
  ${INVOICES} WHERE i.tenant_id = $1::uuid AND i.number < $2::bigint AND i.customer_id = $4::uuid
  ORDER BY i.number DESC LIMIT $3::integer`;

/** The newest first: a customer's, or all of the tenant. A position is a number. */
export async function invoicesPage(
  query: Query,
  tenantId: string,
  customerId: string | null,
  request: PageRequest<number>,
): Promise<Page<InvoiceRecord>> {
  const params = [tenantId, request.after ?? Number.MAX_SAFE_INTEGER, rowsFor(request)];
  const statement =
    customerId === null
      ? { text: PAGE_OF_TENANT, params }
      : { text: PAGE_OF_CUSTOMER, params: [...params, customerId] };
  const rows = await query<InvoiceRow>(statement);
  return pageOf(rows.map(invoiceFromRow), request);
}

const BY_NUMBER = `${INVOICES} WHERE i.tenant_id = $1::uuid AND i.number = $2::bigint`;

export async function invoiceByNumber(query: Query, tenantId: string, number: number): Promise<InvoiceRecord | null> {
  const [row] = await query<InvoiceRow>({ text: BY_NUMBER, params: [tenantId, number] });
  return row ? invoiceFromRow(row) : null;
}

const LINES = `
  SELECT l.number, l.line, l.currency, l.kind, l.adjustment, l.feature_key, l.description, l.quantity::text AS quantity,
    l.unit_amount::text AS unit_amount, l.amount::text AS amount, l.period_start, l.period_end
  FROM jsonb_to_recordset($2::text::jsonb) AS i (place integer, customer_id uuid, number bigint)
  CROSS JOIN LATERAL (
    SELECT * FROM invoice_lines l
    WHERE l.customer_id = i.customer_id AND l.number = i.number AND l.tenant_id = $1::uuid AND l.line > $3::integer
    ORDER BY l.line LIMIT $4::integer
  ) l
  ORDER BY i.place, l.line`;

/** The lines of several invoices, in their order: of each those after a line, at most `max`. */
export async function linesOfInvoices(
  query: Query,
  tenantId: string,
  invoices: readonly Pick<InvoiceRecord, 'customerId' | 'number'>[],
  { afterLine = 0, max = LINES_MAX }: { readonly afterLine?: number; readonly max?: number } = {},
): Promise<readonly InvoiceRecordLine[]> {
  const wanted = invoices.map(({ customerId, number }, place) => ({ place, customer_id: customerId, number }));
  const params = [tenantId, JSON.stringify(wanted), afterLine, max];
  const rows = await query<LineRow>({ text: LINES, params });
  return rows.map(lineFromRow);
}

/** More than any invoice has. */
const LINES_MAX = 2_147_483_647;

const VOID = `
  UPDATE invoices SET status = 'void', voided_at = $3::timestamptz
  WHERE tenant_id = $1::uuid AND number = $2::bigint AND status = 'open'`;

/** The first time stands. */
export async function markVoid(query: Query, tenantId: string, number: number, atMs: number): Promise<void> {
  await query({ text: VOID, params: [tenantId, number, isoOf(atMs)] });
}

export type InvoiceFilter = {
  readonly tenantId: string;
  /** Only those with a greater number; null for all. */
  readonly afterNumber: number | null;
  /** By when they were made, half-open; null is open on that side. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Null for all. */
  readonly status: InvoiceStatus | null;
};

/**
 * From which number to which they are: what an index by time says at once, however many invoices there are beside
 * them. OFFSET keeps the planner from looking for the first by number instead.
 */
const NUMBERS = `
  SELECT min(made.number) AS first, max(made.number) AS last FROM (
    SELECT number FROM invoices
    WHERE tenant_id = $1::uuid AND issued_at >= coalesce($2::timestamptz, '-infinity') AND issued_at < coalesce($3::timestamptz, 'infinity')
    OFFSET 0
  ) made`;

/** Numbers of invoices, both included. */
export type NumberRange = { readonly first: number; readonly last: number };

/** The numbers between which all lie that were made in a time; null where none was. */
export async function invoiceNumbersIn(
  query: Query,
  { tenantId, fromMs, toMs }: Pick<InvoiceFilter, 'tenantId' | 'fromMs' | 'toMs'>,
): Promise<NumberRange | null> {
  const times = [fromMs, toMs].map((ms) => (ms === null ? null : isoOf(ms)));
  const [row] = await query<{ first: string | null; last: string | null }>({
    text: NUMBERS,
    params: [tenantId, ...times],
  });
  return row?.first == null || row.last === null ? null : { first: Number(row.first), last: Number(row.last) };
}

/** A range of `invoices_tenant_number`, and of each invoice the last line. Said to be true, the time is no range of an index. */
const MADE = `
  SELECT ${COLUMNS_AND} (
    SELECT l.line FROM invoice_lines l WHERE l.customer_id = i.customer_id AND l.number = i.number ORDER BY l.line DESC LIMIT 1
  ) AS lines
  ${FROM_INVOICES}
  WHERE i.tenant_id = $1::uuid AND i.number >= $2::bigint AND i.number <= $3::bigint
    AND (i.issued_at >= coalesce($4::timestamptz, '-infinity') AND i.issued_at < coalesce($5::timestamptz, 'infinity')) IS TRUE
    AND ($6::text IS NULL OR i.status = $6::text)
  ORDER BY i.number LIMIT $7::integer`;

export type CountedInvoice = { readonly invoice: InvoiceRecord; readonly lines: number };

/** In order of their numbers, in which they came to be: whoever has seen one has seen all before it. At most `max`. */
export async function invoicesMade(
  query: Query,
  { tenantId, fromMs, toMs, status }: Omit<InvoiceFilter, 'afterNumber'>,
  { first, last }: NumberRange,
  max: number,
): Promise<readonly CountedInvoice[]> {
  const times = [fromMs, toMs].map((ms) => (ms === null ? null : isoOf(ms)));
  const rows = await query<InvoiceRow & { readonly lines: number | null }>({
    text: MADE,
    params: [tenantId, first, last, ...times, status, max],
  });
  return rows.map((row) => ({ invoice: invoiceFromRow(row), lines: row.lines ?? 0 }));
}

/** One driver reads instants, the other their text. */
type Instant = Date | string;

const msOf = (at: Instant): number => new Date(at).getTime();
const isoOf = (ms: number): string => new Date(ms).toISOString();

type BilledRow = {
  readonly feature_key: string;
  readonly period_start: Instant;
  readonly kind: UsageLineKind;
  readonly currency: string;
  readonly quantity: string;
  readonly amount: string;
};

type InvoiceRow = {
  readonly number: string;
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly reference_id: string;
  readonly currency: string;
  readonly period_start: Instant;
  readonly period_end: Instant;
  readonly status: InvoiceStatus;
  readonly total: string;
  readonly paid_from_wallet: string;
  readonly due: string;
  readonly issued_at: Instant;
  readonly voided_at: Instant | null;
};

type LineRow = {
  readonly number: string;
  readonly line: number;
  readonly currency: string;
  readonly kind: InvoiceLineKind;
  readonly adjustment: boolean;
  readonly feature_key: string | null;
  readonly description: string;
  readonly quantity: string;
  readonly unit_amount: string | null;
  readonly amount: string;
  readonly period_start: Instant;
  readonly period_end: Instant | null;
};

function invoiceFromRow(row: InvoiceRow): InvoiceRecord {
  const money = (text: string) => ({ amount: unitsOf(text), currency: row.currency });
  return {
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    referenceId: row.reference_id,
    number: Number(row.number),
    status: row.status,
    currency: row.currency,
    period: { startMs: msOf(row.period_start), endMs: msOf(row.period_end) },
    total: money(row.total),
    paidFromWallet: money(row.paid_from_wallet),
    due: money(row.due),
    issuedAtMs: msOf(row.issued_at),
    voidedAtMs: row.voided_at === null ? null : msOf(row.voided_at),
  };
}

const lineFromRow = (row: LineRow): InvoiceRecordLine => ({
  number: Number(row.number),
  line: row.line,
  kind: row.kind,
  description: row.description,
  featureKey: row.feature_key,
  quantity: unitsOf(row.quantity),
  unitAmount: row.unit_amount === null ? null : unitsOf(row.unit_amount),
  amount: { amount: unitsOf(row.amount), currency: row.currency },
  period: { startMs: msOf(row.period_start), endMs: row.period_end === null ? null : msOf(row.period_end) },
  ...(row.adjustment && { isAdjustment: true as const }),
});
