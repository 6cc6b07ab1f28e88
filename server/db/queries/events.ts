/** events — rows of events in, domain values out. */
import { and, desc, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { UsageEvent } from '../../domain/event.ts';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Db } from '../client.ts';
import { customers, events } from '../tables/index.ts';

/** An event's identity. */
export type EventKey = { readonly customerId: string; readonly sequence: bigint };
/** Where an event stands in the list of all the tenant's events. */
export type EventPosition = EventKey & { readonly recordedAtMs: number };

export type EventFilter = {
  /** Null for all the tenant's customers. */
  readonly customerId: string | null;
  /** Null for all. */
  readonly featureKeys: readonly string[] | null;
};

/** Newest first: by sequence where they are one customer's, else by when they were recorded. */
export async function eventsPage(
  db: Db,
  tenantId: string,
  { customerId, featureKeys }: EventFilter,
  request: PageRequest<EventPosition>,
): Promise<Page<UsageEvent>> {
  const { after } = request;
  const rows = await selectEvents(db)
    .where(
      and(
        eq(events.tenantId, tenantId),
        customerId === null ? undefined : eq(events.customerId, customerId),
        featureKeys === null ? undefined : inArray(events.featureKey, [...featureKeys]),
        after === null ? undefined : isAfter(after, customerId),
      ),
    )
    .orderBy(...(customerId === null ? [desc(events.recordedAt), desc(events.customerId)] : []), desc(events.sequence))
    .limit(rowsFor(request));
  return pageOf(rows.map(eventFromRow), request);
}

export async function eventsByKey(db: Db, tenantId: string, keys: readonly EventKey[]): Promise<readonly UsageEvent[]> {
  const wanted = keys.map((key) => and(eq(events.customerId, key.customerId), eq(events.sequence, key.sequence)));
  const rows = await selectEvents(db).where(and(eq(events.tenantId, tenantId), or(...wanted)));
  return rows.map(eventFromRow);
}

const selectEvents = (db: Db) =>
  db
    .select({ event: events, referenceId: customers.referenceId })
    .from(events)
    .innerJoin(customers, eq(customers.id, events.customerId));

/** A comparison of rows, which an index serves as one range. */
function isAfter({ recordedAtMs, customerId, sequence }: EventPosition, ofCustomer: string | null): SQL {
  if (ofCustomer !== null) return sql`${events.sequence} < ${String(sequence)}::bigint`;
  const position = sql`(${new Date(recordedAtMs).toISOString()}::timestamptz, ${customerId}::uuid, ${String(sequence)}::bigint)`;
  return sql`(${events.recordedAt}, ${events.customerId}, ${events.sequence}) < ${position}`;
}

type EventRow = { readonly event: typeof events.$inferSelect; readonly referenceId: string };

const eventFromRow = ({ event, referenceId }: EventRow): UsageEvent => ({
  tenantId: event.tenantId,
  customerId: event.customerId,
  referenceId,
  sequence: event.sequence,
  featureKey: event.featureKey,
  amount: unitsOf(event.amount),
  usedAfter: unitsOf(event.usedAfter),
  overage: unitsOf(event.overage),
  period: { startMs: event.periodStart.getTime() },
  idempotencyKey: event.idempotencyKey,
  properties: event.properties,
  occurredAtMs: event.occurredAt.getTime(),
  recordedAtMs: event.recordedAt.getTime(),
});
