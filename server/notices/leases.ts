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

/** Much longer than any try takes. */
export const LEASE_MS = 60_000;

/** Of one endpoint at once, by one gateway; one that fails is tried with one at a time. */
export const PER_ENDPOINT_MAX = 4;

/** Each endpoint's own oldest, so that a queue of one is never in front of another's. */
const TAKE = `
  WITH busy AS (
    SELECT * FROM unnest($2::text[], $3::text[]) AS v (endpoint_id, tries)
  ), due AS (
    SELECT d.id FROM webhook_endpoints e
      LEFT JOIN busy b ON b.endpoint_id::uuid = e.id
      CROSS JOIN LATERAL (
        SELECT id FROM webhook_deliveries
        WHERE endpoint_id = e.id AND state = 'pending' AND next_attempt_at <= $1::timestamptz
        ORDER BY next_attempt_at
        LIMIT greatest(CASE WHEN e.failing_since IS NULL THEN ${PER_ENDPOINT_MAX} ELSE 1 END - coalesce(b.tries::integer, 0), 0)
        FOR UPDATE SKIP LOCKED
      ) d
    WHERE e.disabled_at IS NULL
    LIMIT $4::integer
  )
  UPDATE webhook_deliveries d
  SET lease = gen_random_uuid(), attempts = d.attempts + 1, next_attempt_at = $1::timestamptz + interval '${LEASE_MS} milliseconds'
  FROM due, webhook_endpoints e, outgoing_events n
  WHERE d.id = due.id AND e.id = d.endpoint_id AND n.id = d.event_id
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
  SELECT min(d.next_attempt_at) AS oldest FROM webhook_endpoints e CROSS JOIN LATERAL (
    SELECT next_attempt_at FROM webhook_deliveries
    WHERE endpoint_id = e.id AND state = 'pending' ORDER BY next_attempt_at LIMIT 1
  ) d
  WHERE e.disabled_at IS NULL AND d.next_attempt_at <= $1::timestamptz`;

/** For how long the oldest delivery that is due has waited; 0 where none is. */
export async function queueAgeMs(query: Query, nowMs: number): Promise<number> {
  const [row] = await query<{ oldest: Date | null }>({ text: OLDEST, params: [iso(nowMs)] });
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
