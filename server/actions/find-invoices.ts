/** find-invoices — reads the invoices that were made, under row level security. */
import { invoiceByNumber, invoicesPage, linesOfInvoices } from '../db/queries/invoices.ts';
import { queryIn } from '../db/query-in.ts';
import type { InvoiceRecord, InvoiceRecordLine } from '../domain/invoice-record.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Deps } from './deps.ts';

type Reader = Pick<Deps, 'database'>;

/** The newest first: a customer's, or the whole tenant's. */
export const listInvoices = (
  { database }: Reader,
  tenantId: string,
  customerId: string | null,
  request: PageRequest<number>,
): Promise<Page<InvoiceRecord>> =>
  database.readAs(tenantId, (db) => invoicesPage(queryIn(db), tenantId, customerId, request));

export const findInvoice = ({ database }: Reader, tenantId: string, number: number): Promise<InvoiceRecord | null> =>
  database.readAs(tenantId, (db) => invoiceByNumber(queryIn(db), tenantId, number));

/** The lines of several invoices, in order. */
export const findInvoiceLines = (
  { database }: Reader,
  tenantId: string,
  invoices: readonly Pick<InvoiceRecord, 'customerId' | 'number'>[],
): Promise<readonly InvoiceRecordLine[]> =>
  database.readAs(tenantId, (db) => linesOfInvoices(queryIn(db), tenantId, invoices));
