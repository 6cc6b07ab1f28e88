import type { RuleKey } from '../../domain/period.ts';
import { unitsOf } from '../../domain/units.ts';
import { type CustomerState, meterKey, type StoredCounter, valueKey } from '../state.ts';
import { iso } from './columns.ts';
import { type Customers, type Look, msOf, rowsAs, unitsOr0 } from './look.ts';

/** A meter of a customer. */
export type MeterName = { readonly customerId: string; readonly featureKey: string; readonly entityId: string | null };

type CounterRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly entity_id: string;
  readonly period_start: Date;
  readonly period_end: Date | null;
  readonly reset: RuleKey;
  readonly used: string;
  readonly held: string | null;
  readonly credits: string | null;
  readonly wallet: string | null;
  readonly overage: string | null;
  readonly cost: string | null;
  readonly wallet_charge: string | null;
  readonly currency: string | null;
  readonly level: string | null;
  readonly level_at: Date | null;
  readonly area: string | null;
  readonly raised: readonly string[] | null;
  readonly sequence: string;
  readonly closed_at: Date | null;
  readonly corrected_at: Date | null;
};

const NO_MARKS: StoredCounter['raised'] = new Set();

const counterFromRow = (row: CounterRow): StoredCounter => ({
  period: { startMs: row.period_start.getTime(), endMs: msOf(row.period_end), reset: row.reset },
  used: unitsOf(row.used),
  held: unitsOr0(row.held),
  credits: unitsOr0(row.credits),
  wallet: unitsOr0(row.wallet),
  overage: unitsOr0(row.overage),
  cost: unitsOr0(row.cost),
  walletCharge: unitsOr0(row.wallet_charge),
  currency: row.currency,
  gauge:
    row.level === null
      ? null
      : {
          level: unitsOf(row.level),
          atMs: msOf(row.level_at) ?? row.period_start.getTime(),
          area: BigInt(row.area ?? 0),
        },
  raised: row.raised === null ? NO_MARKS : new Set(row.raised),
  sequence: BigInt(row.sequence),
  closedAtMs: msOf(row.closed_at),
  correctedAtMs: msOf(row.corrected_at),
});

const COUNTER_COLUMNS = `
  c.customer_id, c.feature_key, c.entity_id, c.period_start, c.period_end, c.reset, c.used, nullif(c.held, 0) AS held,
  nullif(c.credits, 0) AS credits, nullif(c.wallet, 0) AS wallet, nullif(c.overage, 0) AS overage, nullif(c.cost, 0) AS cost,
  nullif(c.wallet_charge, 0) AS wallet_charge, c.currency, c.level, c.level_at, c.area, to_json(nullif(c.raised, '{}')) AS raised,
  c.sequence, c.closed_at, c.corrected_at`;

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
      for (const row of rowsAs<CounterRow>(rows)) {
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
      for (const row of rowsAs<CounterRow>(rows)) {
        addEarlier(
          customers.get(row.customer_id),
          meterKey(row.feature_key, row.entity_id || null),
          counterFromRow(row),
        );
      }
    },
  };
}

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

/** Counters that the passing of time may end, or in which a hold may. */
export const lookAtOpenCounters = (customerIds: readonly string[]): Look => ({
  statement: { text: OPEN_COUNTERS, params: [customerIds] },
  read(rows, customers) {
    for (const row of rowsAs<CounterRow>(rows)) rememberCounter(row, customers);
  },
});

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

type ValueRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly period_start: Date;
  readonly value: string;
};

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
    for (const row of rowsAs<ValueRow>(rows)) {
      customers.get(row.customer_id)?.seen.add(valueKey(row.feature_key, row.period_start.getTime(), row.value));
    }
  },
});
