/** summaries — what the counted meter events of a customer come to, in a span of time or in each hour or day of it. */
import type Stripe from 'stripe';
import { type Account, customerOf, type Meter } from './account.ts';
import { groupBy } from './group.ts';
import type { MeterEvent } from './meter-ledger.ts';
import { invalid } from './refusal.ts';
import { DAY, HOUR, MINUTE, type Seconds, type Wire } from './wire.ts';

type Summary = Wire<Stripe.Billing.MeterEventSummary>;

const WINDOWS = { hour: HOUR, day: DAY } as const;

/** The latest window first. A window in which nothing was counted is left out; a span that is not cut is always told. */
export function summariesOf(
  account: Account,
  meter: Meter,
  params: Stripe.Billing.MeterListEventSummariesParams,
): Summary[] {
  const { customer, start_time, end_time, value_grouping_window: window } = params;
  customerOf(account, customer, 'customer');
  const size = window === undefined ? MINUTE : WINDOWS[window as keyof typeof WINDOWS];
  if (start_time % size !== 0)
    throw invalid(`Must be aligned with ${window ?? 'minute'} boundaries.`, { param: 'start_time' });
  if (end_time % size !== 0)
    throw invalid(`Must be aligned with ${window ?? 'minute'} boundaries.`, { param: 'end_time' });
  if (end_time <= start_time) throw invalid('Must be after start_time.', { param: 'end_time' });
  const summary = (from: Seconds, to: Seconds, events: readonly MeterEvent[]): Summary => ({
    id: `mtrusg_test_${meter.id}_${customer}_${from}_${to}`,
    object: 'billing.meter_event_summary',
    aggregated_value: Number(aggregate(meter, events)),
    end_time: to,
    livemode: false,
    meter: meter.id,
    start_time: from,
  });
  const events = account.usage.counted(meter.id, customer, start_time, end_time);
  if (window === undefined) return [summary(start_time, end_time, events)];
  return [...byWindow(events, size)]
    .sort(([a], [b]) => b - a)
    .map(([from, inside]) => summary(from, from + size, inside));
}

/** The usage of a customer from one instant until before another. Below 0 where more was taken back than was used. */
export const usageBetween = (account: Account, meter: Meter, customer: string, from: Seconds, to: Seconds): bigint =>
  aggregate(meter, account.usage.counted(meter.id, customer, from, to));

/** @param events In the order they were processed. */
function aggregate(meter: Meter, events: readonly MeterEvent[]): bigint {
  const effective = meter.event_time_window
    ? latestOfEach(events, WINDOWS[meter.event_time_window as keyof typeof WINDOWS])
    : events;
  const values = effective.map(({ counts }) => counts?.value ?? 0n);
  switch (meter.default_aggregation.formula) {
    case 'count':
      return BigInt(effective.length);
    case 'last':
      return (
        effective.reduce<MeterEvent | undefined>(
          (last, next) => (last && last.timestamp > next.timestamp ? last : next),
          undefined,
        )?.counts?.value ?? 0n
      );
    default:
      return values.reduce((sum, value) => sum + value, 0n);
  }
}

/** Of events that sum up a window already, the last received takes the place of those before it. */
const latestOfEach = (events: readonly MeterEvent[], size: Seconds): MeterEvent[] =>
  [...byWindow(events, size).values()].flatMap((inside) => inside.slice(-1));

const byWindow = (events: readonly MeterEvent[], size: Seconds): Map<Seconds, MeterEvent[]> =>
  groupBy(events, ({ timestamp }) => Math.floor(timestamp / size) * size);
