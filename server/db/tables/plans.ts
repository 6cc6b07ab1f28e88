import { sql } from 'drizzle-orm';
import { boolean, check, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** A plan as people know it, and which of its versions are in force; what it says is in `plan_versions`. */
export const plans = pgTable(
  'plans',
  {
    tenantId: tenantId(),
    key: key('key').notNull(),
    displayName: text('display_name').notNull(),
    /** The newest version: what a customer gets who is put on the plan now. */
    version: integer('version').notNull(),
    /** Customers on an earlier version have this one all the same: they were moved when it was saved. */
    movedVersion: integer('moved_version').notNull().default(1),
    /** The config file names it, as of the last start; once removed there, it is archived. */
    fromConfig: boolean('from_config').notNull().default(false),
    archivedAt: instant('archived_at'),
  },
  (t) => [
    primaryKey({ name: 'plans_pkey', columns: [t.tenantId, t.key] }),
    check('plans_version_counts_from_one', sql`${t.version} >= 1`),
    check('plans_moved_version_is_one_of_them', sql`${t.movedVersion} between 1 and ${t.version}`),
  ],
);
