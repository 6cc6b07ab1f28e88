/** closed-periods — counters of periods that are closed, of a whole tenant, a page at a time. */
import { type Units, unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';

export type ClosedPeriodsFilter = {
  readonly tenantId: string;
  /** When they ended, half-open; null is open on that side. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
};

/** What a customer's periods are found again by: two of one feature never end at once. */
export type PeriodPosition = { readonly featureKey: string; readonly periodEndMs: number };

export type ClosedPeriod = PeriodPosition & {
  readonly customerId: string;
  readonly referenceId: string;
  readonly periodStartMs: number;
  readonly used: Units;
  /** Reserved, and not used yet. */
  readonly held: Units;
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  /** What wallet and overage units cost, and what of it the wallet paid, in minor units. */
  readonly cost: Units;
  readonly walletCharge: Units;
  readonly currency: string | null;
  readonly closedAtMs: number;
  readonly correctedAtMs: number | null;
};

const REFERENCES = `
  SELECT id, reference_id FROM customers WHERE tenant_id = $1::uuid AND reference_id > $2::text COLLATE "C"
  ORDER BY reference_id LIMIT $3::integer`;

/** The tenant's customers in order of their references. */
export async function referencesAfter(query: Query, tenantId: string, referenceId: string, max: number) {
  const rows = await query<{ id: string; reference_id: string }>({
    text: REFERENCES,
    params: [tenantId, referenceId, max],
  });
  return rows.map((row) => ({ customerId: row.id, referenceId: row.reference_id }));
}

/** Of each customer a range of `counters_closed`, in its order: what is not asked for is not walked through. */
const PERIODS = `
  SELECT c.customer_id, u.reference_id, c.feature_key, c.period_start, c.period_end, c.used::text AS used, c.held::text AS held,
    c.credits::text AS credits, c.wallet::text AS wallet, c.overage::text AS overage, c.cost::text AS cost,
    c.wallet_charge::text AS wallet_charge, c.currency, c.closed_at, c.corrected_at
  FROM jsonb_to_recordset($2::text::jsonb) AS u (place integer, id uuid, reference_id text)
  CROSS JOIN LATERAL (
    SELECT * FROM counters c
    WHERE c.customer_id = u.id AND c.tenant_id = $1::uuid AND c.entity_id = '' AND c.closed_at IS NOT NULL
      AND (c.period_end, c.feature_key) > ($3::timestamptz, $4::text COLLATE "C")
      AND c.period_end < coalesce($5::timestamptz, 'infinity')
    ORDER BY c.period_end, c.feature_key LIMIT $6::integer
  ) c
  ORDER BY u.place, c.period_end, c.feature_key`;

/** In the order of the customers; of each at most `max`, after a position. */
export async function closedPeriodsOf(
  query: Query,
  { tenantId, fromMs, toMs }: ClosedPeriodsFilter,
  customers: readonly { readonly customerId: string; readonly referenceId: string }[],
  after: PeriodPosition | null,
  max: number,
): Promise<readonly ClosedPeriod[]> {
  const of = customers.map(({ customerId, referenceId }, place) => ({
    place,
    id: customerId,
    reference_id: referenceId,
  }));
  const { featureKey, periodEndMs } = after ?? { featureKey: '', periodEndMs: fromMs ?? 0 };
  const to = toMs === null ? null : isoOf(toMs);
  const params = [tenantId, JSON.stringify(of), isoOf(periodEndMs), featureKey, to, max];
  const rows = await query<PeriodRow>({ text: PERIODS, params });
  return rows.map((row) => ({
    customerId: row.customer_id,
    referenceId: row.reference_id,
    featureKey: row.feature_key,
    periodStartMs: msOf(row.period_start),
    periodEndMs: msOf(row.period_end),
    used: unitsOf(row.used),
    held: unitsOf(row.held),
    credits: unitsOf(row.credits),
    wallet: unitsOf(row.wallet),
    overage: unitsOf(row.overage),
    cost: unitsOf(row.cost),
    walletCharge: unitsOf(row.wallet_charge),
    currency: row.currency,
    closedAtMs: msOf(row.closed_at),
    correctedAtMs: row.corrected_at === null ? null : msOf(row.corrected_at),
  }));
}

/** One driver reads instants, the other their text. */
type Instant = Date | string;

const msOf = (at: Instant): number => new Date(at).getTime();
const isoOf = (ms: number): string => new Date(ms).toISOString();

type PeriodRow = {
  readonly customer_id: string;
  readonly reference_id: string;
  readonly feature_key: string;
  readonly period_start: Instant;
  readonly period_end: Instant;
  readonly used: string;
  readonly held: string;
  readonly credits: string;
  readonly wallet: string;
  readonly overage: string;
  readonly cost: string;
  readonly wallet_charge: string;
  readonly currency: string | null;
  readonly closed_at: Instant;
  readonly corrected_at: Instant | null;
};
