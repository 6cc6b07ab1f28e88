import { sql } from 'drizzle-orm';
import { bigint, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId, units } from './columns.ts';

/** Prepaid money of a customer in one currency, and what the customer has spent in the running month. */
export const wallets = pgTable(
  'wallets',
  {
    customerId: uuid('customer_id').notNull(),
    currency: text('currency').notNull(),
    tenantId: tenantId(),
    /** Null until money was put in: then the row only counts what is spent. */
    balance: units('balance'),
    /** The customer's own floor; null: the plan's. */
    floor: units('floor'),
    /** Cost of use beyond what is included, of all features, in the calendar month that began then. */
    spent: units('spent').notNull(),
    spentSince: instant('spent_since').notNull(),
    /** Top-ups asked of the biller in that month. */
    topUps: integer('top_ups').notNull().default(0),
    /** Set while a top-up is asked for and neither paid nor failed. */
    topUpAskedAt: instant('top_up_asked_at'),
    topUpFailedAt: instant('top_up_failed_at'),
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
  },
  (t) => [primaryKey({ name: 'wallets_pkey', columns: [t.customerId, t.currency] })],
);

/** Money that a wallet's rule asks the biller for; the row is settled when it was paid or failed. */
export const topUpRequests = pgTable(
  'top_up_requests',
  {
    customerId: uuid('customer_id').notNull(),
    /** The customer's sequence at which the wallet ran low. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
    tenantId: tenantId(),
    currency: text('currency').notNull(),
    amount: units('amount').notNull(),
    /** `asked`, `paid`, `failed`. */
    state: text('state').notNull(),
    askedAt: instant('asked_at').notNull(),
    settledAt: instant('settled_at'),
    /** The processor's id of the charge that was counted for it; null before one was. */
    paymentId: text('payment_id'),
  },
  (t) => [
    primaryKey({ name: 'top_up_requests_pkey', columns: [t.customerId, t.sequence, t.currency] }),
    index('top_up_requests_tenant').on(t.tenantId, t.askedAt, t.customerId, t.sequence),
    index('top_up_requests_asked').on(t.tenantId, t.askedAt, t.customerId, t.sequence).where(sql`${t.state} = 'asked'`),
  ],
);
