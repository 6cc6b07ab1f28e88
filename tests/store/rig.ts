/**
 * rig — an engine on a real database with one tenant, a few features and customers: what the tests of this folder
 * drive, and the facts they read back.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database, Parameter, Row } from '../../server/db/client.ts';
import { type LimitFieldsJson, limitFieldsToJson } from '../../server/db/limit-fields-json.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { MeterError } from '../../server/domain/errors.ts';
import type { Feature, LimitFields } from '../../server/domain/feature.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import type { Committed } from '../../server/events/committed.ts';
import { Engine, type EngineOptions } from '../../server/metering/engine.ts';
import { Ledger } from '../../server/metering/ledger.ts';
import type { ConsumeRequest, Consumption } from '../../server/metering/requests.ts';
import { ManualClock } from '../support/clock.ts';

export type Rig = {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: ManualClock;
  readonly tenantId: string;
  /** What listeners were told, in order. */
  readonly committed: Committed[];
  /** Why connections were given up. */
  readonly unreachable: unknown[];
  /** A call of a customer, by default for one unit of `calls`. */
  call(referenceId: string, fields?: Partial<ConsumeRequest>): ConsumeRequest;
};

export type RigOptions = {
  /** Join a tenant that is there already, as a second gateway does. */
  readonly tenantId?: string;
  readonly engine?: Partial<EngineOptions>;
  readonly onCommitted?: (committed: Committed) => void;
  readonly onListenerError?: (error: unknown) => void;
};

export async function openRig(database: Database, options: RigOptions = {}): Promise<Rig> {
  const clock = new ManualClock();
  const tenantId = options.tenantId ?? (await addTenant(database));
  const committed: Committed[] = [];
  const unreachable: unknown[] = [];
  const ledger = new Ledger({
    database,
    catalogs: new Catalogs(),
    clock,
    onCommitted: (batch) => {
      committed.push(batch);
      options.onCommitted?.(batch);
    },
    ...(options.onListenerError && { onListenerError: options.onListenerError }),
    hintOf: () => null,
  });
  const engine = new Engine(
    {
      ledger,
      clock,
      onUnreachable: (cause) => {
        unreachable.push(cause);
        database.lane.reset();
      },
    },
    { batchSizeMax: 1_000, queueLengthMax: 20_000, deadlineMs: 10_000, ...options.engine },
  );
  const call = (referenceId: string, fields: Partial<ConsumeRequest> = {}): ConsumeRequest => ({
    tenantId,
    customerId: customerIdOf(tenantId, referenceId),
    referenceId,
    kind: 'consume',
    purpose: 'use',
    featureKey: 'calls',
    amount: ONE,
    duration: null,
    mode: 'REJECT',
    overrideKey: null,
    entityId: null,
    occurredAtMs: null,
    idempotencyKey: null,
    properties: null,
    refusal: null,
    ...fields,
  });
  return { database, engine, clock, tenantId, committed, unreachable, call };
}

export const query = (database: Database, text: string, ...params: Parameter[]): Promise<Row[]> =>
  database.query({ text, params });

export async function addTenant(database: Database): Promise<string> {
  const id = randomUUID();
  await query(database, `INSERT INTO tenants (id, name, mode) VALUES ($1, 'Acme Apps', 'live')`, id);
  return id;
}

/** Adds a feature, or gives one other limits; as a change to the catalog does, it makes the next version. */
export async function saveFeature(
  rig: Rig,
  key: string,
  limits: LimitFields,
  of: Partial<Feature> = {},
): Promise<void> {
  const { aggregation = 'sum', reset = 'monthly' } = of;
  await query(
    rig.database,
    `INSERT INTO features (tenant_id, key, display_name, aggregation, reset, limits, details)
     VALUES ($1, $2, $2, $3, $4, $5::jsonb, '{}') ON CONFLICT (tenant_id, key) DO UPDATE SET limits = excluded.limits, reset = excluded.reset`,
    rig.tenantId,
    key,
    aggregation,
    reset,
    asJsonb(limitFieldsToJson(limits)),
  );
  await query(rig.database, 'UPDATE tenants SET catalog_version = catalog_version + 1 WHERE id = $1', rig.tenantId);
}

/** The drivers differ in how they write an object; as text that Postgres parses they agree. */
const asJsonb = (json: LimitFieldsJson): string => JSON.stringify(json);

export async function register(rig: Rig, ...referenceIds: string[]): Promise<void> {
  await query(
    rig.database,
    `INSERT INTO customers (id, tenant_id, reference_id, reference_type, time_zone, anchor_at, created_at)
     SELECT v.id::uuid, $1::uuid, v.reference_id, 'user', 'UTC', '2026-01-01', '2026-01-01' FROM unnest($2::text[], $3::text[]) AS v (id, reference_id)`,
    rig.tenantId,
    referenceIds.map((referenceId) => customerIdOf(rig.tenantId, referenceId)),
    referenceIds,
  );
}

/** A rig with `calls` limited as told, and one customer, `acme`. */
export async function rigWith(database: Database, limits: LimitFields, options: RigOptions = {}): Promise<Rig> {
  const rig = await openRig(database, options);
  await saveFeature(rig, 'calls', limits);
  await register(rig, 'acme');
  return rig;
}

/** What is recorded of one meter. */
export async function recorded(rig: Rig, referenceId: string, featureKey = 'calls') {
  const [row] = await query(
    rig.database,
    `SELECT (SELECT used FROM counters WHERE customer_id = $1 AND feature_key = $2 ORDER BY period_start DESC LIMIT 1) AS used,
      (SELECT count(*)::integer FROM events WHERE customer_id = $1 AND feature_key = $2) AS events,
      (SELECT count(*)::integer FROM alerts WHERE customer_id = $1 AND feature_key = $2) AS alerts,
      (SELECT count(*)::integer FROM answers WHERE customer_id = $1) AS answers`,
    customerIdOf(rig.tenantId, referenceId),
    featureKey,
  );
  return {
    used: Number(unitsOf(String(row?.used ?? '0'))) / Number(ONE),
    events: row?.events,
    alerts: row?.alerts,
    answers: row?.answers,
  };
}

/** Every promise that the tables make to each other, for whatever is in them. An empty list is what one wants. */
export async function expectConsistent(database: Database): Promise<void> {
  const wrong = await query(
    database,
    `SELECT 'a counter is not the sum of its events' AS problem, c.customer_id::text AS of FROM counters c
     LEFT JOIN LATERAL (SELECT sum(amount) AS amount, sum(overage) AS overage FROM events e
       WHERE e.customer_id = c.customer_id AND e.feature_key = c.feature_key AND e.period_start = c.period_start) e ON true
     WHERE (e.amount, e.overage) IS DISTINCT FROM (c.used, c.overage)
     UNION ALL
     SELECT 'an event has no counter', e.customer_id::text FROM events e
     WHERE NOT EXISTS (SELECT FROM counters c WHERE c.customer_id = e.customer_id AND c.feature_key = e.feature_key AND c.period_start = e.period_start)
     UNION ALL
     SELECT 'a customer’s events do not take every sequence', c.id::text FROM customers c
     LEFT JOIN LATERAL (SELECT count(*) AS events, coalesce(max(sequence), 0) AS last FROM events e WHERE e.customer_id = c.id) e ON true
     WHERE c.sequence <> e.last OR e.events <> e.last
     UNION ALL
     SELECT 'a tenant’s alerts do not take every sequence', t.id::text FROM tenants t
     LEFT JOIN LATERAL (SELECT count(*) AS alerts, count(DISTINCT sequence) AS sequences, coalesce(max(sequence), 0) AS last FROM alerts a WHERE a.tenant_id = t.id) a ON true
     WHERE t.alert_sequence <> a.last OR a.alerts <> a.last OR a.sequences <> a.last
     UNION ALL
     SELECT 'an alert is not known to its counter', a.customer_id::text FROM alerts a
     WHERE NOT EXISTS (SELECT FROM counters c WHERE c.customer_id = a.customer_id AND c.feature_key = a.feature_key AND c.period_start = a.period_start AND a.threshold_key = ANY (c.raised))
     UNION ALL
     SELECT 'an idempotency key was counted twice', e.customer_id::text FROM events e
     WHERE e.idempotency_key IS NOT NULL GROUP BY e.customer_id, e.idempotency_key HAVING count(*) > 1
     UNION ALL
     SELECT 'a recorded key has no answer', e.customer_id::text FROM events e
     WHERE e.idempotency_key IS NOT NULL AND NOT EXISTS (SELECT FROM answers a WHERE a.customer_id = e.customer_id AND a.idempotency_key = e.idempotency_key)`,
  );
  expect(wrong).toEqual([]);
}

/** Makes every call at once and says how each ended: `allowed`, a reason, or an error's code. */
export async function outcomesOf(calls: readonly Promise<Consumption>[]): Promise<string[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((result) => {
    if (result.status === 'fulfilled') return result.value.denial?.reason ?? 'allowed';
    return result.reason instanceof MeterError ? result.reason.code : `bug: ${result.reason}`;
  });
}

export function tally(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The error that a call ended with. */
export async function errorOf(call: Promise<unknown>): Promise<MeterError> {
  const error = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof MeterError) return error;
  throw error;
}

/** Holds a customer's row as another session would, until it is told to let go. On PGlite that holds everything. */
export async function holdCustomer(rig: Rig, referenceId: string): Promise<() => Promise<void>> {
  return hold(rig.database, `SELECT FROM customers WHERE id = '${customerIdOf(rig.tenantId, referenceId)}' FOR UPDATE`);
}

export async function hold(database: Database, lock: string): Promise<() => Promise<void>> {
  let letGo = () => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let held: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    held = database.db.transaction(async (tx) => {
      await tx.execute(lock);
      resolve();
      await released;
    });
    held.catch(reject);
  });
  return async () => {
    letGo();
    await held;
  };
}
