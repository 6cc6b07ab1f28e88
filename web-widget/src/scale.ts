/** scale — the geometry of the bar: how long it is drawn, where its marks stand, and how serious it looks. Pure. */
import { compare, fromFixedPoint, multiply, ratio, subtract, toFixedPoint } from './decimal.ts';
import type { Decimal, MeterThreshold, MeterUsage } from './types.ts';

/**
 * How serious it is. `calm`: no threshold reached. `notice`: one is. `full`: exactly the limit is used. `over`: more
 * than the limit. `none`: the limit is 0 and nothing is used. Unlimited use is calm, or at a threshold of units notice.
 */
export type Level = 'calm' | 'notice' | 'full' | 'over' | 'none';

export type Tick = { readonly at: Decimal; readonly position: number; readonly reached: boolean };

export type Scale = {
  readonly level: Level;
  /** The quantity at the bar's end; `null` where there is nothing to measure against, so no bar. */
  readonly end: Decimal | null;
  /** 0 … 1 of the bar: use up to the limit, and all use. They differ only beyond the limit. */
  readonly within: number;
  readonly filled: number;
  /** The thresholds, ascending, each place once. Beyond the limit the limit itself is one of them. */
  readonly ticks: readonly Tick[];
  /** 0 … 1: the share of the thresholds reached. The bar's colour follows it. */
  readonly stage: number;
};

export function scaleOf(usage: MeterUsage): Scale {
  const { used, limit } = usage;
  const places = thresholdPlaces(usage);
  const level = levelOf(usage, places);
  const end = endOf(usage, places);
  const marks = limit !== null && end !== null && compare(end, limit) > 0 ? ascending([...places, limit]) : places;
  const reached = places.filter((at) => compare(used, at) >= 0).length;
  const tickOf = (at: Decimal): Tick => ({ at, position: ratio(at, end ?? '0'), reached: compare(used, at) >= 0 });
  return {
    level,
    end,
    within: end === null ? 0 : ratio(limit !== null && compare(used, limit) > 0 ? limit : used, end),
    filled: end === null ? 0 : ratio(used, end),
    ticks: end === null ? [] : marks.map(tickOf).filter((tick) => tick.position > 0),
    stage: places.length === 0 ? 0 : reached / places.length,
  };
}

/** Where each threshold stands, in units; those that need a limit have no place without one. */
export function thresholdPlaces({ thresholds, limit }: Pick<MeterUsage, 'thresholds' | 'limit'>): readonly Decimal[] {
  const places = thresholds.map((threshold) => placeOf(threshold, limit));
  return ascending(places.filter((at) => at !== null && compare(at, '0') > 0).map(String));
}

/** Null for what is no line ahead of use: money, every so many units, and the way down. */
export function placeOf({ kind, value, falling }: MeterThreshold, limit: Decimal | null): Decimal | null {
  if (falling || kind === 'SPEND' || kind === 'EVERY') return null;
  if (kind === 'USED') return fromFixedPoint(toFixedPoint(value));
  if (limit === null) return null;
  if (kind === 'FRACTION') return multiply(limit, value);
  return subtract(limit, kind === 'REMAINING' ? value : multiply(limit, value));
}

const ascending = (places: readonly Decimal[]): readonly Decimal[] => [...new Set(places)].sort(compare);

function levelOf({ used, limit }: MeterUsage, places: readonly Decimal[]): Level {
  if (limit !== null) {
    if (compare(used, limit) > 0) return 'over';
    if (compare(limit, '0') <= 0) return 'none';
    if (compare(used, limit) === 0) return 'full';
  }
  return places.some((at) => compare(used, at) >= 0) ? 'notice' : 'calm';
}

/** The limit, or the use beyond it; without a limit a quarter more than the last threshold or the use beyond that. */
function endOf({ used, limit }: MeterUsage, places: readonly Decimal[]): Decimal | null {
  const last = places.at(-1);
  const end = limit ?? (last === undefined ? null : multiply(last, '1.25'));
  if (end === null || (compare(end, '0') <= 0 && compare(used, '0') <= 0)) return null;
  return compare(used, end) > 0 ? used : end;
}
