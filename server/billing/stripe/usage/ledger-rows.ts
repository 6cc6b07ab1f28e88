/** ledger-rows — what our ledger says of a counter that somebody is billed for: the counter, what was told, and how far that has come. */
import type { Query } from '../../../db/client.ts';
import { type Units, unitsOf } from '../../../domain/units.ts';
import type { MeterPeriod } from './identifier.ts';
import { HELD_OVERAGE, isoOf } from './outbox.ts';

export type LedgerRow = MeterPeriod & {
  readonly tenantId: string;
  readonly referenceId: string;
  readonly periodEndMs: number | null;
  /** Of the counter itself, and whether its period is closed. */
  readonly counterOverage: Units;
  readonly isClosed: boolean;
  /** As it was copied. */
  readonly overage: Units;
  readonly unpriced: Units;
  readonly held: Units;
  /** Whole units that were put into messages, and what became of these. */
  readonly reported: Units;
  readonly delivered: Units;
  readonly waiting: Units;
  readonly sent: Units;
  readonly dead: Units;
};

export type ReconcileRange = {
  /** Null for all tenants. */
  readonly tenantId: string | null;
  /** Periods that ended before are left out. */
  readonly endedAfterMs: number;
};

const ROWS_AT_ONCE = 200;

const sumOf = (state: string): string =>
  `coalesce(sum(m.quantity) FILTER (WHERE m.state = '${state}'), 0)::text AS ${state}`;

const LEDGER = `
  SELECT o.customer_id, o.feature_key, o.period_start, o.period_end, o.tenant_id, customers.reference_id, o.overage::text AS overage,
    o.unpriced::text AS unpriced, o.reported::text AS reported, ${HELD_OVERAGE}::text AS held,
    coalesce(c.overage, o.overage)::text AS counter_overage, c.closed_at IS NOT NULL AS is_closed,
    told.delivered, told.waiting, told.sent, told.dead
  FROM usage_outbox o JOIN customers ON customers.id = o.customer_id
  LEFT JOIN counters c ON c.customer_id = o.customer_id AND c.feature_key = o.feature_key AND c.entity_id = '' AND c.period_start = o.period_start
  CROSS JOIN LATERAL (
    SELECT ${['delivered', 'waiting', 'sent', 'dead'].map(sumOf).join(', ')} FROM usage_messages m
    WHERE m.customer_id = o.customer_id AND m.feature_key = o.feature_key AND m.period_start = o.period_start
  ) told
  WHERE ($1::uuid IS NULL OR o.tenant_id = $1::uuid) AND (o.period_end IS NULL OR o.period_end > $2::timestamptz)
    AND ($3::uuid IS NULL OR (o.customer_id, o.feature_key, o.period_start) > ($3::uuid, $4, $5::timestamptz))
  ORDER BY o.customer_id, o.feature_key, o.period_start LIMIT $6::integer`;

/** Page by page, in the order of their keys. Each page is one statement, so that nothing moves between what it reads. */
export async function* ledgerPages(query: Query, range: ReconcileRange): AsyncGenerator<readonly LedgerRow[]> {
  for (let after: Row | undefined; ; ) {
    const page: readonly Row[] = await query<Row>({
      text: LEDGER,
      params: [
        range.tenantId,
        isoOf(range.endedAfterMs),
        after?.customer_id ?? null,
        after?.feature_key ?? '',
        after === undefined ? null : isoOf(after.period_start.getTime()),
        ROWS_AT_ONCE,
      ],
    });
    yield page.map(ledgerRowOf);
    after = page.at(-1);
    if (page.length < ROWS_AT_ONCE) return;
  }
}

type Row = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly period_start: Date;
  readonly period_end: Date | null;
  readonly tenant_id: string;
  readonly reference_id: string;
  readonly counter_overage: string;
  readonly is_closed: boolean;
  readonly overage: string;
  readonly unpriced: string;
  readonly held: string;
  readonly reported: string;
  readonly delivered: string;
  readonly waiting: string;
  readonly sent: string;
  readonly dead: string;
};

const ledgerRowOf = (row: Row): LedgerRow => ({
  customerId: row.customer_id,
  featureKey: row.feature_key,
  periodStartMs: row.period_start.getTime(),
  periodEndMs: row.period_end?.getTime() ?? null,
  tenantId: row.tenant_id,
  referenceId: row.reference_id,
  counterOverage: unitsOf(row.counter_overage),
  isClosed: row.is_closed,
  overage: unitsOf(row.overage),
  unpriced: unitsOf(row.unpriced),
  held: unitsOf(row.held),
  reported: unitsOf(row.reported),
  delivered: unitsOf(row.delivered),
  waiting: unitsOf(row.waiting),
  sent: unitsOf(row.sent),
  dead: unitsOf(row.dead),
});
