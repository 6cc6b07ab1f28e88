import { sql } from 'drizzle-orm';
import { bigint, boolean, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
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
    /** The version of the plan that the customer is on; null for the newest. */
    planVersion: integer('plan_version'),
    /** `{ planKey, planVersion, atMs }` of a change that waits for its time, or null. */
    pendingPlan: jsonb('pending_plan'),
    timeZone: text('time_zone').notNull(),
    /** Where periods that follow the customer's own start are counted from. */
    anchorAt: instant('anchor_at').notNull(),
    /** In which time zone they are: that of the subscription which they follow; null for the customer's. */
    anchorTimeZone: text('anchor_time_zone'),
    metadata: jsonb('metadata'),
    /** Feature key → own limit fields; decimals are strings. */
    overrides: jsonb('overrides').notNull().default({}),
    /** `[{ featureKey, untilMs }]`: alerts that are stored and not told. */
    mutes: jsonb('mutes').notNull().default([]),
    /** Another with every write of the row, so that whoever remembers the row can prove that it is still this one. */
    revision: bigint('revision', { mode: 'bigint' }).notNull().default(sql`0`),
    /** Counts the customer's recorded changes: gapless, in commit order. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull().default(sql`0`),
    /** The last sequence that changed every meter at once: plan, limits, time zone, wallet. */
    limitsSequence: bigint('limits_sequence', { mode: 'bigint' }).notNull().default(sql`0`),
    /** Open rate limit windows, `{ key: [start, calls] }`. */
    rateWindows: jsonb('rate_windows').notNull().default({}),
    /** Whether there ever was a grant or a wallet: without, a decision need not look for them. */
    prepaid: boolean('prepaid').notNull().default(false),
    /** When something is due next: a hold, a grant, the end of a period, a change of plan. */
    dueAt: instant('due_at'),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    index('customers_tenant_reference').on(t.tenantId, t.referenceId),
    index('customers_due').on(t.dueAt).where(sql`${t.dueAt} IS NOT NULL`),
  ],
);
