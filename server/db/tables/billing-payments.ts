import { sql } from 'drizzle-orm';
import { bigint, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId, units } from './columns.ts';

/** Money that came in for something prepaid, and what of it went back. */
export const billingPayments = pgTable(
  'billing_payments',
  {
    /** The processor's id of the payment. */
    paymentId: text('payment_id').primaryKey(),
    customerId: uuid('customer_id').notNull(),
    tenantId: tenantId(),
    /** `credit_pack`, `top_up`, `auto_top_up`. */
    purpose: text('purpose').notNull(),
    currency: text('currency').notNull(),
    /** In minor units. */
    amount: units('amount').notNull(),
    /** Of a credit pack: what it gave. */
    grantId: uuid('grant_id'),
    featureKey: text('feature_key'),
    /** Refunded and disputed, as the processor said last. */
    returned: units('returned').notNull().default('0'),
    /** What was taken back for that: money, or units of a credit pack. The rest had been used: nobody has it any more. */
    takenBack: units('taken_back').notNull().default('0'),
    /** `{ returned, amount }` of a taking back that has begun and may have happened; else null. */
    pendingReturn: jsonb('pending_return'),
    /** Another with every change. */
    revision: bigint('revision', { mode: 'bigint' }).notNull().default(sql`0`),
    paidAt: instant('paid_at').notNull(),
  },
  (t) => [index('billing_payments_customer').on(t.customerId, t.paidAt)],
);
