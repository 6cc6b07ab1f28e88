import { sql } from 'drizzle-orm';
import { bigint, check, index, numeric, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/** The running total of a customer, feature and period; beside it that of each entity under the customer. */
export const counters = pgTable(
  'counters',
  {
    customerId: uuid('customer_id').notNull(),
    featureKey: key('feature_key').notNull(),
    /** Empty for the customer itself. */
    entityId: key('entity_id').notNull().default(''),
    periodStart: instant('period_start').notNull(),
    /** Null when the counter never resets. */
    periodEnd: instant('period_end'),
    /** The rule that made the period; a feature whose rule changed opens a new one. */
    reset: text('reset').notNull(),
    tenantId: tenantId(),
    used: units('used').notNull(),
    /** Reserved, and not used yet. */
    held: units('held').notNull().default('0'),
    /** The parts of `used` and `held` that credits, the wallet and the bill at the end pay for; the rest is included. */
    credits: units('credits').notNull().default('0'),
    wallet: units('wallet').notNull().default('0'),
    overage: units('overage').notNull(),
    /** Price of the wallet's and the overage's units, in minor units, and what of it the wallet has paid. */
    cost: units('cost').notNull().default('0'),
    walletCharge: units('wallet_charge').notNull().default('0'),
    /** ISO 4217 of both; null while nothing is priced. */
    currency: text('currency'),
    /** Of a gauge: its level, and since when. */
    level: units('level'),
    levelAt: instant('level_at'),
    /** Of a quantity held over time: billionths of units × milliseconds, until the end of the period. */
    area: numeric('area'),
    /** Marks of the thresholds raised in this period. */
    raised: text('raised').array().notNull(),
    /** The customer's sequence of the last change. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
    /** When the period was settled: `used` is its final total. */
    closedAt: instant('closed_at'),
    /** When late use changed the total of a closed period. */
    correctedAt: instant('corrected_at'),
  },
  (t) => [
    primaryKey({ name: 'counters_pkey', columns: [t.customerId, t.featureKey, t.entityId, t.periodStart] }),
    index('counters_open')
      .on(t.customerId, t.periodEnd)
      .where(sql`${t.closedAt} IS NULL AND ${t.periodEnd} IS NOT NULL`),
    index('counters_closed')
      .on(t.customerId, t.periodEnd, t.featureKey)
      .where(sql`${t.closedAt} IS NOT NULL AND ${t.entityId} = ''`),
    index('counters_of_entities')
      .on(t.customerId, t.featureKey, t.periodStart, t.entityId)
      .where(sql`${t.entityId} <> ''`),
    check('counters_period_is_half_open', sql`${t.periodEnd} > ${t.periodStart}`),
    check('counters_overage_is_part_of_used', sql`${t.overage} >= 0`),
    check('counters_parts_are_not_negative', sql`${t.held} >= 0 AND ${t.credits} >= 0 AND ${t.wallet} >= 0`),
  ],
);
