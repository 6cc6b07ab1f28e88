/** billed-periods — what a customer's counters say of the periods that a bill is about. */
import { type Units, unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';

/** One period of a feature in which something was used. */
export type BilledPeriod = {
  readonly featureKey: string;
  readonly period: { readonly startMs: number; readonly endMs: number | null };
  readonly used: Units;
  readonly wallet: Units;
  readonly walletCharge: Units;
  readonly overage: Units;
  /** Minor units that wallet and overage units cost together. */
  readonly cost: Units;
  /** In which currency the last of them was priced; null where none was. */
  readonly currency: string | null;
};

/** Those that ended after an instant or have not ended yet: a walk through the customer's own counters. */
const READ_PERIODS = `
  SELECT c.feature_key, c.period_start, c.period_end, c.used::text AS used, c.wallet::text AS wallet,
    c.wallet_charge::text AS wallet_charge, c.overage::text AS overage, c.cost::text AS cost, priced.currency
  FROM counters c LEFT JOIN LATERAL (
    SELECT e.currency FROM events e
    WHERE c.cost <> 0 AND e.customer_id = c.customer_id AND e.feature_key = c.feature_key
      AND e.period_start = c.period_start AND e.currency IS NOT NULL AND e.tenant_id = c.tenant_id
    ORDER BY e.sequence DESC LIMIT 1
  ) priced ON true
  WHERE c.tenant_id = $1::uuid AND c.customer_id = $2::uuid AND c.entity_id = ''
    AND (c.period_end IS NULL OR c.period_end > $3::timestamptz) AND (c.used <> 0 OR c.cost <> 0)
  ORDER BY c.feature_key, c.period_start
  LIMIT $4::integer`;

/** By feature and time, at most `max`. */
export async function billedPeriods(
  query: Query,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
  endedAfterMs: number,
  max: number,
): Promise<readonly BilledPeriod[]> {
  const params = [tenantId, customerId, new Date(endedAfterMs).toISOString(), max];
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
