/** usage-forecast — what a forecast needs to know of one meter besides its past days. */
import { type Units, unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';

export type MeterFacts = {
  /** Start of the minute of the first use, in epoch milliseconds; null when there was none. */
  readonly firstMinuteMs: number | null;
  /** Of the period: used or held, what of it has a price, and what that has cost in minor units. */
  readonly takenUnits: Units;
  readonly creditUnits: Units;
  readonly pricedUnits: Units;
  readonly cost: Units;
};

/** Two look-ups, each in a primary key. */
const READ_FACTS = `
  SELECT (
      SELECT (extract(epoch FROM r.minute) * 1000)::bigint::text FROM rollups r
      WHERE r.tenant_id = m.tenant_id AND r.customer_id = m.customer_id AND r.feature_key = m.feature_key
      ORDER BY r.minute LIMIT 1
    ) AS first_minute_ms,
    coalesce(c.used + c.held, 0)::text AS taken, coalesce(c.credits, 0)::text AS credits,
    coalesce(c.wallet + c.overage, 0)::text AS priced, coalesce(c.cost, 0)::text AS cost
  FROM (SELECT $1::uuid AS tenant_id, $2::uuid AS customer_id, $3::text COLLATE "C" AS feature_key) m
  LEFT JOIN counters c ON c.customer_id = m.customer_id AND c.feature_key = m.feature_key AND c.entity_id = ''
    AND c.period_start = $4::timestamptz AND c.tenant_id = m.tenant_id`;

export async function meterFacts(
  query: Query,
  meter: { readonly tenantId: string; readonly customerId: string; readonly featureKey: string },
  periodStartMs: number,
): Promise<MeterFacts> {
  const { tenantId, customerId, featureKey } = meter;
  const params = [tenantId, customerId, featureKey, new Date(periodStartMs).toISOString()];
  const [row] = await query<FactsRow>({ text: READ_FACTS, params });
  if (!row) throw new Error('a row of constants was not answered');
  return {
    firstMinuteMs: row.first_minute_ms === null ? null : Number(row.first_minute_ms),
    takenUnits: unitsOf(row.taken),
    creditUnits: unitsOf(row.credits),
    pricedUnits: unitsOf(row.priced),
    cost: unitsOf(row.cost),
  };
}

type FactsRow = {
  readonly first_minute_ms: string | null;
  readonly taken: string;
  readonly credits: string;
  readonly priced: string;
  readonly cost: string;
};
