/** rig — an engine on a real database with one tenant, a few features and customers: what the tests of this folder drive. */
import { randomUUID } from 'node:crypto';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database, Parameter, Row } from '../../server/db/client.ts';
import { type LimitFieldsJson, limitFieldsToJson } from '../../server/db/limit-fields-json.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import type { Feature, LimitFields } from '../../server/domain/feature.ts';
import type { Committed } from '../../server/events/committed.ts';
import { Engine, type EngineOptions } from '../../server/metering/engine.ts';
import { Ledger, type LedgerDeps } from '../../server/metering/ledger.ts';
import type { Memory } from '../../server/metering/memory.ts';
import type { ConsumeRequest } from '../../server/metering/requests.ts';
import { newConsume } from '../../server/metering/testing/new-consume.ts';
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
  /** One of its own by default; of size 0 it reads every customer. */
  readonly memory?: Memory;
  /** Nobody is told anything by default. */
  readonly hintOf?: LedgerDeps['hintOf'];
  /** In what windows overage is told to a biller; by default there is none. */
  readonly reportWindowMs?: number;
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
    ...(options.memory && { memory: options.memory }),
    reportWindowMs: options.reportWindowMs ?? null,
    ...(options.onListenerError && { onListenerError: options.onListenerError }),
    hintOf: options.hintOf ?? (() => null),
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
  const call = (referenceId: string, fields: Partial<ConsumeRequest> = {}): ConsumeRequest =>
    newConsume({ tenantId, customerId: customerIdOf(tenantId, referenceId), referenceId, ...fields });
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
  const { aggregation = 'sum', reset = 'monthly', anchor = 'calendar', unit = null } = of;
  await query(
    rig.database,
    `INSERT INTO features (tenant_id, key, display_name, aggregation, reset, limits, details, of, anchor, unit)
     VALUES ($1, $2, $2, $3, $4, $5::jsonb, '{}', $6, $7, $8)
     ON CONFLICT (tenant_id, key) DO UPDATE SET limits = excluded.limits, reset = excluded.reset, anchor = excluded.anchor`,
    rig.tenantId,
    key,
    aggregation,
    reset,
    asJsonb(limitFieldsToJson(limits)),
    of.of ?? null,
    anchor,
    unit,
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
