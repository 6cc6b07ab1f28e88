/** aggregation — what one report adds to what is used. */
import type { Counter, Gauge } from './counter.ts';
import type { Aggregation } from './feature.ts';
import type { Period } from './period.ts';
import { divideHalfEven, maxUnits, type Units } from './units.ts';

/** What was reported, and when the use occurred. */
export type Report = {
  readonly amount: Units;
  readonly atMs: number;
  /** For `unique`: whether the value was not seen in this period before. */
  readonly isNewValue: boolean;
};

export type Measured = {
  /** Added to `used`; below 0 where use is given back. */
  readonly taken: Units;
  readonly gauge: Gauge | null;
};

/** Aggregations whose reports add up, so that entities can share them and units can be held. */
export const isAdditive = (aggregation: Aggregation): boolean =>
  aggregation === 'count' || aggregation === 'sum' || aggregation === 'duration';

/** Whether a part of a report makes sense: there is no part of an event, of a value, nor of a share of time. */
export const isDivisible = (aggregation: Aggregation): boolean =>
  aggregation !== 'count' && aggregation !== 'unique' && aggregation !== 'weighted_sum';

/** Whether its level lives on in the next period. */
export const isCarried = (aggregation: Aggregation): boolean =>
  aggregation === 'latest' || aggregation === 'weighted_sum';

/** What a report adds, by the aggregation of its feature. */
export function measure(aggregation: Aggregation, counter: Counter, report: Report): Measured {
  const { gauge } = counter;
  switch (aggregation) {
    case 'count':
    case 'sum':
    case 'duration':
      return { taken: report.amount, gauge };
    case 'max':
      return { taken: maxUnits(report.amount - counter.used, 0n), gauge };
    case 'unique':
      return { taken: report.isNewValue ? report.amount : 0n, gauge };
    case 'latest':
      return measureLevel(counter, report);
    case 'weighted_sum':
      return measureHeld(counter, report);
  }
}

/** A report of an earlier instant than the last one says nothing about now. */
function measureLevel({ gauge, used }: Counter, { amount, atMs }: Report): Measured {
  if (gauge !== null && atMs < gauge.atMs) return { taken: 0n, gauge };
  return { taken: amount - used, gauge: { level: amount, atMs, area: 0n } };
}

/** A change counts for the rest of the period: what the period comes to if nothing changes any more. */
function measureHeld({ gauge, used, period }: Counter, { amount, atMs }: Report): Measured {
  const before: Gauge = gauge ?? { level: 0n, atMs: period.startMs, area: 0n };
  const area = before.area + amount * BigInt(restOf(period, atMs));
  const level = before.level + amount;
  return {
    taken: shareOf(period, area) - used,
    gauge: { level, atMs: Math.max(before.atMs, atMs), area },
  };
}

/** Milliseconds from an instant to the end of the period. */
const restOf = ({ startMs, endMs }: Period, atMs: number): number => (endMs ?? startMs) - Math.max(atMs, startMs);

/** An area as the quantity that, held through the whole period, comes to it. */
function shareOf({ startMs, endMs }: Period, area: bigint): Units {
  if (endMs === null) throw new TypeError('a quantity held over time needs a period with an end');
  return divideHalfEven(area, BigInt(endMs - startMs));
}

/** The gauge with which the next period begins, and what it has used by that. */
export function carriedInto(aggregation: Aggregation, gauge: Gauge | null, next: Period): Measured {
  if (gauge === null || !isCarried(aggregation)) return { taken: 0n, gauge: null };
  const { level } = gauge;
  const area = aggregation === 'weighted_sum' ? level * BigInt(restOf(next, next.startMs)) : 0n;
  return { taken: level, gauge: { level, atMs: next.startMs, area } };
}
