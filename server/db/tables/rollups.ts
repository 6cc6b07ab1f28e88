import { sql } from 'drizzle-orm';
import { bigint, check, index, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/**
 * What was used in a minute, written with the events it sums up: usage series and forecasts read nothing else.
 *
 * A minute is the finest bucket, and every local day, week and month begins with one, whatever the time zone.
 */
export const rollups = pgTable(
  'rollups',
  {
    customerId: uuid('customer_id').notNull(),
    featureKey: key('feature_key').notNull(),
    /** Start of the minute in which the use occurred. */
    minute: instant('minute').notNull(),
    /** Values of the feature's dimensions as canonical JSON, `{"model":"large"}`: `{}` for a feature without. */
    dimensions: key('dimensions').notNull(),
    /** What `cost` is in; empty where nothing had a price. Part of the key, for money of two currencies has no sum. */
    currency: key('currency').notNull().default(''),
    tenantId: tenantId(),
    events: bigint('events', { mode: 'bigint' }).notNull(),
    /** What the events added to their counters: below 0 where more was given back. */
    amount: units('amount').notNull(),
    /** What paid for the amount; the rest is included. */
    credits: units('credits').notNull(),
    wallet: units('wallet').notNull(),
    overage: units('overage').notNull(),
    /** What wallet and overage units cost, in minor units. */
    cost: units('cost').notNull(),
    /** The largest amount that an event reported. */
    largest: units('largest').notNull(),
  },
  (t) => [
    primaryKey({ name: 'rollups_pkey', columns: [t.customerId, t.featureKey, t.minute, t.dimensions, t.currency] }),
    index('rollups_tenant_feature_minute').on(t.tenantId, t.featureKey, t.minute),
    check('rollups_sum_up_events', sql`${t.events} > 0`),
  ],
);
