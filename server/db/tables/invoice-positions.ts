import { sql } from 'drizzle-orm';
import { bigint, check, index, pgTable, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId } from './columns.ts';

/** How far a customer has been invoiced. Written under the lock of the customer's row. */
export const invoicePositions = pgTable(
  'invoice_positions',
  {
    customerId: uuid('customer_id').primaryKey(),
    tenantId: tenantId(),
    /** Where the first billing period began that was invoiced: what counters say of periods before is not billed here. */
    invoicedFrom: instant('invoiced_from'),
    /** The end of the last billing period that was gone through, whether or not there was anything to pay; null for none. */
    invoicedUntil: instant('invoiced_until'),
    /** The customer's sequence at that time: counters that moved later may have to be billed again. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull().default(sql`0`),
    /** When it is to be looked at next. */
    lookAt: instant('look_at').notNull(),
  },
  (t) => [index('invoice_positions_due').on(t.lookAt)],
);

/** A tenant's invoices: how many there are, and since when they are made. The row is the lock under which numbers are given. */
export const invoiceBooks = pgTable(
  'invoice_books',
  {
    tenantId: uuid('tenant_id').primaryKey(),
    lastNumber: bigint('last_number', { mode: 'number' }).notNull().default(0),
    /** Billing periods that ended before are not invoiced. */
    since: instant('since').notNull(),
  },
  (t) => [check('invoice_books_count_up', sql`${t.lastNumber} >= 0`)],
);
