import { sql } from 'drizzle-orm';
import { index, pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** Notices that were received, for 30 days: each is handled once. Of all tenants together, and nobody's to read. */
export const stripeEvents = pgTable(
  'stripe_events',
  {
    id: text('id').primaryKey(),
    type: text('type').notNull(),
    receivedAt: instant('received_at').notNull(),
    /** Null until everything that it brings about is committed. */
    handledAt: instant('handled_at'),
  },
  (t) => [
    index('stripe_events_received').on(t.receivedAt),
    index('stripe_events_unhandled').on(t.receivedAt).where(sql`${t.handledAt} IS NULL`),
  ],
);

/** Up to when an account's notices have been looked through for those that never came. */
export const stripeSweeps = pgTable('stripe_sweeps', {
  /** The connected account; empty for the platform's own. */
  account: text('account').primaryKey(),
  sweptThrough: instant('swept_through').notNull(),
});
