/** invoice-export — invoices as CSV, a line each of theirs, and as NDJSON, an invoice each. */
import type { Query } from '../db/client.ts';
import {
  type CountedInvoice,
  type InvoiceFilter,
  invoiceNumbersIn,
  invoicesMade,
  linesOfInvoices,
} from '../db/queries/invoices.ts';
import type { InvoiceRecord, InvoiceRecordLine } from '../domain/invoice-record.ts';
import { formatUnits } from '../domain/units.ts';
import { type Cell, csvLine } from './csv.ts';

/** Runs a read for the tenant, under row level security. */
export type ReadAs = <T>(work: (query: Query) => Promise<T>) => Promise<T>;

type ExportedLine = { readonly invoice: InvoiceRecord; readonly line: InvoiceRecordLine };

const INVOICES_AT_ONCE = 200;
const PAGE_LINES = 500;

/** Pages of lines in order of the invoices' numbers, each read when it is asked for. An invoice may go on over several. */
async function* pagesOf(read: ReadAs, filter: InvoiceFilter): AsyncGenerator<readonly ExportedLine[]> {
  const numbers = await read((query) => invoiceNumbersIn(query, filter));
  if (numbers === null) return;
  const { last } = numbers;
  let first = Math.max(numbers.first, (filter.afterNumber ?? 0) + 1);
  while (first <= last) {
    const from = first;
    const made = await read((query) => invoicesMade(query, filter, { first: from, last }, INVOICES_AT_ONCE));
    for (const few of togetherAtMost(made, PAGE_LINES)) yield* linesOf(read, filter.tenantId, few);
    const newest = made.at(-1);
    if (!newest || made.length < INVOICES_AT_ONCE) return;
    first = newest.invoice.number + 1;
  }
}

/** Side by side in groups that have so many lines together at most; one that has more is alone. */
function* togetherAtMost(made: readonly CountedInvoice[], lines: number): Generator<readonly CountedInvoice[]> {
  let few: CountedInvoice[] = [];
  let sum = 0;
  for (const counted of made) {
    if (few.length > 0 && sum + counted.lines > lines) {
      yield few;
      few = [];
      sum = 0;
    }
    few.push(counted);
    sum += counted.lines;
  }
  if (few.length > 0) yield few;
}

async function* linesOf(
  read: ReadAs,
  tenantId: string,
  few: readonly CountedInvoice[],
): AsyncGenerator<readonly ExportedLine[]> {
  const invoices = few.map(({ invoice }) => invoice);
  const byNumber = new Map(invoices.map((invoice) => [invoice.number, invoice]));
  let afterLine = 0;
  while (true) {
    const [from, max] = [afterLine, PAGE_LINES];
    const lines = await read((query) => linesOfInvoices(query, tenantId, invoices, { afterLine: from, max }));
    yield lines.flatMap((line) => {
      const invoice = byNumber.get(line.number);
      return invoice ? [{ invoice, line }] : [];
    });
    const last = lines.at(-1);
    if (!last || invoices.length > 1 || lines.length < max) return;
    afterLine = last.line;
  }
}

/** In this order, for good: a new column comes at the end. */
const COLUMNS: readonly (readonly [name: string, cell: (exported: ExportedLine) => Cell])[] = [
  ['number', ({ invoice }) => ({ exact: invoice.number })],
  ['status', ({ invoice }) => invoice.status],
  ['referenceId', ({ invoice }) => invoice.referenceId],
  ['currency', ({ invoice }) => invoice.currency],
  ['periodStart', ({ invoice }) => instant(invoice.period.startMs)],
  ['periodEnd', ({ invoice }) => instant(invoice.period.endMs)],
  ['issuedAt', ({ invoice }) => instant(invoice.issuedAtMs)],
  ['voidedAt', ({ invoice }) => instant(invoice.voidedAtMs)],
  ['total', ({ invoice }) => decimal(invoice.total.amount)],
  ['paidFromWallet', ({ invoice }) => decimal(invoice.paidFromWallet.amount)],
  ['due', ({ invoice }) => decimal(invoice.due.amount)],
  ['line', ({ line }) => ({ exact: line.line })],
  ['kind', ({ line }) => line.kind],
  ['adjustment', ({ line }) => ({ exact: String(line.isAdjustment ?? false) })],
  ['featureKey', ({ line }) => line.featureKey],
  ['description', ({ line }) => line.description],
  ['quantity', ({ line }) => decimal(line.quantity)],
  ['unitAmount', ({ line }) => decimal(line.unitAmount)],
  ['amount', ({ line }) => decimal(line.amount.amount)],
  ['linePeriodStart', ({ line }) => instant(line.period.startMs)],
  ['linePeriodEnd', ({ line }) => instant(line.period.endMs)],
];

const decimal = (units: bigint | null): Cell => (units === null ? null : { exact: formatUnits(units) });
const instant = (ms: number | null): Cell => (ms === null ? null : { exact: new Date(ms).toISOString() });

export async function* invoicesCsv(read: ReadAs, filter: InvoiceFilter): AsyncGenerator<string> {
  yield csvLine(COLUMNS.map(([name]) => name));
  for await (const lines of pagesOf(read, filter)) {
    yield lines.map((exported) => csvLine(COLUMNS.map(([, cell]) => cell(exported)))).join('');
  }
}

/** An invoice that has more lines than a page is begun with the first and ended with the last of them. */
export async function* invoicesNdjson(read: ReadAs, filter: InvoiceFilter): AsyncGenerator<string> {
  let open: number | null = null;
  for await (const lines of pagesOf(read, filter)) {
    let text = '';
    for (const { invoice, line } of lines) {
      if (invoice.number === open) text += `,${lineJson(line)}`;
      else text += `${open === null ? '' : END}${beginningOf(invoice)}${lineJson(line)}`;
      open = invoice.number;
    }
    if (text !== '') yield text;
  }
  if (open !== null) yield END;
}

const END = ']}\n';

/** All but its lines, up to where they begin. */
function beginningOf(invoice: InvoiceRecord): string {
  const told = {
    number: invoice.number,
    status: invoice.status,
    referenceId: invoice.referenceId,
    currency: invoice.currency,
    period: periodOf(invoice.period),
    issuedAt: isoOf(invoice.issuedAtMs),
    voidedAt: isoOf(invoice.voidedAtMs),
    total: formatUnits(invoice.total.amount),
    paidFromWallet: formatUnits(invoice.paidFromWallet.amount),
    due: formatUnits(invoice.due.amount),
  };
  return `${JSON.stringify(told).slice(0, -1)},"lines":[`;
}

const lineJson = (line: InvoiceRecordLine): string =>
  JSON.stringify({
    line: line.line,
    kind: line.kind,
    adjustment: line.isAdjustment ?? false,
    featureKey: line.featureKey,
    description: line.description,
    quantity: formatUnits(line.quantity),
    unitAmount: line.unitAmount === null ? null : formatUnits(line.unitAmount),
    amount: formatUnits(line.amount.amount),
    period: periodOf(line.period),
  });

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
const periodOf = ({ startMs, endMs }: { readonly startMs: number; readonly endMs: number | null }) => ({
  start: isoOf(startMs),
  end: isoOf(endMs),
});
