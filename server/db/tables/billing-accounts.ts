import { sql } from 'drizzle-orm';
import { bigint, boolean, index, integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** Who pays for a customer, and what the processor said of its subscription when it was last asked. */
export const billingAccounts = pgTable(
  'billing_accounts',
  {
    customerId: uuid('customer_id').primaryKey(),
    tenantId: tenantId(),
    stripeCustomerId: text('stripe_customer_id').notNull(),
    /** Null before there is a subscription. So are the others that tell of it. */
    stripeSubscriptionId: text('stripe_subscription_id'),
    status: text('status'),
    planKey: key('plan_key'),
    /** Not while there is no such plan here. */
    followed: boolean('followed').notNull().default(true),
    /** What its base price is charged for, and in what; null where nothing is known of it. */
    interval: text('interval'),
    currency: text('currency'),
    /** Where its billing periods are counted from. */
    anchorAt: instant('anchor_at'),
    periodStart: instant('period_start'),
    periodEnd: instant('period_end'),
    /** When it will end, or has ended, because somebody called it off. */
    cancelsAt: instant('cancels_at'),
    endedAt: instant('ended_at'),
    pastDueSince: instant('past_due_since'),
    /** Until when the plan goes on although it is not paid. */
    graceEndsAt: instant('grace_ends_at'),
    /** Top-ups in a row that the bank refused for now. */
    softDeclines: integer('soft_declines').notNull().default(0),
    /** Why nothing is charged by itself any more, until there is another payment method; null while it is. */
    topUpsStopped: text('top_ups_stopped'),
    /** The payment method that was charged last. */
    paymentMethodId: text('payment_method_id'),
    /** Another with every state that was applied: what was asked before the last one is old. */
    revision: bigint('revision', { mode: 'bigint' }).notNull().default(sql`0`),
    updatedAt: instant('updated_at').notNull(),
  },
  (t) => [
    uniqueIndex('billing_accounts_stripe_customer').on(t.stripeCustomerId),
    uniqueIndex('billing_accounts_tenant').on(t.tenantId, t.customerId),
    index('billing_accounts_not_followed').on(t.tenantId).where(sql`NOT ${t.followed}`),
  ],
);
