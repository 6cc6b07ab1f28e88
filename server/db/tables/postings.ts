import { sql } from 'drizzle-orm';
import { bigint, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/**
 * What moved between accounts. The lines of one entry sum to zero in each commodity, a feature's units or a currency.
 *
 * "What paid for this event" is the lines of its sequence; "where did this grant go" is the lines of the grant.
 */
export const postings = pgTable(
  'postings',
  {
    customerId: uuid('customer_id').notNull(),
    /** The customer's sequence of the event or entry. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
    line: integer('line').notNull(),
    tenantId: tenantId(),
    /** What the entry is: see server/domain/posting.ts. */
    kind: text('kind').notNull(),
    account: text('account').notNull(),
    /** Which grant, for the account `grant`, and for what is held of it or used by what was. */
    grantId: uuid('grant_id'),
    /** A feature's key for units, a currency for money. */
    commodity: key('commodity').notNull(),
    featureKey: key('feature_key'),
    amount: units('amount').notNull(),
    recordedAt: instant('recorded_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'postings_pkey', columns: [t.customerId, t.sequence, t.line] }),
    index('postings_drawn').on(t.customerId, t.commodity, t.sequence).where(sql`${t.grantId} IS NOT NULL`),
    index('postings_grant').on(t.customerId, t.grantId, t.sequence).where(sql`${t.grantId} IS NOT NULL`),
  ],
);
