/**
 * load — what a batch reads, a look at a time. Neither the number nor the text of the statements depends on the size of
 * the batch: every look takes arrays and finds each entry by a key.
 *
 * LATERAL pins the plans: one look-up per entry in an index, whatever the planner believes of the table. OFFSET 0 stands
 * where there is no LIMIT, or the planner would make it a join, for which it might read the whole table.
 */
import type { Row, Statement } from '../db/client.ts';
import type { Grant } from '../domain/grant.ts';
import { unitsOf } from '../domain/units.ts';
import {
  type AnswerRow,
  type CounterRow,
  type CreditRow,
  type CustomerRow,
  counterFromRow,
  creditAccountFromRow,
  customerFromRow,
  type DrawnRow,
  type EventRow,
  eventFromRow,
  type GrantRow,
  grantFromRow,
  type PostingRow,
  type ReservationRow,
  reservationFromRow,
  type ValueRow,
  type WalletRow,
  walletFromRow,
} from './rows.ts';
import { type CustomerState, meterKey, NO_ACCOUNT, type StoredCounter, valueKey } from './state.ts';

export type Customers = Map<string, CustomerState>;

/** One statement, and where its rows go. */
export type Look = {
  readonly statement: Statement;
  readonly read: (rows: readonly Row[], customers: Customers) => void;
};

/** A meter of a customer. */
export type MeterName = { readonly customerId: string; readonly featureKey: string; readonly entityId: string | null };

/** What most rows hold nothing in is read as null: that is sent and parsed far quicker than `{}` and `0.000000000`. */
const CUSTOMER_COLUMNS = `
  id, tenant_id, reference_id, plan_key, plan_version, pending_plan, time_zone, anchor_at, nullif(overrides, '{}') AS overrides,
  nullif(mutes, '[]') AS mutes, sequence, limits_sequence, nullif(rate_windows, '{}') AS rate_windows, prepaid, due_at, created_at`;

/** In key order, so that two gateways never wait for each other in a circle. */
const LOCK_CUSTOMERS = `
  SELECT ${CUSTOMER_COLUMNS} FROM customers WHERE id = ANY($1::text[]::uuid[]) ORDER BY id FOR NO KEY UPDATE`;

const READ_CUSTOMERS = `SELECT ${CUSTOMER_COLUMNS} FROM customers WHERE id = ANY($1::text[]::uuid[])`;

/** The customers, under their lock or without it for who only reads. */
export const lookAtCustomers = (customerIds: readonly string[], lock: boolean): Look => ({
  statement: { text: lock ? LOCK_CUSTOMERS : READ_CUSTOMERS, params: [unique(customerIds)] },
  read(rows, customers) {
    for (const row of rows as CustomerRow[]) customers.set(row.id, customerFromRow(row));
  },
});

export const catalogVersionsStatement = (tenantIds: readonly string[]): Statement => ({
  text: 'SELECT id, catalog_version FROM tenants WHERE id = ANY($1::text[]::uuid[])',
  params: [unique(tenantIds)],
});

/** Tenant → version of its features and plans. */
export const readCatalogVersions = (rows: readonly Row[]): ReadonlyMap<string, number> =>
  new Map(rows.map((row) => [row.id as string, Number(row.catalog_version)]));

const COUNTER_COLUMNS = `
  c.customer_id, c.feature_key, c.entity_id, c.period_start, c.period_end, c.reset, c.used, nullif(c.held, 0) AS held,
  nullif(c.credits, 0) AS credits, nullif(c.wallet, 0) AS wallet, nullif(c.overage, 0) AS overage, nullif(c.cost, 0) AS cost,
  nullif(c.wallet_charge, 0) AS wallet_charge, c.level, c.level_at, c.area, to_json(nullif(c.raised, '{}')) AS raised, c.sequence,
  c.closed_at, c.corrected_at`;

const NEWEST_COUNTERS = `
  SELECT ${COUNTER_COLUMNS}
  FROM unnest($1::text[], $2::text[], $3::text[]) AS k (customer_id, feature_key, entity_id)
  CROSS JOIN LATERAL (
    SELECT * FROM counters
    WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key AND entity_id = k.entity_id
    ORDER BY period_start DESC LIMIT 1
  ) c`;

/** The newest counter of each meter. */
export function lookAtCounters(meters: readonly MeterName[]): Look {
  const names = [...new Map(meters.map((m) => [`${m.customerId}\n${meterKey(m.featureKey, m.entityId)}`, m])).values()];
  return {
    statement: { text: NEWEST_COUNTERS, params: paramsOf(names) },
    read(rows, customers) {
      for (const row of rows as CounterRow[]) {
        const key = meterKey(row.feature_key, row.entity_id || null);
        customers.get(row.customer_id)?.counters.set(key, counterFromRow(row));
      }
    },
  };
}

const COUNTERS_SINCE = `
  SELECT ${COUNTER_COLUMNS}
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (customer_id, feature_key, entity_id, at)
  CROSS JOIN LATERAL (
    SELECT * FROM counters
    WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key AND entity_id = k.entity_id
      AND period_start >= coalesce((
        SELECT max(period_start) FROM counters
        WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key AND entity_id = k.entity_id
          AND period_start <= k.at::timestamptz), '-infinity')
    OFFSET 0
  ) c ORDER BY c.period_start`;

/** The counters of each meter from the one that an instant lies in, or follows, to the newest. */
export function lookAtEarlierCounters(meters: readonly (MeterName & { readonly atMs: number })[]): Look {
  return {
    statement: { text: COUNTERS_SINCE, params: [...paramsOf(meters), meters.map((m) => iso(m.atMs))] },
    read(rows, customers) {
      for (const row of rows as CounterRow[]) {
        addEarlier(
          customers.get(row.customer_id),
          meterKey(row.feature_key, row.entity_id || null),
          counterFromRow(row),
        );
      }
    },
  };
}

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
      for (const row of rows as AnswerRow[]) customers.get(row.customer_id)?.answers.set(row.idempotency_key, row);
    },
  };
};

const CREDITS = `
  SELECT b.customer_id, b.feature_key, b.live, b.allocation_id, b.rule, b.sequence
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, feature_key)
  CROSS JOIN LATERAL (
    SELECT * FROM credit_balances WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key LIMIT 1
  ) b`;

const GRANT_COLUMNS = `
  g.customer_id, g.id, g.feature_key, g.source, g.amount, g.remaining, g.priority, g.effective_from, g.expires_at, g.created_at,
  g.state, g.renewal, g.renews_at, g.origin_id, g.rolled_over`;

/** The grants next to burn; and those of the plan, spent or not, and what rolled over: what a change of rule looks at. */
const GRANTS = `
  SELECT ${GRANT_COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, feature_key)
  CROSS JOIN LATERAL (
    (SELECT * FROM grants
     WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key AND state = 'live'
     ORDER BY priority, expires_at, created_at, id LIMIT $3::integer)
    UNION ALL
    (SELECT * FROM grants
     WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key AND state IN ('live', 'spent') AND (source = 'plan' OR rolled_over))
    UNION ALL
    (SELECT a.* FROM credit_balances b JOIN grants a ON a.customer_id = b.customer_id AND a.id = b.allocation_id
     WHERE b.customer_id = k.customer_id::uuid AND b.feature_key = k.feature_key)
  ) g`;

/** The credits of features: their totals, and at most so many of the grants that are next to burn. */
export function lookAtCredits(
  meters: readonly { readonly customerId: string; readonly featureKey: string }[],
  grantsMax: number,
): readonly Look[] {
  const params = [meters.map((m) => m.customerId), meters.map((m) => m.featureKey)];
  return [
    {
      statement: { text: CREDITS, params },
      read(rows, customers) {
        for (const row of rows as CreditRow[]) {
          const credits = customers.get(row.customer_id)?.credits;
          const grants = credits?.get(row.feature_key)?.grants ?? new Map();
          credits?.set(row.feature_key, { ...creditAccountFromRow(row), grants });
        }
      },
    },
    { statement: { text: GRANTS, params: [...params, grantsMax] }, read: readGrants },
  ];
}

/** Adds grants to the accounts of their features. */
function readGrants(rows: readonly Row[], customers: Customers): void {
  const found = new Map<string, { customer: CustomerState; featureKey: string; grants: Map<string, Grant> }>();
  for (const row of rows as GrantRow[]) {
    const customer = customers.get(row.customer_id);
    if (!customer) continue;
    const known = customer.credits.get(row.feature_key)?.grants;
    const name = `${row.customer_id}\n${row.feature_key}`;
    const entry = found.get(name) ?? { customer, featureKey: row.feature_key, grants: new Map(known) };
    entry.grants.set(row.id, grantFromRow(row));
    found.set(name, entry);
  }
  for (const { customer, featureKey, grants } of found.values()) {
    customer.credits.set(featureKey, { ...(customer.credits.get(featureKey) ?? NO_ACCOUNT), grants });
  }
}

const NAMED_GRANTS = `
  SELECT ${GRANT_COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, id)
  CROSS JOIN LATERAL (SELECT * FROM grants WHERE customer_id = k.customer_id::uuid AND id = k.id::uuid LIMIT 1) g`;

const GRANTS_OF_ORIGIN = `
  SELECT ${GRANT_COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, id)
  CROSS JOIN LATERAL (SELECT * FROM grants WHERE customer_id = k.customer_id::uuid AND origin_id = k.id::uuid AND state IN ('live', 'spent')) g`;

/** What came of grants that come again, as far as it lives. */
export const lookAtGrantsOfOrigin = (names: readonly { readonly customerId: string; readonly id: string }[]): Look => ({
  statement: { text: GRANTS_OF_ORIGIN, params: [names.map((n) => n.customerId), names.map((n) => n.id)] },
  read: readGrants,
});

/** Grants by id. */
export const lookAtGrants = (names: readonly { readonly customerId: string; readonly id: string }[]): Look => ({
  statement: { text: NAMED_GRANTS, params: [names.map((n) => n.customerId), names.map((n) => n.id)] },
  read: readGrants,
});

const WALLETS = `
  SELECT w.customer_id, w.currency, w.balance, w.floor, w.spent, w.spent_since, w.top_ups, w.top_up_asked_at, w.top_up_failed_at, w.sequence,
    a.sequence AS top_up_sequence, a.amount AS top_up_amount
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (SELECT * FROM wallets WHERE customer_id = k.customer_id::uuid OFFSET 0) w
  LEFT JOIN LATERAL (
    SELECT sequence, amount FROM (
      SELECT * FROM top_up_requests
      WHERE w.top_up_asked_at IS NOT NULL AND customer_id = w.customer_id AND currency = w.currency OFFSET 0
    ) r WHERE state = 'asked' ORDER BY sequence DESC LIMIT 1
  ) a ON true`;

export const lookAtWallets = (customerIds: readonly string[]): Look => ({
  statement: { text: WALLETS, params: [unique(customerIds)] },
  read(rows, customers) {
    for (const row of rows as WalletRow[])
      customers.get(row.customer_id)?.wallets.set(row.currency, walletFromRow(row));
  },
});

/** A value that is seen again in each of many periods: only the newest of them matter. */
const PERIODS_OF_VALUE_MAX = 1_000;

const VALUES = `
  SELECT v.customer_id, v.feature_key, v.period_start, v.value
  FROM unnest($1::text[], $2::text[], $3::text[]) AS k (customer_id, feature_key, value)
  CROSS JOIN LATERAL (
    SELECT * FROM unique_values
    WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key AND value = k.value
    ORDER BY period_start DESC LIMIT ${PERIODS_OF_VALUE_MAX}
  ) v`;

export type ValueName = { readonly customerId: string; readonly featureKey: string; readonly value: string };

/** In which periods these values were seen. */
export const lookAtValues = (names: readonly ValueName[]): Look => ({
  statement: {
    text: VALUES,
    params: [names.map((n) => n.customerId), names.map((n) => n.featureKey), names.map((n) => n.value)],
  },
  read(rows, customers) {
    for (const row of rows as ValueRow[]) {
      customers.get(row.customer_id)?.seen.add(valueKey(row.feature_key, row.period_start.getTime(), row.value));
    }
  },
});

const RESERVATION_COLUMNS = `
  r.customer_id, r.id, r.feature_key, r.entity_id, r.period_start, r.override_key, r.amount, r.split, r.draws, r.properties::text AS properties,
  r.state, r.committed, r.answer, r.created_at, r.expires_at, r.closed_at`;

const NAMED_RESERVATIONS = `
  SELECT ${RESERVATION_COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, id)
  CROSS JOIN LATERAL (SELECT * FROM reservations WHERE customer_id = k.customer_id::uuid AND id = k.id::uuid LIMIT 1) r`;

const OPEN_RESERVATIONS = `
  SELECT ${RESERVATION_COLUMNS}
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (
    SELECT * FROM reservations WHERE customer_id = k.customer_id::uuid AND state = 'open' OFFSET 0
  ) r`;

export const lookAtReservations = (names: readonly { readonly customerId: string; readonly id: string }[]): Look => ({
  statement: { text: NAMED_RESERVATIONS, params: [names.map((n) => n.customerId), names.map((n) => n.id)] },
  read: readReservations,
});

/** Everything that customers hold. */
export const lookAtOpenReservations = (customerIds: readonly string[]): Look => ({
  statement: { text: OPEN_RESERVATIONS, params: [unique(customerIds)] },
  read: readReservations,
});

function readReservations(rows: readonly Row[], customers: Customers): void {
  for (const row of rows as ReservationRow[]) {
    const customer = customers.get(row.customer_id);
    customer?.reservations.set(row.id, reservationFromRow(row));
    if (row.answer !== null) customer?.commits.set(row.id, row.answer);
  }
}

/** Postings by which units of a grant were used, or (above 0) given back: at once, or out of a reservation. */
const DRAWS = `grant_id IS NOT NULL AND ((account = 'grant' AND kind IN ('use', 'reversal')) OR (account = 'held' AND kind = 'commit'))`;

const NAMED_EVENTS = `
  SELECT e.customer_id, e.sequence, e.kind, e.feature_key, e.entity_id, e.period_start, e.reported, e.amount, e.credits, e.wallet, e.overage,
    e.cost, e.wallet_charge, e.currency, e.properties::text AS properties, e.occurred_at,
    EXISTS (SELECT FROM events x WHERE x.customer_id = e.customer_id AND x.reverses = e.sequence) AS is_reversed
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, sequence)
  CROSS JOIN LATERAL (SELECT * FROM events WHERE customer_id = k.customer_id::uuid AND sequence = k.sequence::bigint LIMIT 1) e`;

const POSTINGS_OF_EVENTS = `
  SELECT p.customer_id, p.sequence, p.grant_id, p.amount
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, sequence)
  CROSS JOIN LATERAL (
    SELECT * FROM postings WHERE customer_id = k.customer_id::uuid AND sequence = k.sequence::bigint ORDER BY line OFFSET 0
  ) p WHERE ${DRAWS}`;

/** Events by sequence, with what paid for them. */
export function lookAtEvents(
  names: readonly { readonly customerId: string; readonly sequence: bigint }[],
): readonly Look[] {
  const params = [names.map((n) => n.customerId), names.map((n) => n.sequence.toString())];
  return [
    {
      statement: { text: NAMED_EVENTS, params },
      read(rows, customers) {
        for (const row of rows as EventRow[]) {
          customers.get(row.customer_id)?.events.set(BigInt(row.sequence), eventFromRow(row));
        }
      },
    },
    {
      statement: { text: POSTINGS_OF_EVENTS, params },
      read(rows, customers) {
        for (const row of rows as PostingRow[]) addDraw(row, customers);
      },
    },
  ];
}

function addDraw(row: PostingRow, customers: Customers): void {
  const events = customers.get(row.customer_id)?.events;
  const event = events?.get(BigInt(row.sequence));
  if (!events || !event) return;
  const draw = { grantId: row.grant_id, units: -unitsOf(row.amount) };
  events.set(event.sequence, { ...event, payment: { ...event.payment, draws: [...event.payment.draws, draw] } });
}

/** Far more draws than one call gives back; what is older stays drawn from where it was. */
const DRAWS_MAX = 10_000;

const DRAWN = `
  SELECT p.customer_id, p.commodity, p.grant_id, p.amount
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, commodity)
  CROSS JOIN LATERAL (
    SELECT * FROM postings
    WHERE customer_id = k.customer_id::uuid AND commodity = k.commodity AND ${DRAWS}
    ORDER BY sequence DESC, line DESC LIMIT ${DRAWS_MAX}
  ) p ORDER BY p.sequence, p.line`;

/** Where credits of these features were drawn and given back, oldest first. */
export const lookAtDraws = (meters: readonly { readonly customerId: string; readonly featureKey: string }[]): Look => ({
  statement: { text: DRAWN, params: [meters.map((m) => m.customerId), meters.map((m) => m.featureKey)] },
  read(rows, customers) {
    for (const row of rows as DrawnRow[]) {
      const drawn = customers.get(row.customer_id)?.drawn;
      const known = drawn?.get(row.commodity) ?? [];
      drawn?.set(row.commodity, [...known, { grantId: row.grant_id, units: -unitsOf(row.amount) }]);
    }
  },
});

const DUE_GRANTS = `
  SELECT ${GRANT_COLUMNS}
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (SELECT * FROM grants WHERE customer_id = k.customer_id::uuid AND due_at <= $2::timestamptz OFFSET 0) g`;

const LATER_GRANTS = `
  SELECT k.customer_id, g.due_at
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (
    SELECT due_at FROM grants WHERE customer_id = k.customer_id::uuid AND due_at > $2::timestamptz ORDER BY due_at LIMIT 1
  ) g`;

/** Those whose end no one has settled; and all others in which something is held still, and may expire. */
const OPEN_COUNTERS = `
  SELECT ${COUNTER_COLUMNS}
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (
    (SELECT * FROM counters WHERE customer_id = k.customer_id::uuid AND closed_at IS NULL AND period_end IS NOT NULL)
    UNION ALL
    (SELECT n.* FROM (
      SELECT DISTINCT feature_key, entity_id, period_start FROM reservations WHERE customer_id = k.customer_id::uuid AND state = 'open'
    ) h JOIN counters n ON n.customer_id = k.customer_id::uuid AND n.feature_key = h.feature_key AND n.entity_id IN ('', h.entity_id)
      AND n.period_start = h.period_start AND (n.closed_at IS NOT NULL OR n.period_end IS NULL))
  ) c`;

/** What is due of customers, and when the next will be: their grants, their counters that no one has closed. */
export function lookAtDue(customerIds: readonly string[], nowMs: number): readonly Look[] {
  const params = [customerIds, iso(nowMs)];
  return [
    { statement: { text: DUE_GRANTS, params }, read: readGrants },
    {
      statement: { text: LATER_GRANTS, params },
      read(rows, customers) {
        for (const row of rows as { customer_id: string; due_at: Date }[]) {
          const customer = customers.get(row.customer_id);
          if (customer) customer.laterMs = row.due_at.getTime();
        }
      },
    },
    {
      statement: { text: OPEN_COUNTERS, params: [customerIds] },
      read(rows, customers) {
        for (const row of rows as CounterRow[]) rememberCounter(row, customers);
      },
    },
  ];
}

/** The newest of each meter is its counter; the others are of the past. */
function rememberCounter(row: CounterRow, customers: Customers): void {
  const customer = customers.get(row.customer_id);
  const key = meterKey(row.feature_key, row.entity_id || null);
  const counter = counterFromRow(row);
  const newest = customer?.counters.get(key);
  if (!newest || newest.period.startMs < counter.period.startMs) {
    customer?.counters.set(key, counter);
    if (newest) addEarlier(customer, key, newest);
  } else if (newest.period.startMs > counter.period.startMs) addEarlier(customer, key, counter);
}

function addEarlier(customer: CustomerState | undefined, key: string, counter: StoredCounter): void {
  const known = customer?.earlier.get(key) ?? [];
  if (known.some(({ period }) => period.startMs === counter.period.startMs)) return;
  customer?.earlier.set(
    key,
    [...known, counter].sort((a, b) => a.period.startMs - b.period.startMs),
  );
}

const paramsOf = (names: readonly MeterName[]): readonly (readonly string[])[] => [
  names.map((n) => n.customerId),
  names.map((n) => n.featureKey),
  names.map((n) => n.entityId ?? ''),
];

const unique = (values: readonly string[]): string[] => [...new Set(values)];
const iso = (atMs: number): string => new Date(atMs).toISOString();
