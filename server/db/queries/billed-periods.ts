/** billed-periods — what a customer's counters say of the periods that a bill is about. */
import type { CountedPeriod } from '../../domain/invoice-charges.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';

/**
 * Those that ended after an instant or have not ended yet, and those that changed after a sequence: a walk through the
 * customer's own counters.
 */
const READ_PERIODS = `
  SELECT c.feature_key, c.period_start, c.period_end, c.used::text AS used, c.wallet::text AS wallet,
    c.wallet_charge::text AS wallet_charge, c.overage::text AS overage, c.cost::text AS cost, c.currency
  FROM counters c
  WHERE c.tenant_id = $1::uuid AND c.customer_id = $2::uuid AND c.entity_id = ''
    AND (c.sequence > $5::bigint OR (c.used <> 0 OR c.cost <> 0) AND (c.period_end IS NULL OR c.period_end > $3::timestamptz))
    AND (c.period_end IS NULL OR c.period_end > $7::timestamptz AND c.period_end <= coalesce($6::timestamptz, 'infinity'))
  ORDER BY c.feature_key, c.period_start
  LIMIT $4::integer`;

export type PeriodsWanted = {
  readonly tenantId: string;
  readonly customerId: string;
  /** Periods that ended after this instant, or go on. */
  readonly endedAfterMs: number;
  /** Also those that changed after this sequence, whenever they ended; null for none. */
  readonly changedAfter: bigint | null;
  /** Only those that ended after this instant, whenever they changed. */
  readonly neverBeforeMs: number;
  /** Not those that end later; null for all. */
  readonly endedByMs: number | null;
  readonly max: number;
};

const SEQUENCE_MAX = 2n ** 63n - 1n;

/** By feature and time, at most `max`. */
export async function billedPeriods(
  query: Query,
  { tenantId, customerId, endedAfterMs, changedAfter, neverBeforeMs, endedByMs, max }: PeriodsWanted,
): Promise<readonly CountedPeriod[]> {
  const endedBy = endedByMs === null ? null : new Date(endedByMs).toISOString();
  const after = String(changedAfter ?? SEQUENCE_MAX);
  const params = [
    tenantId,
    customerId,
    new Date(endedAfterMs).toISOString(),
    max,
    after,
    endedBy,
    new Date(neverBeforeMs).toISOString(),
  ];
  const rows = await query<PeriodRow>({ text: READ_PERIODS, params });
  return rows.map((row) => ({
    featureKey: row.feature_key,
    period: {
      startMs: new Date(row.period_start).getTime(),
      endMs: row.period_end === null ? null : new Date(row.period_end).getTime(),
    },
    used: unitsOf(row.used),
    wallet: unitsOf(row.wallet),
    walletCharge: unitsOf(row.wallet_charge),
    overage: unitsOf(row.overage),
    cost: unitsOf(row.cost),
    currency: row.currency,
  }));
}

type PeriodRow = {
  readonly feature_key: string;
  /** One driver reads instants, the other their text. */
  readonly period_start: Date | string;
  readonly period_end: Date | string | null;
  readonly used: string;
  readonly wallet: string;
  readonly wallet_charge: string;
  readonly overage: string;
  readonly cost: string;
  readonly currency: string | null;
};
