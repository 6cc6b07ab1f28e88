import { sql } from 'drizzle-orm';
import { boolean, check, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { Reset } from '../../domain/period.ts';
import { instant, key, tenantId } from './columns.ts';

/** What is metered. A removed feature is archived, never deleted: its history names it. */
export const features = pgTable(
  'features',
  {
    tenantId: tenantId(),
    key: key('key').notNull(),
    displayName: text('display_name').notNull(),
    unit: text('unit'),
    aggregation: text('aggregation', {
      enum: ['count', 'sum', 'max', 'unique', 'duration', 'latest', 'weighted_sum'],
    }).notNull(),
    /** The property whose distinct values `unique` counts. */
    of: text('of'),
    /** A name, or `every 6 hour`. */
    reset: text('reset').$type<Reset>().notNull(),
    anchor: text('anchor', { enum: ['calendar', 'subscription'] })
      .notNull()
      .default('calendar'),
    /** The feature's own limit fields; decimals are strings. */
    limits: jsonb('limits').notNull(),
    /** Properties by whose values the usage series can be grouped. */
    dimensions: text('dimensions').array().notNull().default([]),
    details: text('details').array().notNull(),
    /** The config file names it, as of the last start; once removed there, it is archived. */
    fromConfig: boolean('from_config').notNull().default(false),
    archivedAt: instant('archived_at'),
  },
  (t) => [
    primaryKey({ name: 'features_pkey', columns: [t.tenantId, t.key] }),
    check(
      'features_aggregation_is_known',
      sql`${t.aggregation} in ('count', 'sum', 'max', 'unique', 'duration', 'latest', 'weighted_sum')`,
    ),
    check('features_anchor_is_known', sql`${t.anchor} in ('calendar', 'subscription')`),
    check('features_unique_names_its_property', sql`(${t.aggregation} = 'unique') = (${t.of} is not null)`),
  ],
);
