/**
 * store — the few statements that load what a batch needs and save what it decided. Their number does not depend on
 * the size of the batch, and their text is constant.
 *
 * Parameters are arrays of text: both drivers write those alike, and Postgres casts faster than drivers do.
 */
import type { Row, Statement } from '../db/client.ts';
import { type LimitFieldsJson, limitFieldsMapFromJson } from '../db/limit-fields-json.ts';
import type { Alert } from '../domain/alert.ts';
import type { Reset } from '../domain/period.ts';
import { thresholdKey } from '../domain/threshold.ts';
import { formatUnits, unitsOf } from '../domain/units.ts';
import type { Hint } from '../events/bus.ts';
import type { AnswerJson } from './answer.ts';
import type { ConsumeRequest } from './consumption.ts';
import type { Changes, CustomerState, KnownAnswer, NewAlert, StoredCounter } from './state.ts';

const CUSTOMER_COLUMNS = `
  id, tenant_id, reference_id, plan_key, time_zone, overrides, sequence, limits_sequence, rate_started_at, rate_calls, created_at`;

/** In key order, so that two gateways never wait for each other in a circle. */
const LOCK_CUSTOMERS = `
  SELECT ${CUSTOMER_COLUMNS} FROM customers WHERE id = ANY($1::text[]::uuid[]) ORDER BY id FOR NO KEY UPDATE`;

const READ_CUSTOMERS = `SELECT ${CUSTOMER_COLUMNS} FROM customers WHERE id = ANY($1::text[]::uuid[])`;

const LOAD_CATALOG_VERSIONS = 'SELECT id, catalog_version FROM tenants WHERE id = ANY($1::text[]::uuid[])';

/** LATERAL pins the plan: one look-up per pair in the primary key, whatever the planner believes of the table. */
const LOAD_COUNTERS = `
  SELECT c.customer_id, c.feature_key, c.period_start, c.period_end, c.reset, c.used, c.overage, to_json(c.raised) AS raised, c.sequence
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, feature_key)
  CROSS JOIN LATERAL (
    SELECT * FROM counters
    WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key
    ORDER BY period_start DESC LIMIT 1
  ) c`;

const LOAD_ANSWERS = `
  SELECT a.customer_id, a.idempotency_key, a.fingerprint, a.answer
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, idempotency_key)
  CROSS JOIN LATERAL (
    SELECT * FROM answers
    WHERE customer_id = k.customer_id::uuid AND idempotency_key = k.idempotency_key LIMIT 1
  ) a`;

/** What the first flight of a batch reads; the rows come back in this order. */
export function loadStatements(
  requests: readonly ConsumeRequest[],
  lock: boolean,
): readonly [customers: Statement, versions: Statement, counters: Statement, answers: Statement] {
  const meters = new Map(requests.map((r) => [`${r.customerId} ${r.featureKey}`, r]));
  const keyed = requests.filter((r) => r.idempotencyKey !== null);
  return [
    { text: lock ? LOCK_CUSTOMERS : READ_CUSTOMERS, params: [unique(requests.map((r) => r.customerId))] },
    { text: LOAD_CATALOG_VERSIONS, params: [unique(requests.map((r) => r.tenantId))] },
    countersStatement([...meters.values()]),
    { text: LOAD_ANSWERS, params: [keyed.map((r) => r.customerId), keyed.map((r) => r.idempotencyKey)] },
  ];
}

/** Customers without their lock, for readers. */
export const customersStatement = (customerIds: readonly string[]): Statement => ({
  text: READ_CUSTOMERS,
  params: [unique(customerIds)],
});

/** The newest counter of each meter named. */
export const countersStatement = (meters: readonly { customerId: string; featureKey: string }[]): Statement => ({
  text: LOAD_COUNTERS,
  params: [meters.map((m) => m.customerId), meters.map((m) => m.featureKey)],
});

export type Loaded = {
  readonly customers: ReadonlyMap<string, CustomerState>;
  /** Tenant → version of its features and plans. */
  readonly catalogVersions: ReadonlyMap<string, number>;
};

export function readLoaded([customers = [], versions = [], counters = [], answers = []]: readonly Row[][]): Loaded {
  const states = new Map((customers as CustomerRow[]).map((row) => [row.id, customerFromRow(row)]));
  for (const row of counters as CounterRow[]) {
    states.get(row.customer_id)?.counters.set(row.feature_key, counterFromRow(row));
  }
  for (const row of answers as AnswerRow[]) {
    states.get(row.customer_id)?.answers.set(row.idempotency_key, row);
  }
  return {
    customers: states,
    catalogVersions: new Map(versions.map((row) => [row.id as string, Number(row.catalog_version)])),
  };
}

type CustomerRow = {
  readonly id: string;
  readonly tenant_id: string;
  readonly reference_id: string;
  readonly plan_key: string | null;
  readonly time_zone: string;
  readonly overrides: Readonly<Record<string, LimitFieldsJson>>;
  readonly sequence: string;
  readonly limits_sequence: string;
  readonly rate_started_at: Date | null;
  readonly rate_calls: number;
  readonly created_at: Date;
};
export type CounterRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly period_start: Date;
  readonly period_end: Date | null;
  readonly reset: Reset;
  readonly used: string;
  readonly overage: string;
  readonly raised: readonly string[];
  readonly sequence: string;
};
type AnswerRow = KnownAnswer & {
  readonly customer_id: string;
  readonly idempotency_key: string;
  readonly answer: AnswerJson;
};

const customerFromRow = (row: CustomerRow): CustomerState => ({
  id: row.id,
  tenantId: row.tenant_id,
  referenceId: row.reference_id,
  planKey: row.plan_key,
  timeZone: row.time_zone,
  createdAtMs: row.created_at.getTime(),
  overrides: limitFieldsMapFromJson(row.overrides),
  limitsSequence: BigInt(row.limits_sequence),
  sequenceBefore: BigInt(row.sequence),
  sequence: BigInt(row.sequence),
  rateWindow: row.rate_started_at && { startMs: row.rate_started_at.getTime(), calls: row.rate_calls },
  counters: new Map(),
  answers: new Map(),
});

export const counterFromRow = (row: CounterRow): StoredCounter => ({
  period: { startMs: row.period_start.getTime(), endMs: row.period_end?.getTime() ?? null, reset: row.reset },
  used: unitsOf(row.used),
  overage: unitsOf(row.overage),
  raised: new Set(row.raised),
  sequence: BigInt(row.sequence),
});

/**
 * Saves everything in one statement, which is all or nothing by itself. The division fails it when a customer moved on
 * since it was read (which its lock forbids, unless the connection and with it the lock was lost in between).
 */
const SAVE = `
  WITH moved_customers AS (
    UPDATE customers c SET sequence = v.sequence::bigint, rate_started_at = v.rate_started_at::timestamptz, rate_calls = v.rate_calls::integer
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS v (id, expected, sequence, rate_started_at, rate_calls)
    WHERE c.id = ANY($1::text[]::uuid[]) AND c.id = v.id::uuid AND c.sequence = v.expected::bigint
    RETURNING c.id
  ), saved_counters AS (
    INSERT INTO counters (customer_id, feature_key, period_start, period_end, reset, tenant_id, used, overage, raised, sequence)
    SELECT v.customer_id::uuid, v.feature_key, v.period_start::timestamptz, v.period_end::timestamptz, v.reset, v.tenant_id::uuid,
      v.used::numeric, v.overage::numeric, string_to_array(v.raised, ' '), v.sequence::bigint
    FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[])
      AS v (customer_id, feature_key, period_start, period_end, reset, tenant_id, used, overage, raised, sequence)
    ON CONFLICT (customer_id, feature_key, period_start) DO UPDATE
      SET used = excluded.used, overage = excluded.overage, raised = excluded.raised, sequence = excluded.sequence
  ), saved_events AS (
    INSERT INTO events (customer_id, sequence, tenant_id, feature_key, period_start, amount, overage, used_after,
      idempotency_key, properties, occurred_at, recorded_at)
    SELECT v.customer_id::uuid, v.sequence::bigint, v.tenant_id::uuid, v.feature_key, v.period_start::timestamptz,
      v.amount::numeric, v.overage::numeric, v.used_after::numeric, v.idempotency_key, v.properties::jsonb, $26::timestamptz, $26::timestamptz
    FROM unnest($16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[])
      AS v (customer_id, sequence, tenant_id, feature_key, period_start, amount, overage, used_after, idempotency_key, properties)
  ), saved_answers AS (
    INSERT INTO answers (customer_id, idempotency_key, tenant_id, fingerprint, answer, answered_at)
    SELECT v.customer_id::uuid, v.idempotency_key, v.tenant_id::uuid, v.fingerprint, v.answer::json, $26::timestamptz
    FROM unnest($27::text[], $28::text[], $29::text[], $30::text[], $31::text[])
      AS v (customer_id, idempotency_key, tenant_id, fingerprint, answer)
  ), reached AS (
    SELECT * FROM unnest($32::text[], $33::text[], $34::text[], $35::text[], $36::text[], $37::text[], $38::text[], $39::text[], $40::text[])
      WITH ORDINALITY AS v (customer_id, feature_key, period_start, period_end, threshold_key, tenant_id, used, "limit", event_sequence, position)
  ), moved_tenants AS (
    UPDATE tenants t SET alert_sequence = t.alert_sequence + r.count
    FROM (SELECT tenant_id, count(*) FROM reached GROUP BY tenant_id) r WHERE t.id = r.tenant_id::uuid
    RETURNING t.id, t.alert_sequence - r.count AS alert_sequence_before
  ), saved_alerts AS (
    INSERT INTO alerts (customer_id, feature_key, period_start, period_end, threshold_key, tenant_id, used, "limit", sequence, event_sequence, raised_at)
    SELECT r.customer_id::uuid, r.feature_key, r.period_start::timestamptz, r.period_end::timestamptz, r.threshold_key, t.id,
      r.used::numeric, r."limit"::numeric,
      t.alert_sequence_before + row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.position), r.event_sequence::bigint, $26::timestamptz
    FROM reached r JOIN moved_tenants t ON t.id = r.tenant_id::uuid
    ON CONFLICT DO NOTHING
    RETURNING customer_id, event_sequence, threshold_key, sequence
  )
  SELECT 1 / (cardinality($1::text[]) = (SELECT count(*) FROM moved_customers))::integer AS held,
    (SELECT json_agg(json_build_object('customer_id', customer_id, 'event_sequence', event_sequence::text, 'threshold_key', threshold_key,
      'sequence', sequence::text)) FROM saved_alerts) AS alerts`;

export function saveStatement({ nowMs, customers, counters, events, answers, alerts }: Changes): Statement {
  const changed = [...counters.values()];
  return {
    text: SAVE,
    params: [
      customers.map((c) => c.id),
      customers.map((c) => c.sequenceBefore.toString()),
      customers.map((c) => c.sequence.toString()),
      customers.map((c) => c.rateWindow && iso(c.rateWindow.startMs)),
      customers.map((c) => String(c.rateWindow?.calls ?? 0)),

      changed.map((c) => c.customer.id),
      changed.map((c) => c.featureKey),
      changed.map((c) => iso(c.counter.period.startMs)),
      changed.map((c) => isoOrNull(c.counter.period.endMs)),
      changed.map((c) => c.counter.period.reset),
      changed.map((c) => c.customer.tenantId),
      changed.map((c) => formatUnits(c.counter.used)),
      changed.map((c) => formatUnits(c.counter.overage)),
      changed.map((c) => [...c.counter.raised].join(' ')),
      changed.map((c) => c.counter.sequence.toString()),

      events.map((e) => e.customer.id),
      events.map((e) => e.sequence.toString()),
      events.map((e) => e.customer.tenantId),
      events.map((e) => e.featureKey),
      events.map((e) => iso(e.periodStartMs)),
      events.map((e) => formatUnits(e.amount)),
      events.map((e) => formatUnits(e.overage)),
      events.map((e) => formatUnits(e.usedAfter)),
      events.map((e) => e.idempotencyKey),
      events.map((e) => e.properties),
      iso(nowMs),

      answers.map((a) => a.customer.id),
      answers.map((a) => a.idempotencyKey),
      answers.map((a) => a.customer.tenantId),
      answers.map((a) => a.fingerprint),
      answers.map((a) => a.answer),

      alerts.map((a) => a.customerId),
      alerts.map((a) => a.featureKey),
      alerts.map((a) => iso(a.period.startMs)),
      alerts.map((a) => isoOrNull(a.period.endMs)),
      alerts.map((a) => thresholdKey(a.threshold)),
      alerts.map((a) => a.tenantId),
      alerts.map((a) => formatUnits(a.used)),
      alerts.map((a) => (a.limit === null ? null : formatUnits(a.limit))),
      alerts.map((a) => a.eventSequence.toString()),
    ],
  };
}

type SavedAlertRow = {
  readonly customer_id: string;
  readonly event_sequence: string;
  readonly threshold_key: string;
  readonly sequence: string;
};

/** The alerts of a saved batch, each with the sequence it was given. One that was there before is left out. */
export function readSavedAlerts(alerts: readonly NewAlert[], [rows]: readonly Row[][]): ReadonlyMap<NewAlert, Alert> {
  const saved = (rows?.[0]?.alerts ?? []) as SavedAlertRow[];
  const sequences = new Map(
    saved.map((row) => [`${row.customer_id} ${row.event_sequence} ${row.threshold_key}`, row.sequence]),
  );
  const pairs = alerts.flatMap((alert): [NewAlert, Alert][] => {
    const sequence = sequences.get(`${alert.customerId} ${alert.eventSequence} ${thresholdKey(alert.threshold)}`);
    return sequence === undefined ? [] : [[alert, { ...alert, acknowledgedAtMs: null, sequence: BigInt(sequence) }]];
  });
  return new Map(pairs);
}

/** Hints for other gateways: see events/bus.ts. In the transaction, so they are heard on commit, never on rollback. */
export const notifyStatement = ({ channel, payloads }: Hint): Statement => ({
  text: 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload',
  params: [channel, payloads],
});

const unique = (values: readonly string[]): string[] => [...new Set(values)];
const iso = (atMs: number): string => new Date(atMs).toISOString();
const isoOrNull = (atMs: number | null): string | null => (atMs === null ? null : iso(atMs));
