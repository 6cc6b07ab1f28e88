/** usage-forecast — reads what a forecast is made from, under row level security, and makes it. */
import { type MeterFacts, meterFacts } from '../db/queries/usage-forecast.ts';
import { seriesRows } from '../db/queries/usage-series.ts';
import { queryIn } from '../db/query-in.ts';
import type { Customer } from '../domain/customer.ts';
import { billedAhead, daysBefore, type Forecast, forecast, type PastDay, projectedCost } from '../domain/forecast.ts';
import type { Money } from '../domain/money.ts';
import type { SeriesRow, Span } from '../domain/series.ts';
import { maxUnits, type Units } from '../domain/units.ts';
import type { Usage } from '../domain/usage.ts';
import type { Deps } from './deps.ts';

export type UsageForecast = Forecast & {
  readonly usage: Usage;
  /** Null where the feature has no price, or the period no end. */
  readonly projectedCost: Money | null;
  /** Of the units to come, those that have that cost; 0 where there is none. */
  readonly billedAhead: Units;
};

/** @param usage The meter as it stands: the forecast goes on from there. */
export async function readUsageForecast(
  { database }: Pick<Deps, 'database'>,
  { tenantId, id: customerId, timeZone, createdAtMs }: Pick<Customer, 'tenantId' | 'id' | 'timeZone' | 'createdAtMs'>,
  usage: Usage,
): Promise<UsageForecast> {
  const { feature, period, used, entitled, policy, atMs } = usage;
  const meter = { tenantId, customerId, featureKey: feature.key };
  const spans = daysBefore(timeZone, atMs);
  const { facts, rows } = await database.readAs(tenantId, async (db) => ({
    facts: await meterFacts(queryIn(db), meter, period.startMs),
    rows: await seriesRows(queryIn(db), meter, spans, null),
  }));
  const ahead = forecast({
    ...{ aggregation: feature.aggregation, period, used, timeZone },
    limit: entitled ? policy.limit : 0n,
    floor: policy.minLimit ?? 0n,
    days: knownDays(spans, rows, facts.firstMinuteMs),
    sinceMs: createdAtMs,
    nowMs: atMs,
  });
  return { ...ahead, usage, ...costAhead(usage, facts, ahead.projected) };
}

/** The whole days since the first use; one without use counts, too, and one before it is not known. */
function knownDays(spans: readonly Span[], rows: readonly SeriesRow[], firstMinuteMs: number | null): PastDay[] {
  const amounts = spans.map(() => 0n);
  for (const { bucket, amount } of rows) amounts[bucket] = (amounts[bucket] ?? 0n) + amount;
  return spans
    .map((span, i) => ({ ...span, amount: amounts[i] ?? 0n }))
    .filter(({ startMs }) => firstMinuteMs !== null && firstMinuteMs <= startMs);
}

function costAhead(
  { policy, used, reserved, credits }: Usage,
  facts: MeterFacts,
  projected: Units | null,
): Pick<UsageForecast, 'projectedCost' | 'billedAhead'> {
  const { price, limit, enforcement, included } = policy;
  if (price === null || projected === null) return { projectedCost: null, billedAhead: 0n };
  const { pricedUnits, cost, takenUnits, creditUnits } = facts;
  const includedUsed = takenUnits - pricedUnits - creditUnits;
  const freeUnits = included === null ? null : maxUnits(included - includedUsed, 0n) + credits;
  const allowedUnits = limit === null || enforcement === 'soft' ? null : limit - used - reserved;
  const use = { price, cost, pricedUnits, freeUnits, allowedUnits };
  const amount = projectedCost(use, projected - used);
  return { projectedCost: { amount, currency: price.currency }, billedAhead: billedAhead(use, projected - used) };
}
