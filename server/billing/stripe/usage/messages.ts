/**
 * messages — what is on its way to Stripe, and how far it has come.
 *
 * A sender takes a lease on messages, says in the database that it sends them before it does, and afterwards what became
 * of them. If it dies in between, the lease runs out, and whoever finds them knows that nobody knows their fate.
 */
import type { Query } from '../../../db/client.ts';
import { type Units, unitsOf } from '../../../domain/units.ts';
import type { Pending } from '../../../domain/usage-report.ts';
import type { MeterPeriod } from './identifier.ts';
import { isoOf } from './outbox.ts';

export type Message = MeterPeriod &
  Pending & {
    readonly number: number;
    readonly tenantId: string;
    /** Whole units. */
    readonly quantity: Units;
    readonly createdAtMs: number;
    readonly identifier: string;
    /** How often it was tried before. */
    readonly attempts: number;
    readonly stripeCustomerId: string | null;
  };

/** What becomes of a message that was leased. */
export type Outcome = {
  readonly message: Message;
  readonly state: 'waiting' | 'delivered' | 'dead';
  /** Why it waits, or is dead. */
  readonly why: { readonly code: string; readonly sentence: string } | null;
  readonly nextAttemptAtMs: number;
  /** Whether nobody knows what became of the try that was just made. */
  readonly isUnknown: boolean;
};

export const MESSAGE_COLUMNS = `m.customer_id, m.feature_key, m.period_start, m.number, m.tenant_id, m.period_end, m.quantity::text AS quantity,
    m.used_at, m.created_at, m.identifier, m.attempts, m.unknown_since, m.counted_at, m.stripe_customer_id`;

/** Before all others of its customer and meter goes one that is being sent, then one that may have arrived. */
const rankOf = (message: string): string =>
  `CASE WHEN ${message}.lease IS NOT NULL AND ${message}.next_attempt_at > $1::timestamptz THEN 2 WHEN ${message}.unknown_since IS NOT NULL THEN 1 ELSE 0 END`;

/**
 * One open message of each customer and meter, so that one is in flight of each: the first in order, but after one that is in
 * flight already, or in doubt. Of any two one goes before the other, so none wait for each other. Taken by an update of rows
 * that nobody else has locked: whoever takes one moves it out of the others' reach.
 */
const LEASE = `
  WITH heads AS MATERIALIZED (
    SELECT m.customer_id, m.feature_key, m.period_start, m.number FROM usage_messages m
    WHERE m.state IN ('waiting', 'sent') AND m.next_attempt_at <= $1::timestamptz AND NOT EXISTS (
      SELECT FROM usage_messages e WHERE e.customer_id = m.customer_id AND e.feature_key = m.feature_key AND e.state IN ('waiting', 'sent')
        AND (${rankOf('e')}, m.period_start, m.number) > (${rankOf('m')}, e.period_start, e.number))
    ORDER BY m.next_attempt_at LIMIT $2::integer FOR UPDATE OF m SKIP LOCKED
  )
  UPDATE usage_messages m SET lease = $3::uuid, next_attempt_at = $4::timestamptz FROM heads h
  WHERE m.customer_id = h.customer_id AND m.feature_key = h.feature_key AND m.period_start = h.period_start AND m.number = h.number
  RETURNING ${MESSAGE_COLUMNS}`;

export type Lease = { readonly id: string; readonly untilMs: number };

export async function leaseMessages(
  query: Query,
  lease: Lease,
  nowMs: number,
  max: number,
): Promise<readonly Message[]> {
  const rows = await query<MessageRow>({ text: LEASE, params: [isoOf(nowMs), max, lease.id, isoOf(lease.untilMs)] });
  return rows.map(messageOf);
}

export type MessageRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly period_start: Date;
  readonly number: number;
  readonly tenant_id: string;
  readonly period_end: Date | null;
  readonly quantity: string;
  readonly used_at: Date;
  readonly created_at: Date;
  readonly identifier: string;
  readonly attempts: number;
  readonly unknown_since: Date | null;
  readonly counted_at: Date | null;
  readonly stripe_customer_id: string | null;
};

export const messageOf = (row: MessageRow): Message => ({
  customerId: row.customer_id,
  featureKey: row.feature_key,
  periodStartMs: row.period_start.getTime(),
  number: row.number,
  tenantId: row.tenant_id,
  periodEndMs: row.period_end?.getTime() ?? null,
  quantity: unitsOf(row.quantity),
  usedAtMs: row.used_at.getTime(),
  createdAtMs: row.created_at.getTime(),
  identifier: row.identifier,
  attempts: row.attempts,
  unknownSinceMs: row.unknown_since?.getTime() ?? null,
  countedAtMs: row.counted_at?.getTime() ?? null,
  stripeCustomerId: row.stripe_customer_id,
});

/** A message that is about to be sent, as it will be counted. */
export type Sending = { readonly message: Message; readonly countedAtMs: number; readonly stripeCustomerId: string };

const OF_LEASE = `m.lease = $1::uuid AND m.customer_id = v.customer_id::uuid AND m.feature_key = v.feature_key
    AND m.period_start = v.period_start::timestamptz AND m.number = v.number::integer`;

const BEGIN_SENDING = `
  UPDATE usage_messages m SET state = 'sent', attempts = m.attempts + 1, tried_at = $2::timestamptz, counted_at = v.counted_at::timestamptz,
    stripe_customer_id = v.stripe_customer_id, unknown_since = coalesce(m.unknown_since, $2::timestamptz)
  FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS v (customer_id, feature_key, period_start, number, counted_at, stripe_customer_id)
  WHERE ${OF_LEASE} AND NOT EXISTS (
    SELECT FROM usage_messages e WHERE e.customer_id = m.customer_id AND e.feature_key = m.feature_key AND e.state IN ('waiting', 'sent')
      AND e.lease <> $1::uuid AND e.next_attempt_at > $2::timestamptz)
  RETURNING m.identifier`;

/**
 * From here on nobody knows whether they have arrived.
 *
 * @returns those that may be sent: whose lease is still ours, and beside which nobody else has another of the customer and meter,
 *   as somebody may who has looked just before or after one was sent anew.
 */
export async function beginSending(
  query: Query,
  lease: Lease,
  sendings: readonly Sending[],
  nowMs: number,
): Promise<readonly Sending[]> {
  if (sendings.length === 0) return [];
  const rows = await query<{ readonly identifier: string }>({
    text: BEGIN_SENDING,
    params: [
      lease.id,
      isoOf(nowMs),
      ...keysOf(sendings.map(({ message }) => message)),
      sendings.map(({ countedAtMs }) => isoOf(countedAtMs)),
      sendings.map(({ stripeCustomerId }) => stripeCustomerId),
    ],
  });
  const begun = new Set(rows.map(({ identifier }) => identifier));
  return sendings.filter(({ message }) => begun.has(message.identifier));
}

const RECORD = `
  UPDATE usage_messages m SET state = v.state, reason_code = v.code, reason = v.sentence, next_attempt_at = v.next_attempt_at::timestamptz,
    unknown_since = CASE WHEN v.is_unknown::boolean THEN m.unknown_since WHEN v.state <> 'delivered' THEN v.unknown_since::timestamptz END, lease = NULL,
    told_at = CASE WHEN v.state <> 'dead' THEN m.told_at END, delivered_at = CASE v.state WHEN 'delivered' THEN $2::timestamptz END
  FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
    $12::text[]) AS v (customer_id, feature_key, period_start, number, state, code, sentence, next_attempt_at, is_unknown, unknown_since)
  WHERE ${OF_LEASE}`;

/** What became of them; nothing of those whose lease ran out meanwhile, which somebody else has now. */
export async function recordOutcomes(
  query: Query,
  lease: Lease,
  outcomes: readonly Outcome[],
  nowMs: number,
): Promise<void> {
  if (outcomes.length === 0) return;
  await query({
    text: RECORD,
    params: [
      lease.id,
      isoOf(nowMs),
      ...keysOf(outcomes.map(({ message }) => message)),
      outcomes.map(({ state }) => state),
      outcomes.map(({ why }) => why?.code ?? null),
      outcomes.map(({ why }) => why?.sentence ?? null),
      outcomes.map(({ nextAttemptAtMs }) => isoOf(nextAttemptAtMs)),
      outcomes.map(({ isUnknown }) => String(isUnknown)),
      outcomes.map(({ message: { unknownSinceMs } }) => (unknownSinceMs === null ? null : isoOf(unknownSinceMs))),
    ],
  });
}

const keysOf = (messages: readonly Message[]) => [
  messages.map(({ customerId }) => customerId),
  messages.map(({ featureKey }) => featureKey),
  messages.map(({ periodStartMs }) => isoOf(periodStartMs)),
  messages.map(({ number }) => String(number)),
];

const IN_SPAN = `
  SELECT coalesce(sum(quantity) FILTER (WHERE state = 'delivered'), 0)::text AS known,
    coalesce(bool_or(state <> 'delivered' AND unknown_since IS NOT NULL AND identifier <> $6), false) AS doubtful,
    max(tried_at) AS tried_at
  FROM usage_messages WHERE customer_id = $1::uuid AND feature_key = $2 AND stripe_customer_id = $3
    AND counted_at >= $4::timestamptz AND counted_at < $5::timestamptz`;

/** What we know of a span of time. */
export type InSpan = {
  /** Whole units that are known to have arrived. */
  readonly known: Units;
  /** Whether others than the message may have arrived, too. */
  readonly isDoubtful: boolean;
  /** When anything was sent last that counts there; null for never, or long ago. */
  readonly triedAtMs: number | null;
};

export async function inSpan(
  query: Query,
  of: Pick<Message, 'customerId' | 'featureKey' | 'identifier'> & { readonly stripeCustomerId: string },
  span: { readonly startMs: number; readonly endMs: number },
): Promise<InSpan> {
  const params = [
    of.customerId,
    of.featureKey,
    of.stripeCustomerId,
    isoOf(span.startMs),
    isoOf(span.endMs),
    of.identifier,
  ];
  type Row = { readonly known: string; readonly doubtful: boolean; readonly tried_at: Date | null };
  const [row] = await query<Row>({ text: IN_SPAN, params });
  return {
    known: unitsOf(row?.known ?? '0'),
    isDoubtful: row?.doubtful ?? false,
    triedAtMs: row?.tried_at?.getTime() ?? null,
  };
}

const NEXT_ATTEMPT = `
  SELECT min(next_attempt_at) AS at FROM usage_messages WHERE state IN ('waiting', 'sent')`;

/** When the first of all that are open may be tried; null for none. */
export async function nextAttemptMs(query: Query): Promise<number | null> {
  const [row] = await query<{ readonly at: Date | null }>({ text: NEXT_ATTEMPT, params: [] });
  return row?.at?.getTime() ?? null;
}

const WAKE = `
  UPDATE usage_messages SET next_attempt_at = $2::timestamptz
  WHERE customer_id = $1::uuid AND state = 'waiting' AND next_attempt_at > $2::timestamptz`;

/** Whoever has become known at Stripe need not wait any longer. */
export async function wakeMessages(query: Query, customerId: string, nowMs: number): Promise<void> {
  await query({ text: WAKE, params: [customerId, isoOf(nowMs)] });
}
