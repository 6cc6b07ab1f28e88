import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/**
 * Who uses. The row is also the lock: whatever changes a customer's state holds it.
 *
 * `id` is derived from tenant and reference, so the primary key keeps a reference unique in its tenant.
 */
export const customers = pgTable(
  'customers',
  {
    id: uuid('id').primaryKey(),
    tenantId: tenantId(),
    referenceId: key('reference_id').notNull(),
    referenceType: text('reference_type').notNull(),
    name: text('name'),
    email: text('email'),
    planKey: key('plan_key'),
    timeZone: text('time_zone').notNull(),
    metadata: jsonb('metadata'),
    /** Feature key → own limit fields; decimals are strings. */
    overrides: jsonb('overrides').notNull().default({}),
    /** Counts the customer's recorded changes: gapless, in commit order. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull().default(sql`0`),
    /** The last sequence that changed every meter at once: plan, limits, time zone. */
    limitsSequence: bigint('limits_sequence', { mode: 'bigint' }).notNull().default(sql`0`),
    /** The open rate limit window; null before the first call. */
    rateStartedAt: instant('rate_started_at'),
    rateCalls: integer('rate_calls').notNull().default(0),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [index('customers_tenant_reference').on(t.tenantId, t.referenceId)],
);
