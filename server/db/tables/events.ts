import { sql } from 'drizzle-orm';
import { bigint, index, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/**
 * One metered act. Append-only: a mistake is corrected by a later event, never by an update.
 *
 * An event takes the customer's next sequence. Two gateways that both thought they held the customer would take the
 * same one, so the primary key is the last guard against counting twice.
 *
 * In the database it is partitioned by `recorded_at`, a month each; the primary key is that of each month. See
 * server/db/event-months.ts.
 */
export const events = pgTable(
  'events',
  {
    customerId: uuid('customer_id').notNull(),
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
    tenantId: tenantId(),
    /** `use`, `record`, `commit`, `reversal`, `carry`, `reset`: see server/domain/event.ts. */
    kind: text('kind').notNull().default('use'),
    featureKey: key('feature_key').notNull(),
    /** Empty for the customer itself. */
    entityId: key('entity_id').notNull().default(''),
    /** The counter that this event went into, with customer and feature. */
    periodStart: instant('period_start').notNull(),
    /** As it was reported: an amount, or the level of a gauge. */
    reported: units('reported').notNull(),
    /** What it added to the counter. */
    amount: units('amount').notNull(),
    /** What paid for the amount; the rest is included. */
    credits: units('credits').notNull().default('0'),
    wallet: units('wallet').notNull().default('0'),
    overage: units('overage').notNull(),
    /** What wallet and overage units cost, in minor units of `currency`, and what of it the wallet has paid. */
    cost: units('cost').notNull().default('0'),
    walletCharge: units('wallet_charge').notNull().default('0'),
    currency: text('currency'),
    usedAfter: units('used_after').notNull(),
    /** The sequence of the event that this one reverses. */
    reverses: bigint('reverses', { mode: 'bigint' }),
    idempotencyKey: key('idempotency_key'),
    properties: jsonb('properties'),
    occurredAt: instant('occurred_at').notNull(),
    recordedAt: instant('recorded_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'events_pkey', columns: [t.customerId, t.sequence] }),
    index('events_reversals').on(t.customerId, t.reverses).where(sql`${t.reverses} IS NOT NULL`),
    index('events_tenant_recorded').on(t.tenantId, t.recordedAt),
  ],
);
