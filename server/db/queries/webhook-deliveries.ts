/** webhook-deliveries — the log of what was sent and is to be sent: for lists, and to send it again. */
import { and, desc, eq, gte, type SQL, sql } from 'drizzle-orm';
import type { OutgoingEvent } from '../../domain/cloud-event.ts';
import { NOTICE_KEPT_MS } from '../../domain/notice.ts';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import { RETRIED_FOR_MS } from '../../domain/retry.ts';
import type { Delivery, DeliveryState } from '../../domain/webhook-endpoint.ts';
import type { Db } from '../client.ts';
import { outgoingEvents, webhookDeliveries } from '../tables/index.ts';

export type DeliveryFilter = {
  /** Null for all. */
  readonly endpointId: string | null;
  readonly state: DeliveryState | null;
};

/** By which a delivery is found again in a list. */
export type DeliveryPosition = { readonly createdAtMs: number; readonly id: string };

/** The newest first. */
export async function webhookDeliveriesPage(
  db: Db,
  tenantId: string,
  { endpointId, state }: DeliveryFilter,
  request: PageRequest<DeliveryPosition>,
): Promise<Page<Delivery>> {
  const rows = await selectDeliveries(db)
    .where(
      and(
        eq(webhookDeliveries.tenantId, tenantId),
        endpointId === null ? undefined : eq(webhookDeliveries.endpointId, endpointId),
        state === null ? undefined : eq(webhookDeliveries.state, state),
        request.after === null ? undefined : isBefore(request.after),
      ),
    )
    .orderBy(desc(webhookDeliveries.createdAt), desc(webhookDeliveries.id))
    .limit(rowsFor(request));
  return pageOf(rows.map(deliveryFromRow), request);
}

const isBefore = ({ createdAtMs, id }: DeliveryPosition): SQL =>
  sql`(${webhookDeliveries.createdAt}, ${webhookDeliveries.id}) < (${new Date(createdAtMs).toISOString()}::timestamptz, ${id}::uuid)`;

export async function webhookDelivery(db: Db, tenantId: string, id: string): Promise<Delivery | null> {
  const [row] = await selectDeliveries(db).where(
    and(eq(webhookDeliveries.tenantId, tenantId), eq(webhookDeliveries.id, id)),
  );
  return row ? deliveryFromRow(row) : null;
}

/** Sends it once more as if for the first time. */
export async function replay(db: Db, tenantId: string, id: string, nowMs: number): Promise<void> {
  await db
    .update(webhookDeliveries)
    .set(anew(nowMs))
    .where(and(eq(webhookDeliveries.tenantId, tenantId), eq(webhookDeliveries.id, id)));
}

/** All of an endpoint that have failed since then. @returns how many. */
export async function replayFailed(
  db: Db,
  tenantId: string,
  { endpointId, sinceMs }: { readonly endpointId: string; readonly sinceMs: number },
  nowMs: number,
): Promise<number> {
  const replayed = await db
    .update(webhookDeliveries)
    .set(anew(nowMs))
    .where(
      and(
        eq(webhookDeliveries.tenantId, tenantId),
        eq(webhookDeliveries.endpointId, endpointId),
        eq(webhookDeliveries.state, 'failed'),
        gte(webhookDeliveries.createdAt, new Date(sinceMs)),
      ),
    )
    .returning({ id: webhookDeliveries.id });
  return replayed.length;
}

const anew = (nowMs: number) => ({
  state: 'pending' as const,
  attempts: 0,
  nextAttemptAt: new Date(nowMs),
  lease: null,
  retryUntil: new Date(nowMs + RETRIED_FOR_MS),
  deliveredAt: null,
});

/** What is on its way to an endpoint has failed. */
export async function endPending(tx: Db, tenantId: string, endpointId: string, reason: string): Promise<void> {
  await tx
    .update(webhookDeliveries)
    .set({ state: 'failed', nextAttemptAt: null, lastError: sql`coalesce(${webhookDeliveries.lastError}, ${reason})` })
    .where(
      and(
        eq(webhookDeliveries.tenantId, tenantId),
        eq(webhookDeliveries.endpointId, endpointId),
        eq(webhookDeliveries.state, 'pending'),
      ),
    );
}

/** An event for one endpoint alone, whatever it listens to. @returns the id of its delivery. */
export async function sendOnly(tx: Db, event: OutgoingEvent, endpointId: string): Promise<string> {
  const { id, tenantId, type, referenceId, data, occurredAtMs } = event;
  const createdAt = new Date(occurredAtMs);
  const keptUntil = new Date(occurredAtMs + NOTICE_KEPT_MS);
  await tx
    .insert(outgoingEvents)
    .values({ id, tenantId, type, referenceId, data, dedupeKey: `test ${id}`, createdAt, keptUntil });
  const delivery = { tenantId, eventId: id, endpointId, createdAt, ...anew(occurredAtMs) };
  await tx.insert(webhookDeliveries).values({ ...delivery, id }); // it is alone
  return id;
}

const selectDeliveries = (db: Db) =>
  db
    .select({
      delivery: webhookDeliveries,
      type: outgoingEvents.type,
      referenceId: outgoingEvents.referenceId,
      data: outgoingEvents.data,
      occurredAt: outgoingEvents.createdAt,
    })
    .from(webhookDeliveries)
    .innerJoin(outgoingEvents, eq(outgoingEvents.id, webhookDeliveries.eventId));

type DeliveryRow = {
  readonly delivery: typeof webhookDeliveries.$inferSelect;
  readonly type: string;
  readonly referenceId: string | null;
  readonly data: unknown;
  readonly occurredAt: Date;
};

const deliveryFromRow = ({ delivery, type, referenceId, data, occurredAt }: DeliveryRow): Delivery => ({
  id: delivery.id,
  tenantId: delivery.tenantId,
  endpointId: delivery.endpointId,
  eventId: delivery.eventId,
  eventType: type,
  referenceId,
  data,
  occurredAtMs: occurredAt.getTime(),
  state: delivery.state,
  attempts: delivery.attempts,
  nextAttemptAtMs: delivery.nextAttemptAt?.getTime() ?? null,
  lastStatus: delivery.lastStatus,
  lastError: delivery.lastError,
  lastDurationMs: delivery.lastDurationMs,
  deliveredAtMs: delivery.deliveredAt?.getTime() ?? null,
  createdAtMs: delivery.createdAt.getTime(),
});
