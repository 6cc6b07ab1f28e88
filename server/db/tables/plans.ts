import { sql } from 'drizzle-orm';
import { boolean, check, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** A named set of limits per feature. `version` counts its changes. */
export const plans = pgTable(
  'plans',
  {
    tenantId: tenantId(),
    key: key('key').notNull(),
    displayName: text('display_name').notNull(),
    version: integer('version').notNull(),
    /** Base prices; amounts are strings of minor units. */
    prices: jsonb('prices').notNull(),
    /** `{ limit, windowMs }`, or null. */
    rateLimit: jsonb('rate_limit'),
    /** Feature key → limit fields; decimals are strings. */
    features: jsonb('features').notNull(),
    /** The config file names it, as of the last start; once removed there, it is archived. */
    fromConfig: boolean('from_config').notNull().default(false),
    archivedAt: instant('archived_at'),
  },
  (t) => [
    primaryKey({ name: 'plans_pkey', columns: [t.tenantId, t.key] }),
    check('plans_version_counts_from_one', sql`${t.version} >= 1`),
  ],
);
