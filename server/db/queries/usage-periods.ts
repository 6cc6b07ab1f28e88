/** usage-periods — a customer's counters of one feature: rows in, domain values out. */
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import type { Period } from '../../domain/period.ts';
import { type Units, unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';

/** What was counted in one period, and what paid for it. */
export type UsagePeriod = {
  readonly period: Period;
  readonly used: Units;
  /** Reserved, and not used yet. Paid for like use. */
  readonly held: Units;
  /** The parts of `used` and `held` that credits, the wallet and the bill pay for; the rest is included. */
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  /** What wallet and overage units cost, in minor units. */
  readonly cost: Units;
  /** ISO 4217 of the cost; null where it costs nothing. */
  readonly currency: string | null;
  /** When the final total was written. */
  readonly closedAtMs: number | null;
  /** When late use changed the final total. */
  readonly correctedAtMs: number | null;
};

export type PeriodsOf = { readonly tenantId: string; readonly customerId: string; readonly featureKey: string };

/** A page is one range of `counters_pkey`, read backwards. */
const READ_PERIODS = `
  SELECT c.period_start, c.period_end, c.used::text AS used, c.held::text AS held, c.credits::text AS credits,
    c.wallet::text AS wallet, c.overage::text AS overage, c.cost::text AS cost, c.currency, c.closed_at, c.corrected_at
  FROM counters c
  WHERE c.tenant_id = $1::uuid AND c.customer_id = $2::uuid AND c.feature_key = $3::text AND c.entity_id = ''
    AND c.period_start < coalesce($4::timestamptz, 'infinity')
  ORDER BY c.period_start DESC
  LIMIT $5::integer`;

/** The newest first. A position is the start of a period. */
export async function usagePeriodsPage(
  query: Query,
  { tenantId, customerId, featureKey }: PeriodsOf,
  request: PageRequest<number>,
): Promise<Page<UsagePeriod>> {
  const before = request.after === null ? null : new Date(request.after).toISOString();
  const params = [tenantId, customerId, featureKey, before, rowsFor(request)];
  const rows = await query<PeriodRow>({ text: READ_PERIODS, params });
  return pageOf(rows.map(periodFromRow), request);
}

/** One driver reads instants, the other their text. */
type Instant = Date | string;

type PeriodRow = {
  readonly period_start: Instant;
  readonly period_end: Instant | null;
  readonly used: string;
  readonly held: string;
  readonly credits: string;
  readonly wallet: string;
  readonly overage: string;
  readonly cost: string;
  readonly currency: string | null;
  readonly closed_at: Instant | null;
  readonly corrected_at: Instant | null;
};

const periodFromRow = (row: PeriodRow): UsagePeriod => ({
  period: { startMs: msOf(row.period_start), endMs: msOrNull(row.period_end) },
  used: unitsOf(row.used),
  held: unitsOf(row.held),
  credits: unitsOf(row.credits),
  wallet: unitsOf(row.wallet),
  overage: unitsOf(row.overage),
  cost: unitsOf(row.cost),
  currency: row.currency,
  closedAtMs: msOrNull(row.closed_at),
  correctedAtMs: msOrNull(row.corrected_at),
});

const msOf = (at: Instant): number => new Date(at).getTime();
const msOrNull = (at: Instant | null): number | null => (at === null ? null : msOf(at));
