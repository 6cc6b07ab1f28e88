/** events — rows of events in, domain values out. */
import { and, desc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import { QueryBuilder } from 'drizzle-orm/pg-core';
import type { EventKind, UsageEvent } from '../../domain/event.ts';
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
  readonly kind: EventKind | null;
  /** When the use happened: from the one instant on, and before the other. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly idempotencyKey: string | null;
  /** JSON text of an object: events whose properties have all that is in it. */
  readonly properties: string | null;
};

/** What is recorded may lie ahead by minutes: an event that happened at an instant was recorded no earlier than this. */
const AHEAD_MAX_MS = 3_600_000;

/**
 * Newest first: by sequence where they are one customer's, else by when they were recorded.
 *
 * A page is read off `events_pkey` for one customer, and off `events_tenant_recorded` for all; of that, `fromMs` bounds
 * the range. The other filters pick among the rows on the way: an index more would cost each event that is written.
 */
export async function eventsPage(
  db: Db,
  tenantId: string,
  filter: EventFilter,
  request: PageRequest<EventPosition>,
): Promise<Page<UsageEvent>> {
  const { customerId } = filter;
  const { after } = request;
  const rows = await selectEvents(db)
    .where(
      and(
        eq(events.tenantId, tenantId),
        ...conditions(filter),
        after === null ? undefined : isAfter(after, customerId),
      ),
    )
    .orderBy(...(customerId === null ? [desc(events.recordedAt), desc(events.customerId)] : []), desc(events.sequence))
    .limit(rowsFor(request));
  return pageOf(rows.map(eventFromRow), request);
}

const conditions = (filter: EventFilter): readonly (SQL | undefined)[] => [
  ifGiven(filter.customerId, (id) => eq(events.customerId, id)),
  ifGiven(filter.featureKeys, (keys) => inArray(events.featureKey, [...keys])),
  ifGiven(filter.kind, (kind) => eq(events.kind, kind)),
  ifGiven(filter.fromMs, (fromMs) => gte(events.occurredAt, new Date(fromMs))),
  ifGiven(filter.fromMs, (fromMs) => gte(events.recordedAt, new Date(fromMs - AHEAD_MAX_MS))),
  ifGiven(filter.toMs, (toMs) => lt(events.occurredAt, new Date(toMs))),
  ifGiven(filter.idempotencyKey, (key) => eq(events.idempotencyKey, key)),
  ifGiven(filter.properties, (json) => sql`${events.properties} @> ${json}::text::jsonb`),
];

const ifGiven = <T>(value: T | null, condition: (value: T) => SQL): SQL | undefined =>
  value === null ? undefined : condition(value);

/** Each is looked up by itself, a month's primary key after the other: of a list, a planner may choose to read all events. */
export async function eventsByKey(db: Db, tenantId: string, keys: readonly EventKey[]): Promise<readonly UsageEvent[]> {
  if (keys.length === 0) return [];
  const wanted = sql`unnest(${textArray(keys.map((key) => key.customerId))}::uuid[], ${textArray(keys.map((key) => String(key.sequence)))}::bigint[]) AS wanted (customer_id, sequence)`;
  const event = new QueryBuilder()
    .select()
    .from(events)
    .where(
      sql`${events.customerId} = wanted.customer_id AND ${events.sequence} = wanted.sequence AND ${events.tenantId} = ${tenantId}`,
    )
    .limit(1)
    .as('event');
  const rows = await db
    .select()
    .from(wanted)
    .crossJoinLateral(event)
    .innerJoin(customers, eq(customers.id, event.customerId));
  return rows.map((row) => eventFromRow({ event: row.event, referenceId: row.customers.referenceId }));
}

/** As text: within a transaction the drivers differ in how they write an array. */
const textArray = (plain: readonly string[]): SQL => sql`${`{${plain.join()}}`}::text`;

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
  kind: event.kind as EventKind, // the batch writes no other
  featureKey: event.featureKey,
  entityId: event.entityId === '' ? null : event.entityId,
  reported: unitsOf(event.reported),
  amount: unitsOf(event.amount),
  usedAfter: unitsOf(event.usedAfter),
  credits: unitsOf(event.credits),
  wallet: unitsOf(event.wallet),
  overage: unitsOf(event.overage),
  cost: unitsOf(event.cost),
  walletCharge: unitsOf(event.walletCharge),
  currency: event.currency,
  reverses: event.reverses,
  period: { startMs: event.periodStart.getTime() },
  idempotencyKey: event.idempotencyKey,
  properties: event.properties,
  occurredAtMs: event.occurredAt.getTime(),
  recordedAtMs: event.recordedAt.getTime(),
});
