import { sql } from 'drizzle-orm';
import { boolean, check, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** What is metered. A removed feature is archived, never deleted: its history names it. */
export const features = pgTable(
  'features',
  {
    tenantId: tenantId(),
    key: key('key').notNull(),
    displayName: text('display_name').notNull(),
    unit: text('unit'),
    aggregation: text('aggregation', { enum: ['count', 'sum'] }).notNull(),
    reset: text('reset', { enum: ['never', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'] }).notNull(),
    /** The feature's own limit fields; decimals are strings. */
    limits: jsonb('limits').notNull(),
    details: text('details').array().notNull(),
    /** The config file names it, as of the last start; once removed there, it is archived. */
    fromConfig: boolean('from_config').notNull().default(false),
    archivedAt: instant('archived_at'),
  },
  (t) => [
    primaryKey({ name: 'features_pkey', columns: [t.tenantId, t.key] }),
    check('features_aggregation_is_known', sql`${t.aggregation} in ('count', 'sum')`),
  ],
);
