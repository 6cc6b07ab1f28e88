import { sql } from 'drizzle-orm';
import { bigint, check, index, jsonb, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/**
 * One metered act. Append-only: a mistake is corrected by a later event, never by an update.
 *
 * An event takes the customer's next sequence. Two gateways that both thought they held the customer would take the
 * same one, so the primary key is the last guard against counting twice.
 */
export const events = pgTable(
  'events',
  {
    customerId: uuid('customer_id').notNull(),
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
    tenantId: tenantId(),
    featureKey: key('feature_key').notNull(),
    /** The counter that this event went into, with customer and feature. */
    periodStart: instant('period_start').notNull(),
    amount: units('amount').notNull(),
    overage: units('overage').notNull(),
    usedAfter: units('used_after').notNull(),
    idempotencyKey: key('idempotency_key'),
    properties: jsonb('properties'),
    occurredAt: instant('occurred_at').notNull(),
    recordedAt: instant('recorded_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'events_pkey', columns: [t.customerId, t.sequence] }),
    index('events_tenant_recorded').on(t.tenantId, t.recordedAt),
    check('events_amount_is_not_zero', sql`${t.amount} <> 0`),
  ],
);
