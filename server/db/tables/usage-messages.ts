import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/**
 * Units that the biller is told of, once. What a message says never changes; its state does. The customer, feature,
 * period and number are its name, and what its identifier is made of.
 */
export const usageMessages = pgTable(
  'usage_messages',
  {
    customerId: uuid('customer_id').notNull(),
    featureKey: key('feature_key').notNull(),
    periodStart: instant('period_start').notNull(),
    /** From 1, in the order of making. */
    number: integer('number').notNull(),
    tenantId: tenantId(),
    /** Null when the counter never resets. */
    periodEnd: instant('period_end'),
    /** Whole units; below 0 where more was told before than is to be billed by now. */
    quantity: units('quantity').notNull(),
    /** When the newest of the use happened that it tells of. */
    usedAt: instant('used_at').notNull(),
    createdAt: instant('created_at').notNull(),
    /** At most 100 characters. Another one after each `round`. */
    identifier: text('identifier').notNull(),
    /** How often an operator has had it sent anew, after the biller said that it does not count. */
    round: integer('round').notNull().default(0),
    state: text('state').notNull().default('waiting'),
    /** Why it waits or is dead: a word that stays the same, and a sentence. */
    reasonCode: text('reason_code'),
    reason: text('reason'),
    attempts: integer('attempts').notNull().default(0),
    /** Not to be tried before; of one that is on its way, when its sender is given up. */
    nextAttemptAt: instant('next_attempt_at').notNull(),
    /** Whose it is until then. */
    lease: uuid('lease'),
    /** When the last try began. */
    triedAt: instant('tried_at'),
    /** When the first of those tries began of which nobody knows what became. */
    unknownSince: instant('unknown_since'),
    /** At what instant, and whose, the biller counts it: as it was sent last. */
    countedAt: instant('counted_at'),
    stripeCustomerId: text('stripe_customer_id'),
    deliveredAt: instant('delivered_at'),
    /** When somebody was told that it is late, or dead. */
    toldAt: instant('told_at'),
  },
  (t) => [
    primaryKey({ name: 'usage_messages_pkey', columns: [t.customerId, t.featureKey, t.periodStart, t.number] }),
    index('usage_messages_due').on(t.nextAttemptAt).where(sql`${t.state} in ('waiting', 'sent')`),
    index('usage_messages_open')
      .on(t.customerId, t.featureKey, t.periodStart, t.number)
      .where(sql`${t.state} in ('waiting', 'sent')`),
    index('usage_messages_dead').on(t.tenantId, t.createdAt).where(sql`${t.state} = 'dead'`),
    index('usage_messages_untold').on(t.createdAt).where(sql`${t.toldAt} IS NULL AND ${t.state} <> 'delivered'`),
    index('usage_messages_identifier').on(t.identifier),
    index('usage_messages_counted').on(t.customerId, t.featureKey, t.countedAt).where(sql`${t.countedAt} IS NOT NULL`),
    index('usage_messages_delivered').on(t.deliveredAt).where(sql`${t.state} = 'delivered'`),
    check('usage_messages_state_is_known', sql`${t.state} in ('waiting', 'sent', 'delivered', 'dead')`),
    check('usage_messages_quantity_is_whole', sql`${t.quantity} <> 0 AND ${t.quantity} = trunc(${t.quantity})`),
    check('usage_messages_identifier_fits', sql`length(${t.identifier}) <= 100`),
  ],
);
