/**
 * forecast — what a period comes to if use goes on as it has, and when the limit is met by then. Pure.
 *
 * Use has a shape: weekends differ from working days. So the days to come count as the mean of the same weekday in the
 * last four weeks; where too few days are known, the rest of the period goes on at the rate so far.
 */
import { Temporal } from 'temporal-polyfill';
import type { Aggregation } from './feature.ts';
import type { Period } from './period.ts';
import { costBetween, type Price } from './price.ts';
import { type Span, spanAround } from './series.ts';
import { divideHalfEven, maxUnits, minUnits, type Units } from './units.ts';

/** Days that are looked back on: four of each weekday. */
export const SAMPLE_DAYS = 28;
/** Days that must be known for weekdays to be told apart: two of each. */
export const SAMPLE_DAYS_MIN = 14;
/** How far is looked ahead where the period never ends. */
export const HORIZON_MS = 366 * 24 * 3_600_000;

export const FORECAST_BASES = ['weekdays', 'run_rate', 'standing'] as const;
/**
 * `weekdays`: each day to come counts as the mean of that weekday. `run_rate`: it goes on as in the period so far.
 * `standing`: it stays what it is.
 */
export type ForecastBasis = (typeof FORECAST_BASES)[number];

/** A whole local day that has passed, and what its events added to the counter. */
export type PastDay = Span & { readonly amount: Units };

export type ForecastInput = {
  readonly aggregation: Aggregation;
  /** The running one. */
  readonly period: Period;
  readonly used: Units;
  /** Null is unlimited. */
  readonly limit: Units | null;
  /** What use can't fall below. */
  readonly floor: Units;
  /** Whole days since the first use, oldest first: see `daysBefore`. */
  readonly days: readonly PastDay[];
  /** The customer's own start: before it there was nobody to use anything. */
  readonly sinceMs: number;
  readonly timeZone: string;
  readonly nowMs: number;
};

export type Forecast = {
  /** Used by the end of the period, also beyond the limit; null where the period never ends. */
  readonly projected: Units | null;
  /** When use will have reached the limit; now, if it has already; null if not within the period, or a year. */
  readonly limitReachedAtMs: number | null;
  readonly basis: ForecastBasis;
  /** How many whole days are known. */
  readonly sampledDays: number;
  /** Whether weekdays could be told apart, and what is counted adds up day by day. */
  readonly confident: boolean;
};

/** The whole local days before an instant's own, oldest first. */
export function daysBefore(timeZone: string, atMs: number, count: number = SAMPLE_DAYS): readonly Span[] {
  const days: Span[] = [];
  let { startMs } = spanAround('day', timeZone, atMs);
  for (let i = 0; i < count; i++) {
    const day = spanAround('day', timeZone, startMs - 1);
    days.unshift(day);
    startMs = day.startMs;
  }
  return days;
}

/**
 * Walks ahead from now to the end of the period, a stretch at a time. What a stretch adds is rounded half-even, once,
 * to the ninth decimal; within it use grows evenly.
 */
export function forecast(input: ForecastInput): Forecast {
  const { period, limit, floor, nowMs, days } = input;
  const basis = basisOf(input);
  let used = input.used;
  let limitReachedAtMs = limit !== null && used >= limit ? nowMs : null;
  for (const { startMs, endMs, growth } of stretches(input, basis)) {
    if (period.endMs === null && (limit === null || limitReachedAtMs !== null)) break; // nothing is left to be found
    const missing = limit === null ? null : limit - used;
    if (limitReachedAtMs === null && missing !== null && missing <= growth) {
      limitReachedAtMs = startMs + ceilDivide(missing * BigInt(endMs - startMs), growth);
    }
    used = maxUnits(used + growth, minUnits(floor, used));
  }
  return {
    projected: period.endMs === null ? null : used,
    limitReachedAtMs,
    basis,
    sampledDays: days.length,
    confident: basis === 'weekdays' && input.aggregation !== 'unique',
  };
}

function basisOf({ aggregation, days }: ForecastInput): ForecastBasis {
  if (aggregation === 'max' || aggregation === 'weighted_sum') return 'standing';
  if (days.length >= SAMPLE_DAYS_MIN) return 'weekdays';
  return aggregation === 'latest' ? 'standing' : 'run_rate'; // a level was not used up in the time since
}

/** A time to come, and how much is expected to be used in it. */
type Stretch = Span & { readonly growth: Units };

function stretches(input: ForecastInput, basis: ForecastBasis): Iterable<Stretch> {
  if (basis === 'standing') return [];
  return basis === 'weekdays' ? daysAhead(input) : restOfPeriod(input);
}

const endOf = ({ period, nowMs }: ForecastInput): number => period.endMs ?? nowMs + HORIZON_MS;

function* daysAhead(input: ForecastInput): Iterable<Stretch> {
  const { timeZone, nowMs, days } = input;
  const means = meansByWeekday(days, timeZone);
  for (let startMs = nowMs; startMs < endOf(input); ) {
    const day = spanAround('day', timeZone, startMs);
    const endMs = Math.min(day.endMs, endOf(input));
    const mean = means.get(weekdayOf(day, timeZone)) ?? { sum: 0n, count: 1n };
    const growth = divideHalfEven(mean.sum * BigInt(endMs - startMs), mean.count * BigInt(day.endMs - day.startMs));
    yield { startMs, endMs, growth };
    startMs = endMs;
  }
}

function restOfPeriod(input: ForecastInput): readonly Stretch[] {
  const { period, used, sinceMs, nowMs } = input;
  const endMs = endOf(input);
  const elapsedMs = nowMs - Math.max(period.startMs, sinceMs);
  if (elapsedMs <= 0 || endMs <= nowMs) return [];
  return [{ startMs: nowMs, endMs, growth: divideHalfEven(used * BigInt(endMs - nowMs), BigInt(elapsedMs)) }];
}

/** A mean that is not divided yet: nothing is rounded before it must be. */
type Mean = { readonly sum: Units; readonly count: bigint };

function meansByWeekday(days: readonly PastDay[], timeZone: string): ReadonlyMap<number, Mean> {
  const means = new Map<number, Mean>();
  for (const day of days) {
    const weekday = weekdayOf(day, timeZone);
    const { sum, count } = means.get(weekday) ?? { sum: 0n, count: 0n };
    means.set(weekday, { sum: sum + day.amount, count: count + 1n });
  }
  return means;
}

/** Monday is 1. */
const weekdayOf = ({ startMs }: Span, timeZone: string): number =>
  Temporal.Instant.fromEpochMilliseconds(startMs).toZonedDateTimeISO(timeZone).dayOfWeek;

/** Both above 0; the first whole millisecond at or after the quotient. */
const ceilDivide = (a: bigint, b: bigint): number => Number((a + b - 1n) / b);

/** What of a period has a price, and how the next units are paid for. */
export type PricedUse = {
  readonly price: Price;
  /** What the period's priced units have cost so far, in minor units, and how many they are. */
  readonly cost: Units;
  readonly pricedUnits: Units;
  /** Included and prepaid units left; null when there is no end to them. */
  readonly freeUnits: Units | null;
  /** Units that a hard limit leaves; null where use beyond the limit is allowed, or nothing limits it. */
  readonly allowedUnits: Units | null;
};

/** How many of so many more units are to be billed: no more than a hard limit allows, and none that is free. */
export function billedAhead(
  { freeUnits, allowedUnits }: Pick<PricedUse, 'freeUnits' | 'allowedUnits'>,
  more: Units,
): Units {
  const allowed = allowedUnits === null ? more : minUnits(more, maxUnits(allowedUnits, 0n));
  return freeUnits === null ? 0n : maxUnits(allowed - freeUnits, 0n);
}

/** What the period will have cost in minor units, with so many more units used as a hard limit allows. */
export function projectedCost(use: PricedUse, more: Units): Units {
  const { price, cost, pricedUnits } = use;
  return cost + costBetween(price, pricedUnits, pricedUnits + billedAhead(use, more));
}
