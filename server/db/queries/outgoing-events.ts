/**
 * outgoing-events — writes down what happened for those who want to be told: once by its key, with a delivery for each
 * endpoint that listens. What nobody listens to is not kept.
 *
 * It is written with the fact itself, in one transaction, so that neither is without the other.
 */
import { uuidv7 } from 'uuidv7';
import { keptUntilMs, type Notice } from '../../domain/notice.ts';
import { RETRIED_FOR_MS } from '../../domain/retry.ts';
import type { Db, Parameter, Query } from '../client.ts';
import { queryIn } from '../query-in.ts';

/** @param tx The transaction that writes the fact; without one, the notice is written by itself. */
export const emit = (tx: Db, notice: Notice): Promise<void> => emitAll(queryIn(tx), [notice], notice.atMs);

/** Several at once, some of which may be known. @param nowMs When their deliveries are due. */
export async function emitAll(query: Query, notices: readonly Notice[], nowMs: number): Promise<void> {
  if (notices.length === 0) return;
  const params = [new Date(nowMs).toISOString(), ...noticeParams(notices)];
  await query({ text: EMIT, params });
}

/** As `emitAll`. @returns those that are kept, since now or since before: somebody listens to them, or did. */
export async function emitKept(query: Query, notices: readonly Notice[], nowMs: number): Promise<readonly Notice[]> {
  if (notices.length === 0) return [];
  const params = [new Date(nowMs).toISOString(), ...noticeParams(notices)];
  const kept = new Set((await query<{ known: string }>({ text: EMIT_AND_SAY, params })).map(({ known }) => known));
  return notices.filter(({ tenantId, dedupeKey }) => kept.has(`${tenantId} ${dedupeKey}`));
}

/** An array for each column that `emittedText` reads. */
export const noticeParams = (notices: readonly Notice[]): readonly Parameter[] => [
  notices.map(() => uuidv7()),
  notices.map(({ tenantId }) => tenantId),
  notices.map(({ type }) => type),
  notices.map(({ customer }) => customer?.customerId ?? null),
  notices.map(({ customer }) => customer?.referenceId ?? null),
  notices.map(({ data }) => JSON.stringify(data)),
  notices.map(({ dedupeKey }) => dedupeKey),
  notices.map(({ atMs }) => new Date(atMs).toISOString()),
  notices.map((notice) => isoOrNull(keptUntilMs(notice))),
];

const COLUMNS = ['id', 'tenant_id', 'type', 'customer_id', 'reference_id', 'data', 'dedupe_key', 'created_at'] as const;

/** An endpoint hears what happened since it was made, while it is not disabled. */
const LISTENS = (event: string) =>
  `e.tenant_id = ${event}.tenant_id::uuid AND e.disabled_at IS NULL AND ${event}.type = ANY (e.event_types)
      AND e.created_at <= ${event}.created_at::timestamptz`;

/**
 * Two parts of a `WITH`. In order of their keys, so that two transactions that tell of the same never wait for each other
 * in a circle.
 *
 * @param param The nth parameter of `noticeParams`.
 * @param now   SQL of the instant at which deliveries are due.
 */
export const emittedText = (param: (i: number) => string, now: string): string => `noticed AS (
    INSERT INTO outgoing_events (${COLUMNS.join(', ')}, kept_until)
    SELECT v.id::uuid, v.tenant_id::uuid, v.type, v.customer_id::uuid, v.reference_id, v.data::json, v.dedupe_key,
      v.created_at::timestamptz, v.kept_until::timestamptz
    FROM unnest(${Array.from({ length: 9 }, (_, i) => `${param(i)}::text[]`).join(', ')}) AS v (${COLUMNS.join(', ')}, kept_until)
    WHERE EXISTS (SELECT 1 FROM webhook_endpoints e WHERE ${LISTENS('v')})
    ORDER BY v.tenant_id, v.dedupe_key
    ON CONFLICT (tenant_id, dedupe_key) DO NOTHING
    RETURNING id, tenant_id, type, dedupe_key, created_at
  ), addressed AS (
    INSERT INTO webhook_deliveries (id, tenant_id, event_id, endpoint_id, state, next_attempt_at, retry_until, created_at)
    SELECT gen_random_uuid(), n.tenant_id, n.id, e.id, 'pending', ${now}, ${now} + interval '${RETRIED_FOR_MS} milliseconds', ${now}
    FROM noticed n JOIN webhook_endpoints e ON ${LISTENS('n')}
  )`;

const EMIT = `WITH ${emittedText((i) => `$${i + 2}`, '$1::timestamptz')} SELECT 1`;

/** The statement sees the rows of before alone, so those that it has just written are said apart. */
const EMIT_AND_SAY = `WITH ${emittedText((i) => `$${i + 2}`, '$1::timestamptz')}
  SELECT tenant_id || ' ' || dedupe_key AS known FROM noticed
  UNION ALL
  SELECT n.tenant_id || ' ' || n.dedupe_key
  FROM unnest($3::text[], $8::text[]) AS v (tenant_id, dedupe_key)
    JOIN outgoing_events n ON n.tenant_id = v.tenant_id::uuid AND n.dedupe_key = v.dedupe_key`;

const isoOrNull = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());
