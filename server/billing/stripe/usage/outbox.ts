/** outbox — the rows in which counters wait to be told of, and how they become messages. */
import type { Query, Statement } from '../../../db/client.ts';
import { formatUnits, unitsOf } from '../../../domain/units.ts';
import type { Report, Reportable } from '../../../domain/usage-report.ts';
import { identifierOf, type MeterPeriod } from './identifier.ts';

export type OutboxRow = MeterPeriod &
  Reportable & {
    readonly tenantId: string;
    readonly messages: number;
    readonly moves: string;
  };

/** Units that are held are paid for like use, and may come back: they are told when they were used. */
export const HELD_OVERAGE = `coalesce((SELECT sum((r.split->>'overage')::numeric) FROM reservations r
    WHERE r.customer_id = o.customer_id AND r.feature_key = o.feature_key AND r.period_start = o.period_start AND r.state = 'open'), 0)`;

const DUE_ROWS = `
  SELECT o.customer_id, o.feature_key, o.period_start, o.period_end, o.tenant_id, o.overage::text AS overage, o.unpriced::text AS unpriced,
    o.reported::text AS reported, o.messages, o.moves::text AS moves, ${HELD_OVERAGE}::text AS held
  FROM usage_outbox o WHERE o.due_at <= $1::timestamptz ORDER BY o.due_at LIMIT $2::integer`;

/** Those whose window has closed, the first to close first. */
export async function dueRows(query: Query, nowMs: number, max: number): Promise<readonly OutboxRow[]> {
  const rows = await query<DueRow>({ text: DUE_ROWS, params: [isoOf(nowMs), max] });
  return rows.map((row) => ({
    customerId: row.customer_id,
    featureKey: row.feature_key,
    periodStartMs: row.period_start.getTime(),
    periodEndMs: row.period_end?.getTime() ?? null,
    tenantId: row.tenant_id,
    overage: unitsOf(row.overage),
    unpriced: unitsOf(row.unpriced),
    held: unitsOf(row.held),
    reported: unitsOf(row.reported),
    messages: row.messages,
    moves: row.moves,
  }));
}

type DueRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly period_start: Date;
  readonly period_end: Date | null;
  readonly tenant_id: string;
  readonly overage: string;
  readonly unpriced: string;
  readonly reported: string;
  readonly held: string;
  readonly messages: number;
  readonly moves: string;
};

/**
 * Units move from the rows into messages, all or none of a row by one statement. It waits for nobody, so nobody waits for it
 * in a circle: a row that is being written just now, or that another gateway has moved on, is left for the next run. What one
 * was given since it was read is for the next window.
 */
const MOVE = `
  WITH asked AS (
    SELECT v.customer_id::uuid, v.feature_key, v.period_start::timestamptz, v.messages::integer, v.moves::bigint, v.quantity::numeric,
      v.due_at::timestamptz, v.next_due_at::timestamptz, v.identifier
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
      AS v (customer_id, feature_key, period_start, messages, moves, quantity, due_at, next_due_at, identifier)
  ), locked AS MATERIALIZED (
    SELECT o.customer_id, o.feature_key, o.period_start, a.moves, a.quantity, a.due_at, a.next_due_at, a.identifier
    FROM usage_outbox o JOIN asked a USING (customer_id, feature_key, period_start)
    WHERE o.messages = a.messages FOR UPDATE OF o SKIP LOCKED
  ), moved AS (
    UPDATE usage_outbox o SET reported = o.reported + l.quantity, messages = o.messages + (l.quantity <> 0)::integer,
      due_at = CASE WHEN o.moves = l.moves THEN l.due_at ELSE l.next_due_at END
    FROM locked l WHERE o.customer_id = l.customer_id AND o.feature_key = l.feature_key AND o.period_start = l.period_start
    RETURNING o.customer_id, o.feature_key, o.period_start, o.messages, o.tenant_id, o.period_end, l.quantity, o.changed_at, l.identifier
  ), made AS (
    INSERT INTO usage_messages (customer_id, feature_key, period_start, number, tenant_id, period_end, quantity, used_at, created_at,
      identifier, next_attempt_at)
    SELECT customer_id, feature_key, period_start, messages, tenant_id, period_end, quantity, changed_at, $1::timestamptz, identifier, $1::timestamptz
    FROM moved WHERE quantity <> 0
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM moved)::integer AS moved, (SELECT count(*) FROM made)::integer AS made`;

/** What is to be told of a row, and when it is due again if it has changed meanwhile. */
export type Told = { readonly row: OutboxRow; readonly report: Report; readonly nextDueAtMs: number };

export type Moved = { readonly moved: number; readonly made: number };

export async function moveIntoMessages(query: Query, told: readonly Told[], nowMs: number): Promise<Moved> {
  const [counts] = await query<Moved>(moveStatement(told, nowMs));
  return counts ?? { moved: 0, made: 0 };
}

const moveStatement = (told: readonly Told[], nowMs: number): Statement => ({
  text: MOVE,
  params: [
    isoOf(nowMs),
    told.map(({ row }) => row.customerId),
    told.map(({ row }) => row.featureKey),
    told.map(({ row }) => isoOf(row.periodStartMs)),
    told.map(({ row }) => String(row.messages)),
    told.map(({ row }) => row.moves),
    told.map(({ report }) => formatUnits(report.quantity)),
    told.map(({ report: { dueAtMs } }) => (dueAtMs === null ? null : isoOf(dueAtMs))),
    told.map(({ nextDueAtMs }) => isoOf(nextDueAtMs)),
    told.map(({ row }) => identifierOf(row, row.messages + 1)),
  ],
});

export const isoOf = (atMs: number): string => new Date(atMs).toISOString();
