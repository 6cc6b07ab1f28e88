/**
 * leases — takes deliveries that are due, and writes down what came of them. Several gateways do so at once: each takes
 * others, and whatever a gateway that died had taken comes due again when its lease ends.
 */
import type { Query } from '../db/client.ts';
import type { StoredSecret } from '../db/tables/webhook-endpoints.ts';
import type { OutgoingEvent } from '../domain/cloud-event.ts';
import type { EndpointKind } from '../domain/webhook-endpoint.ts';
import type { WebhookSecret } from '../domain/webhook-secret.ts';

/** A delivery that is ours to try. */
export type Lease = {
  readonly deliveryId: string;
  readonly lease: string;
  /** With this one. */
  readonly attempts: number;
  readonly retryUntilMs: number;
  readonly endpointId: string;
  readonly kind: EndpointKind;
  readonly url: string;
  readonly secrets: readonly WebhookSecret[];
  readonly event: OutgoingEvent;
};

/** Longer than any try takes: 15 s for a webhook, 45 s for a mail. */
export const LEASE_MS = 60_000;

/** Of one endpoint at once, by one gateway; one that fails is tried with one at a time. */
export const PER_ENDPOINT_MAX = 4;
/** Of one tenant at once, by one gateway: many endpoints that hang take no other tenant's places. */
export const PER_TENANT_MAX = 32;
/** Of an endpoint that hears nothing any more, ended by one statement. */
const ENDED_MAX = 100;

/** Something is to be tried, now. */
const IS_DUE = `state = 'pending' AND next_attempt_at <= $1::timestamptz`;

/** What is due of an endpoint `e`, the oldest first. It is a range, so that it is read in the order of the index of both. */
const DUE_OF_ENDPOINT = `
        SELECT id, next_attempt_at FROM webhook_deliveries
        WHERE endpoint_id BETWEEN e.endpoint_id AND e.endpoint_id AND ${IS_DUE}
        ORDER BY endpoint_id, next_attempt_at`;

/**
 * The endpoints that something is on its way to, each with its oldest: from one to the next by the index, so that neither
 * what waits behind it nor those that hear of nothing are looked at. Where nothing is due, it is one look.
 */
const WAITING = `waiting AS (
    (SELECT endpoint_id, next_attempt_at FROM webhook_deliveries
      WHERE state = 'pending' AND (SELECT min(next_attempt_at) FROM webhook_deliveries WHERE state = 'pending') <= $1::timestamptz
      ORDER BY endpoint_id, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT d.endpoint_id, d.next_attempt_at FROM waiting w CROSS JOIN LATERAL (
      SELECT endpoint_id, next_attempt_at FROM webhook_deliveries
      WHERE state = 'pending' AND endpoint_id > w.endpoint_id ORDER BY endpoint_id, next_attempt_at LIMIT 1
    ) d
  )`;

/**
 * Each endpoint's own oldest, so that a queue of one is never in front of another's, and of all these the oldest, with a
 * share for each tenant. What was written for an endpoint while it was disabled or deleted has failed.
 */
const TAKE = `
  WITH RECURSIVE ${WAITING}, due_endpoints AS (
    SELECT w.endpoint_id, e.tenant_id, e.failing_since, e.id IS NULL OR e.disabled_at IS NOT NULL AS is_deaf,
      coalesce(e.disabled_reason, 'Its endpoint was deleted.') AS why
    FROM waiting w LEFT JOIN webhook_endpoints e ON e.id = w.endpoint_id WHERE w.next_attempt_at <= $1::timestamptz
  ), ended AS (
    UPDATE webhook_deliveries d
    SET state = 'failed', next_attempt_at = NULL, lease = NULL,
      last_error = coalesce(last_error, (SELECT why FROM due_endpoints e WHERE e.endpoint_id = d.endpoint_id))
    WHERE id = ANY (ARRAY(
      SELECT o.id FROM due_endpoints e CROSS JOIN LATERAL (${DUE_OF_ENDPOINT}
        LIMIT ${ENDED_MAX} FOR UPDATE SKIP LOCKED
      ) o WHERE e.is_deaf
    ))
  ), busy AS (
    SELECT v.endpoint_id::uuid, v.tries::integer, e.tenant_id FROM unnest($2::text[], $3::text[]) AS v (endpoint_id, tries)
      LEFT JOIN webhook_endpoints e ON e.id = v.endpoint_id::uuid
  ), due AS (
    SELECT d.id, d.next_attempt_at, e.tenant_id,
      row_number() OVER (PARTITION BY e.tenant_id ORDER BY d.next_attempt_at, d.id) AS position
    FROM due_endpoints e LEFT JOIN busy b ON b.endpoint_id = e.endpoint_id CROSS JOIN LATERAL (${DUE_OF_ENDPOINT}
        LIMIT greatest(CASE WHEN e.failing_since IS NULL THEN ${PER_ENDPOINT_MAX} ELSE 1 END - coalesce(b.tries, 0), 0)
    ) d
    WHERE NOT e.is_deaf
  ), oldest AS (
    SELECT id FROM due LEFT JOIN (SELECT tenant_id, sum(tries) AS tries FROM busy GROUP BY tenant_id) b USING (tenant_id)
    WHERE due.position <= ${PER_TENANT_MAX} - coalesce(b.tries, 0)
    ORDER BY next_attempt_at LIMIT $4::integer
  ), ours AS (
    SELECT id FROM webhook_deliveries WHERE id = ANY (ARRAY(SELECT id FROM oldest)) AND ${IS_DUE} FOR UPDATE SKIP LOCKED
  )
  UPDATE webhook_deliveries d
  SET lease = gen_random_uuid(), attempts = d.attempts + 1, next_attempt_at = $1::timestamptz + interval '${LEASE_MS} milliseconds'
  FROM webhook_endpoints e, outgoing_events n
  WHERE d.id = ANY (ARRAY(SELECT id FROM ours)) AND e.id = d.endpoint_id AND n.id = d.event_id
  RETURNING d.id, d.lease, d.attempts, d.retry_until, d.endpoint_id, e.kind, e.url, e.secrets, n.id AS event_id, n.tenant_id,
    n.type, n.reference_id, n.data, n.created_at`;

/** @param busy How many tries of each endpoint are under way here. @param max How many to take. */
export async function takeDue(
  query: Query,
  busy: ReadonlyMap<string, number>,
  max: number,
  nowMs: number,
): Promise<readonly Lease[]> {
  const params = [iso(nowMs), [...busy.keys()], [...busy.values()].map(String), max];
  return (await query<LeaseRow>({ text: TAKE, params })).map(leaseFromRow);
}

const DELIVERED = `
  WITH done AS (
    UPDATE webhook_deliveries
    SET state = 'delivered', next_attempt_at = NULL, lease = NULL, last_status = $3::integer, last_error = NULL,
      last_duration_ms = $4::integer, delivered_at = $5::timestamptz
    WHERE id = $1::uuid AND lease = $2::uuid RETURNING endpoint_id
  ), recovered AS (
    UPDATE webhook_endpoints e SET failing_since = NULL FROM done WHERE e.id = done.endpoint_id AND e.failing_since IS NOT NULL
  )
  SELECT count(*)::integer AS count FROM done`;

type Outcome = { readonly status: number | null; readonly durationMs: number; readonly nowMs: number };

/** @returns whether it was still ours. */
export async function markDelivered(
  query: Query,
  { deliveryId, lease }: Lease,
  { status, durationMs, nowMs }: Outcome,
): Promise<boolean> {
  const params = [deliveryId, lease, status, durationMs, iso(nowMs)];
  const [row] = await query<{ count: number }>({ text: DELIVERED, params });
  return row?.count === 1;
}

const FAILED = `
  WITH done AS (
    UPDATE webhook_deliveries
    SET state = CASE WHEN $6::timestamptz IS NULL THEN 'failed' ELSE 'pending' END, next_attempt_at = $6::timestamptz,
      lease = NULL, last_status = $3::integer, last_error = $7::text, last_duration_ms = $4::integer
    WHERE id = $1::uuid AND lease = $2::uuid AND state = 'pending' RETURNING endpoint_id
  )
  UPDATE webhook_endpoints e SET failing_since = coalesce(e.failing_since, $5::timestamptz)
  FROM done WHERE e.id = done.endpoint_id
  RETURNING e.failing_since`;

/** @param nextMs Null where there is no other try. @returns since when every try has failed; null if it was no longer ours. */
export async function markFailed(
  query: Query,
  { deliveryId, lease }: Lease,
  { status, durationMs, nowMs, error, nextMs }: Outcome & { readonly error: string; readonly nextMs: number | null },
): Promise<number | null> {
  const params = [deliveryId, lease, status, durationMs, iso(nowMs), nextMs === null ? null : iso(nextMs), error];
  const [row] = await query<{ failing_since: Date }>({ text: FAILED, params });
  return row ? row.failing_since.getTime() : null;
}

const RELEASE = `
  UPDATE webhook_deliveries SET lease = NULL, attempts = attempts - 1, next_attempt_at = $3::timestamptz
  WHERE id = $1::uuid AND lease = $2::uuid AND state = 'pending'`;

/** As if it had not been tried: it was given up half-way, by us. */
export async function release(query: Query, { deliveryId, lease }: Lease, nowMs: number): Promise<void> {
  await query({ text: RELEASE, params: [deliveryId, lease, iso(nowMs)] });
}

const DISABLE = `
  WITH off AS (
    UPDATE webhook_endpoints SET disabled_at = $2::timestamptz, disabled_reason = $3
    WHERE id = $1::uuid AND disabled_at IS NULL RETURNING id
  ), ended AS (
    UPDATE webhook_deliveries SET state = 'failed', next_attempt_at = NULL, last_error = coalesce(last_error, $3)
    WHERE endpoint_id IN (SELECT id FROM off) AND state = 'pending'
  )
  SELECT count(*)::integer AS count FROM off`;

/** What was on its way to it has failed, and can be sent again by hand. @returns whether it was not disabled before. */
export async function disable(query: Query, endpointId: string, reason: string, nowMs: number): Promise<boolean> {
  const [row] = await query<{ count: number }>({ text: DISABLE, params: [endpointId, iso(nowMs), reason] });
  return row?.count === 1;
}

const OLDEST = `
  SELECT next_attempt_at AS oldest FROM webhook_deliveries WHERE ${IS_DUE} ORDER BY next_attempt_at LIMIT 1`;

/** For how long the oldest delivery that is due has waited; 0 where none is. */
export async function queueAgeMs(query: Query, nowMs: number): Promise<number> {
  const [row] = await query<{ oldest: Date }>({ text: OLDEST, params: [iso(nowMs)] });
  return row?.oldest ? nowMs - row.oldest.getTime() : 0;
}

type LeaseRow = {
  readonly id: string;
  readonly lease: string;
  readonly attempts: number;
  readonly retry_until: Date;
  readonly endpoint_id: string;
  readonly kind: EndpointKind;
  readonly url: string;
  readonly secrets: readonly StoredSecret[];
  readonly event_id: string;
  readonly tenant_id: string;
  readonly type: string;
  readonly reference_id: string | null;
  readonly data: unknown;
  readonly created_at: Date;
};

const leaseFromRow = (row: LeaseRow): Lease => ({
  deliveryId: row.id,
  lease: row.lease,
  attempts: row.attempts,
  retryUntilMs: row.retry_until.getTime(),
  endpointId: row.endpoint_id,
  kind: row.kind,
  url: row.url,
  secrets: row.secrets.map(({ secret, endsAt }) => ({ secret, endsAtMs: endsAt === null ? null : Date.parse(endsAt) })),
  event: {
    id: row.event_id,
    tenantId: row.tenant_id,
    type: row.type,
    referenceId: row.reference_id,
    data: row.data,
    occurredAtMs: row.created_at.getTime(),
  },
});

const iso = (atMs: number): string => new Date(atMs).toISOString();
