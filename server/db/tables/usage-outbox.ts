import { sql } from 'drizzle-orm';
import { bigint, check, index, integer, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/**
 * What each counter has to tell the biller: its overage, copied in the transaction that moved it, and what of that was put
 * into messages. See docs/decisions/0014-usage-outbox.md.
 */
export const usageOutbox = pgTable(
  'usage_outbox',
  {
    customerId: uuid('customer_id').notNull(),
    featureKey: key('feature_key').notNull(),
    periodStart: instant('period_start').notNull(),
    tenantId: tenantId(),
    /** Null when the counter never resets. */
    periodEnd: instant('period_end'),
    /** As the counter has it. */
    overage: units('overage').notNull(),
    /** The part of it that was used while it had no price: nobody is billed for that. */
    unpriced: units('unpriced').notNull().default('0'),
    /** Whole units that were put into messages. */
    reported: units('reported').notNull().default('0'),
    /** How many messages there are. */
    messages: integer('messages').notNull().default(0),
    /** Counts how often the counter was copied. */
    moves: bigint('moves', { mode: 'bigint' }).notNull().default(sql`1`),
    /** When it was copied last. */
    changedAt: instant('changed_at').notNull(),
    /** When the window closes in which it has changed; null while there is nothing to tell. */
    dueAt: instant('due_at'),
  },
  (t) => [
    primaryKey({ name: 'usage_outbox_pkey', columns: [t.customerId, t.featureKey, t.periodStart] }),
    index('usage_outbox_due').on(t.dueAt).where(sql`${t.dueAt} IS NOT NULL`),
    index('usage_outbox_tenant').on(t.tenantId, t.periodStart),
    check('usage_outbox_unpriced_is_part_of_overage', sql`${t.unpriced} between 0 and ${t.overage}`),
    check('usage_outbox_reported_is_whole', sql`${t.reported} = trunc(${t.reported})`),
  ],
);
