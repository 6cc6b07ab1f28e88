/** load-customers — customers and the versions of their catalogs, and what they were answered before. */
import type { Row, Statement } from '../../db/client.ts';
import { type LimitFieldsJson, limitFieldsMapFromJson } from '../../db/limit-fields-json.ts';
import type { PendingPlan } from '../../domain/customer.ts';
import type { Mute } from '../../domain/mute.ts';
import type { AnswerJson } from '../answer.ts';
import { type CustomerState, type KnownAnswer, noHoldings } from '../state.ts';
import { type Look, msOf, rowsAs, unique } from './look.ts';

type CustomerRow = {
  readonly id: string;
  readonly tenant_id: string;
  readonly reference_id: string;
  readonly plan_key: string | null;
  readonly plan_version: number | null;
  readonly pending_plan: PendingPlan | null;
  readonly time_zone: string;
  readonly anchor_at: Date;
  readonly anchor_time_zone: string | null;
  readonly overrides: Readonly<Record<string, LimitFieldsJson>> | null;
  readonly mutes: readonly Mute[] | null;
  readonly revision: string;
  readonly sequence: string;
  readonly limits_sequence: string;
  readonly rate_windows: Readonly<Record<string, readonly [startMs: number, calls: number]>> | null;
  readonly prepaid: boolean;
  readonly due_at: Date | null;
  readonly created_at: Date;
};

const NO_OVERRIDES: CustomerState['overrides'] = new Map();
const NO_MUTES: CustomerState['mutes'] = [];
const NO_WINDOWS: CustomerState['rateWindows'] = new Map();

const customerFromRow = (row: CustomerRow): CustomerState => ({
  id: row.id,
  tenantId: row.tenant_id,
  referenceId: row.reference_id,
  planKey: row.plan_key,
  planVersion: row.plan_version,
  pendingPlan: row.pending_plan,
  timeZone: row.time_zone,
  anchorAtMs: row.anchor_at.getTime(),
  anchorTimeZone: row.anchor_time_zone,
  createdAtMs: row.created_at.getTime(),
  overrides: row.overrides === null ? NO_OVERRIDES : limitFieldsMapFromJson(row.overrides),
  mutes: row.mutes ?? NO_MUTES,
  revision: BigInt(row.revision),
  limitsSequence: BigInt(row.limits_sequence),
  sequenceBefore: BigInt(row.sequence),
  sequence: BigInt(row.sequence),
  rateWindows: row.rate_windows === null ? NO_WINDOWS : rateWindowsFromJson(row.rate_windows),
  prepaid: row.prepaid,
  dueAtMs: msOf(row.due_at),
  ...noHoldings(),
});

const rateWindowsFromJson = (json: NonNullable<CustomerRow['rate_windows']>): CustomerState['rateWindows'] =>
  new Map(Object.entries(json).map(([key, [startMs, calls]]) => [key, { startMs, calls }]));

/** What most rows hold nothing in is read as null: that is sent and parsed far quicker than `{}` and `0.000000000`. */
const CUSTOMER_COLUMNS = `
  id, tenant_id, reference_id, plan_key, plan_version, pending_plan, time_zone, anchor_at, anchor_time_zone, nullif(overrides, '{}') AS overrides,
  nullif(mutes, '[]') AS mutes, revision, sequence, limits_sequence, nullif(rate_windows, '{}') AS rate_windows, prepaid, due_at, created_at`;

/** In key order, so that two gateways never wait for each other in a circle. */
const LOCK_CUSTOMERS = `
  SELECT ${CUSTOMER_COLUMNS} FROM customers WHERE id = ANY($1::text[]::uuid[]) ORDER BY id FOR NO KEY UPDATE`;

const READ_CUSTOMERS = `SELECT ${CUSTOMER_COLUMNS} FROM customers WHERE id = ANY($1::text[]::uuid[])`;

/** The customers, under their lock or without it for who only reads. */
export const lookAtCustomers = (customerIds: readonly string[], lock: boolean): Look => ({
  statement: { text: lock ? LOCK_CUSTOMERS : READ_CUSTOMERS, params: [unique(customerIds)] },
  read(rows, customers) {
    for (const row of rowsAs<CustomerRow>(rows)) customers.set(row.id, customerFromRow(row));
  },
});

export const catalogVersionsStatement = (tenantIds: readonly string[]): Statement => ({
  text: 'SELECT id, catalog_version FROM tenants WHERE id = ANY($1::text[]::uuid[])',
  params: [unique(tenantIds)],
});

/** Tenant → version of its features and plans. */
export const readCatalogVersions = (rows: readonly Row[]): ReadonlyMap<string, number> =>
  new Map(rows.map((row) => [String(row.id), Number(row.catalog_version)]));

type AnswerRow = KnownAnswer & {
  readonly customer_id: string;
  readonly idempotency_key: string;
  readonly answer: AnswerJson;
};

const ANSWERS = `
  SELECT a.customer_id, a.idempotency_key, a.fingerprint, a.answer
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, idempotency_key)
  CROSS JOIN LATERAL (
    SELECT * FROM answers
    WHERE customer_id = k.customer_id::uuid AND idempotency_key = k.idempotency_key LIMIT 1
  ) a`;

/** What was answered under keys before. */
export const lookAtAnswers = (
  calls: readonly { readonly customerId: string; readonly idempotencyKey: string | null }[],
): Look => {
  const keyed = calls.filter((call) => call.idempotencyKey !== null);
  return {
    statement: { text: ANSWERS, params: [keyed.map((c) => c.customerId), keyed.map((c) => c.idempotencyKey)] },
    read(rows, customers) {
      for (const row of rowsAs<AnswerRow>(rows)) customers.get(row.customer_id)?.answers.set(row.idempotency_key, row);
    },
  };
};
