/** void-invoice — says that nobody is to pay an invoice. It stays, with its number and its lines. */
import { invoiceByNumber, markVoid } from '../db/queries/invoices.ts';
import { queryIn } from '../db/query-in.ts';
import { invoiceNotFound } from '../domain/errors.ts';
import type { InvoiceRecord } from '../domain/invoice-record.ts';
import type { Deps } from './deps.ts';

/**
 * The first time stands; doing it again changes nothing. What it billed is not billed again: charge it otherwise, or let
 * it be.
 *
 * @throws {MeterError} `INVOICE_NOT_FOUND`
 */
export function voidInvoice(
  { database, clock }: Pick<Deps, 'database' | 'clock'>,
  tenantId: string,
  number: number,
): Promise<InvoiceRecord> {
  return database.db.transaction(async (tx) => {
    const query = queryIn(tx);
    await markVoid(query, tenantId, number, clock.now());
    const invoice = await invoiceByNumber(query, tenantId, number);
    if (!invoice) throw invoiceNotFound(number);
    return invoice;
  });
}
