import { sql } from 'drizzle-orm';
import { check, integer, jsonb, pgTable, primaryKey } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** What a plan says, as of one of its versions. Never updated, never deleted: customers stay on the version they have. */
export const planVersions = pgTable(
  'plan_versions',
  {
    tenantId: tenantId(),
    key: key('key').notNull(),
    version: integer('version').notNull(),
    /** Base prices; amounts are strings of minor units. */
    prices: jsonb('prices').notNull(),
    /** A list of `{ limit, windowMs }`, for all features together. */
    rateLimits: jsonb('rate_limits').notNull().default([]),
    /** `{ amount, currency }`, or null; the amount is a string of minor units. */
    spendLimit: jsonb('spend_limit'),
    /** How wallets behave, or null; amounts are strings of minor units. */
    wallet: jsonb('wallet'),
    /** Feature key → limit fields; decimals are strings. */
    features: jsonb('features').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'plan_versions_pkey', columns: [t.tenantId, t.key, t.version] }),
    check('plan_versions_count_from_one', sql`${t.version} >= 1`),
  ],
);
