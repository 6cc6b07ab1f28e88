import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { DELIVERY_STATES } from '../../domain/webhook-endpoint.ts';
import { instant, tenantId } from './columns.ts';

/** One event on its way to one endpoint: what is to be done, and the log of what was. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    id: uuid('id').primaryKey(),
    tenantId: tenantId(),
    eventId: uuid('event_id').notNull(),
    endpointId: uuid('endpoint_id').notNull(),
    state: text('state', { enum: DELIVERY_STATES }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** While somebody is trying it: when others may, because nothing was heard of it. */
    nextAttemptAt: instant('next_attempt_at'),
    /** Names the try that is under way, so that one that was given up does not speak for the next. */
    lease: uuid('lease'),
    /** No try is later. */
    retryUntil: instant('retry_until').notNull(),
    lastStatus: integer('last_status'),
    lastError: text('last_error'),
    lastDurationMs: integer('last_duration_ms'),
    deliveredAt: instant('delivered_at'),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    unique('webhook_deliveries_endpoint_event').on(t.endpointId, t.eventId),
    index('webhook_deliveries_over').on(t.retryUntil),
    index('webhook_deliveries_event').on(t.eventId),
    index('webhook_deliveries_log').on(t.tenantId, t.endpointId, t.createdAt, t.id),
    index('webhook_deliveries_tenant_log').on(t.tenantId, t.createdAt, t.id),
    index('webhook_deliveries_due').on(t.endpointId, t.nextAttemptAt).where(sql`${t.state} = 'pending'`),
    index('webhook_deliveries_next').on(t.nextAttemptAt).where(sql`${t.state} = 'pending'`),
    check('webhook_deliveries_state_is_known', sql`${t.state} in ('pending', 'delivered', 'failed')`),
    check(
      'webhook_deliveries_pending_have_a_next_try',
      sql`(${t.state} = 'pending') = (${t.nextAttemptAt} is not null)`,
    ),
  ],
);
