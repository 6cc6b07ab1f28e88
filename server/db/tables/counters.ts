import { sql } from 'drizzle-orm';
import { bigint, check, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/** The running total of a customer, feature and period. */
export const counters = pgTable(
  'counters',
  {
    customerId: uuid('customer_id').notNull(),
    featureKey: key('feature_key').notNull(),
    periodStart: instant('period_start').notNull(),
    /** Null when the counter never resets. */
    periodEnd: instant('period_end'),
    /** The rule that made the period; a feature whose rule changed opens a new one. */
    reset: text('reset').notNull(),
    tenantId: tenantId(),
    used: units('used').notNull(),
    /** The part of `used` that what is included did not cover. */
    overage: units('overage').notNull(),
    /** Keys of the thresholds raised in this period. */
    raised: text('raised').array().notNull(),
    /** The customer's sequence of the last change. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
  },
  (t) => [
    primaryKey({ name: 'counters_pkey', columns: [t.customerId, t.featureKey, t.periodStart] }),
    check('counters_period_is_half_open', sql`${t.periodEnd} > ${t.periodStart}`),
    check('counters_overage_is_part_of_used', sql`${t.overage} >= 0`),
  ],
);
