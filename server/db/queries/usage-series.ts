/** usage-series — rollups summed up by buckets of time, in one statement each. */
import type { SeriesRow, Span } from '../../domain/series.ts';
import type { Units } from '../../domain/units.ts';
import type { Query } from '../client.ts';

/** Whose use of what. */
export type SeriesOf = {
  readonly tenantId: string;
  /** Null for all the tenant's customers. */
  readonly customerId: string | null;
  readonly featureKey: string;
};

export type Grouping = {
  readonly dimension: string;
  /** How many groups to tell apart; the rest is one. */
  readonly groupsMax: number;
  /** What makes a group large. */
  readonly by: 'amount' | 'largest';
};

/**
 * Sums up rollups by bucket, group and currency.
 *
 * Read by `rollups_pkey` for one customer, by `rollups_tenant_feature_minute` for all of a tenant: a range of minutes.
 *
 * @param spans Without gaps between them; at least one.
 * @returns nothing for a bucket without use.
 */
export async function seriesRows(
  query: Query,
  { tenantId, customerId, featureKey }: SeriesOf,
  spans: readonly Span[],
  grouping: Grouping | null,
): Promise<readonly SeriesRow[]> {
  const starts = spans.map(({ startMs }) => iso(startMs));
  const endOfLast = iso(spans.at(-1)?.endMs ?? 0);
  const rows = await query<SumRow>({
    text: seriesSql(customerId !== null, grouping?.by ?? null),
    params: [
      tenantId,
      featureKey,
      `{${starts.join()}}`, // as text: within a transaction the drivers differ in how they write an array
      starts[0] ?? endOfLast,
      endOfLast,
      ...(customerId === null ? [] : [customerId]),
      ...(grouping === null ? [] : [grouping.dimension, String(grouping.groupsMax)]),
    ],
  });
  return rows.map(rowToSeries);
}

const OF_TENANT = `r.tenant_id = $1::uuid AND r.feature_key = $2 AND r.minute >= $4::timestamptz AND r.minute < $5::timestamptz`;

/**
 * Told so that the primary key alone can bound the minutes, and looks as good as it is. To a planner who has never
 * analysed the table the tenant's index would look better, and that has every other customer's minutes in it.
 */
const OF_CUSTOMER = `r.tenant_id::text = $1 AND r.customer_id = $6::uuid AND r.customer_id = ANY (ARRAY[$6::uuid])
        AND (r.customer_id, r.feature_key, r.minute) >= ($6::uuid, $2, $4::timestamptz)
        AND (r.customer_id, r.feature_key, r.minute) < ($6::uuid, $2, $5::timestamptz)`;

/**
 * The bounds are read once, then `width_bucket` finds a minute's bucket by halving. Groups are ranked over the sums,
 * not over minutes.
 */
function seriesSql(ofCustomer: boolean, by: Grouping['by'] | null): string {
  const next = ofCustomer ? 7 : 6;
  const value = by === null ? 'NULL::text' : `r.dimensions::jsonb ->> $${next}::text`;
  const sums = `bounds AS MATERIALIZED (SELECT $3::text::timestamptz[] AS bounds), sums AS (
      SELECT width_bucket(r.minute, b.bounds) - 1 AS bucket, ${value} AS value, r.currency, sum(r.events) AS events,
        sum(r.amount) AS amount, sum(r.credits) AS credits, sum(r.wallet) AS wallet, sum(r.overage) AS overage,
        sum(r.cost) AS cost, max(r.largest) AS largest
      FROM rollups r CROSS JOIN bounds b
      WHERE ${ofCustomer ? OF_CUSTOMER : OF_TENANT}
      GROUP BY 1, 2, 3
    )`;
  if (by === null) {
    return `WITH ${sums} SELECT bucket, NULL AS place, NULL AS value, currency, events::text, amount::text,
      credits::text, wallet::text, overage::text, cost::text, largest::text FROM sums`;
  }
  const weight = by === 'largest' ? 'max(largest)' : 'sum(amount)';
  return `
    WITH ${sums}, weighed AS (
      SELECT *, ${weight} OVER (PARTITION BY value) AS weight FROM sums
    ), ranked AS (
      SELECT *, dense_rank() OVER (ORDER BY weight DESC, value COLLATE "C") AS rank FROM weighed
    ), placed AS (
      SELECT *, CASE WHEN rank <= $${next + 1}::text::integer THEN rank ELSE 0 END AS place FROM ranked
    )
    SELECT bucket, place::integer, CASE WHEN place > 0 THEN min(value) END AS value, currency, sum(events)::text AS events,
      sum(amount)::text AS amount, sum(credits)::text AS credits, sum(wallet)::text AS wallet, sum(overage)::text AS overage,
      sum(cost)::text AS cost, max(largest)::text AS largest
    FROM placed GROUP BY bucket, place, currency`;
}

type SumRow = {
  readonly bucket: number;
  readonly place: number | null;
  readonly value: string | null;
  readonly currency: string;
  readonly events: string;
  readonly amount: string;
  readonly credits: string;
  readonly wallet: string;
  readonly overage: string;
  readonly cost: string;
  readonly largest: string;
};

const rowToSeries = (row: SumRow): SeriesRow => ({
  bucket: row.bucket,
  group: row.place === null ? null : { place: row.place, value: row.value },
  currency: row.currency === '' ? null : row.currency,
  events: BigInt(row.events),
  amount: scaledOf(row.amount),
  credits: scaledOf(row.credits),
  wallet: scaledOf(row.wallet),
  overage: scaledOf(row.overage),
  cost: scaledOf(row.cost),
  largest: scaledOf(row.largest),
});

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** A `numeric(38, 9)` is written with all its nine digits; a sum of many may have more than 38. */
const scaledOf = (text: string): Units => BigInt(text.replace('.', ''));
