import { sql } from 'drizzle-orm';
import { bigint, boolean, check, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key } from './columns.ts';

/** The owner of everything below it. */
export const tenants = pgTable(
  'tenants',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    mode: text('mode', { enum: ['live', 'test'] }).notNull(),
    /** The connected account at Stripe that its customers pay into; null is the platform's own. */
    stripeAccount: text('stripe_account'),
    timeZone: text('time_zone').notNull().default('UTC'),
    defaultPlanKey: key('default_plan_key'),
    /** Counts changes to features and plans; a cached catalog holds as long as this number stands. */
    catalogVersion: bigint('catalog_version', { mode: 'number' }).notNull().default(0),
    /** Counts the tenant's alerts. Raised under the row's lock, so it is gapless and in commit order. */
    alertSequence: bigint('alert_sequence', { mode: 'bigint' }).notNull().default(sql`0`),
    /** Made by the demo: gentle traffic may be sent to its customers. */
    demo: boolean('demo').notNull().default(false),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [check('tenants_mode_is_known', sql`${t.mode} in ('live', 'test')`)],
);
