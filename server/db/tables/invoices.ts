import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/** What a customer owes for a billing period that is over, in one currency. Only its status ever changes. */
export const invoices = pgTable(
  'invoices',
  {
    customerId: uuid('customer_id').notNull(),
    /** Counts the tenant's invoices from 1, without a gap: given under the lock of the tenant's book. */
    number: bigint('number', { mode: 'number' }).notNull(),
    tenantId: tenantId(),
    currency: text('currency').notNull(),
    periodStart: instant('period_start').notNull(),
    periodEnd: instant('period_end').notNull(),
    status: text('status', { enum: ['open', 'void'] })
      .notNull()
      .default('open'),
    /** Whole minor units. */
    total: units('total').notNull(),
    paidFromWallet: units('paid_from_wallet').notNull(),
    due: units('due').notNull(),
    issuedAt: instant('issued_at').notNull(),
    voidedAt: instant('voided_at'),
  },
  (t) => [
    primaryKey({ name: 'invoices_pkey', columns: [t.customerId, t.number] }),
    unique('invoices_once_a_period').on(t.customerId, t.periodStart, t.currency),
    index('invoices_tenant_number').on(t.tenantId, t.number),
    index('invoices_tenant_issued').on(t.tenantId, t.issuedAt, t.number),
    check('invoices_period_is_half_open', sql`${t.periodEnd} > ${t.periodStart}`),
    check('invoices_add_up', sql`${t.due} = ${t.total} - ${t.paidFromWallet}`),
    check(
      'invoices_are_whole',
      sql`${t.total} = trunc(${t.total}) AND ${t.paidFromWallet} = trunc(${t.paidFromWallet})`,
    ),
    check('invoices_status_is_known', sql`${t.status} in ('open', 'void')`),
    check('invoices_void_has_its_instant', sql`(${t.status} = 'void') = (${t.voidedAt} is not null)`),
  ],
);

/** The lines of an invoice. Never updated: what changes later is a line of a later invoice. */
export const invoiceLines = pgTable(
  'invoice_lines',
  {
    customerId: uuid('customer_id').notNull(),
    number: bigint('number', { mode: 'number' }).notNull(),
    /** From 1. */
    line: integer('line').notNull(),
    tenantId: tenantId(),
    currency: text('currency').notNull(),
    /** `base`, `overage`, `wallet`, `minimum`: see server/domain/invoice.ts. */
    kind: text('kind').notNull(),
    /** Whether it changes what an earlier invoice said of the same period. */
    adjustment: boolean('adjustment').notNull(),
    /** Null for a base price. */
    featureKey: key('feature_key'),
    description: text('description').notNull(),
    quantity: units('quantity').notNull(),
    unitAmount: units('unit_amount'),
    /** Whole minor units. */
    amount: units('amount').notNull(),
    /** What the line is for. */
    periodStart: instant('period_start').notNull(),
    periodEnd: instant('period_end'),
  },
  (t) => [
    primaryKey({ name: 'invoice_lines_pkey', columns: [t.customerId, t.number, t.line] }),
    index('invoice_lines_of_counter')
      .on(t.customerId, t.featureKey, t.periodStart)
      .where(sql`${t.featureKey} IS NOT NULL`),
    check('invoice_lines_are_whole', sql`${t.amount} = trunc(${t.amount})`),
    check('invoice_lines_count_from_one', sql`${t.line} >= 1`),
  ],
);
