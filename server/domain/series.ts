/** series — use over time: buckets of local time, each with what was used in it and what paid for that. Pure. */
import type { Aggregation } from './feature.ts';
import type { Money } from './money.ts';
import { calendarPeriod, type NamedReset } from './period.ts';
import { problemOfTimeRange } from './time-range.ts';
import { maxUnits, type Units } from './units.ts';

export const BUCKETS = ['minute', 'hour', 'day', 'week', 'month'] as const;
export type Bucket = (typeof BUCKETS)[number];

export const BUCKETS_MAX = 2_000;
export const GROUPS_MAX = 50;
export const GROUPS_DEFAULT = 10;
/** Buckets of all groups together, so that the answer stays one that can be sent and drawn. */
export const POINTS_MAX = 20_000;

const MINUTE_MS = 60_000;

/** Half-open, as everything. */
export type Span = { readonly startMs: number; readonly endMs: number };

export type Spans =
  | { readonly ok: true; readonly spans: readonly Span[] }
  /** Which argument, and a sentence that says what is wrong. */
  | { readonly ok: false; readonly field: 'from' | 'to' | 'bucket'; readonly sentence: string };

/**
 * The buckets that cover a time, one after the other without a gap: from the one that `fromMs` lies in to the one that
 * the instant before `toMs` lies in. All of them are whole, so the same bucket says the same in every answer.
 *
 * Days, weeks and months are those of the calendar in the time zone: a day may have 23 or 25 hours.
 */
export function spansBetween(bucket: Bucket, timeZone: string, fromMs: number, toMs: number): Spans {
  const problem = problemOfTimeRange(fromMs, toMs);
  if (problem) return { ok: false, ...problem };
  const spans: Span[] = [];
  for (let atMs = fromMs; atMs < toMs; ) {
    if (spans.length === BUCKETS_MAX) {
      const sentence = `From ${iso(fromMs)} to ${iso(toMs)} there are more than ${BUCKETS_MAX} buckets of a ${bucket}; ask for a shorter time or larger buckets.`;
      return { ok: false, field: 'bucket', sentence };
    }
    const span = spanAround(bucket, timeZone, atMs);
    spans.push(span);
    atMs = span.endMs;
  }
  return { ok: true, spans };
}

const iso = (atMs: number): string => new Date(atMs).toISOString();

const RESETS = { hour: 'hourly', day: 'daily', week: 'weekly', month: 'monthly' } as const satisfies Record<
  Exclude<Bucket, 'minute'>,
  NamedReset
>;

/** The bucket around an instant. */
export function spanAround(bucket: Bucket, timeZone: string, atMs: number): Span {
  if (bucket === 'minute') {
    const startMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    return { startMs, endMs: startMs + MINUTE_MS };
  }
  const { startMs, endMs } = calendarPeriod({ reset: RESETS[bucket], timeZone, sinceMs: atMs }, atMs);
  if (endMs === null) throw new Error(`a ${bucket} has an end`);
  return { startMs, endMs };
}

/** What was used within a time, and what paid for it. */
export type Figures = {
  /** How many events. */
  readonly events: bigint;
  /** By the feature's aggregation: `max` is the largest amount reported; the others add up. See `usedOf`. */
  readonly used: Units;
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  /** What wallet and overage units cost: one amount a currency, by its name; empty where nothing had a price. */
  readonly costs: readonly Money[];
};

export type UsageBucket = Span & Figures;

/** The part of a series with one value of a property. */
export type UsageGroup = {
  /** Null where the events did not say, and for what is left over. */
  readonly value: string | null;
  /** Whether these are all the values that are not among the largest. */
  readonly isOther: boolean;
  readonly total: UsageBucket;
  readonly buckets: readonly UsageBucket[];
};

export type UsageSeries = {
  /** Of the whole time; its span is that of all buckets. */
  readonly total: UsageBucket;
  /** Every one of the time, in order, also those without use. */
  readonly buckets: readonly UsageBucket[];
  /** Largest first, what is left over last; empty when nothing was grouped. */
  readonly groups: readonly UsageGroup[];
};

/** What the rollups of one bucket, group and currency come to. */
export type SeriesRow = {
  /** Index of the span. */
  readonly bucket: number;
  /** Null when nothing was grouped; `place` is 1 for the largest, 0 for all that have none. */
  readonly group: { readonly place: number; readonly value: string | null } | null;
  /** Null where nothing had a price. */
  readonly currency: string | null;
  readonly events: bigint;
  readonly amount: Units;
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  readonly cost: Units;
  readonly largest: Units;
};

/** @param spans At least one. */
export function seriesOf(aggregation: Aggregation, spans: readonly Span[], rows: readonly SeriesRow[]): UsageSeries {
  const groups = [...groupBy(rows.filter(isGrouped), (row) => row.group.place)];
  const last = Number.POSITIVE_INFINITY;
  return {
    ...figuresBySpan(aggregation, spans, rows),
    groups: groups
      .sort(([a], [b]) => (a || last) - (b || last))
      .map(([place, ofGroup]) => ({
        value: place === 0 ? null : (ofGroup[0]?.group.value ?? null),
        isOther: place === 0,
        ...figuresBySpan(aggregation, spans, ofGroup),
      })),
  };
}

type GroupedRow = SeriesRow & { readonly group: NonNullable<SeriesRow['group']> };
const isGrouped = (row: SeriesRow): row is GroupedRow => row.group !== null;

function figuresBySpan(aggregation: Aggregation, spans: readonly Span[], rows: readonly SeriesRow[]) {
  const bySpan = groupBy(rows, ({ bucket }) => bucket);
  const whole = { startMs: spans[0]?.startMs ?? 0, endMs: spans.at(-1)?.endMs ?? 0 };
  return {
    total: { ...whole, ...figuresOf(aggregation, rows) },
    buckets: spans.map((span, i) => ({ ...span, ...figuresOf(aggregation, bySpan.get(i) ?? []) })),
  };
}

function figuresOf(aggregation: Aggregation, rows: readonly SeriesRow[]): Figures {
  return {
    events: sum(rows, (row) => row.events),
    used: usedOf(aggregation, rows),
    credits: sum(rows, (row) => row.credits),
    wallet: sum(rows, (row) => row.wallet),
    overage: sum(rows, (row) => row.overage),
    costs: costsOf(rows),
  };
}

/**
 * What `used` means in a bucket. `max`: the largest amount reported in it, 0 without an event. Every other: what its
 * events added to the counter; so for `unique` the values first seen in it, for `latest` by how much the level changed.
 */
function usedOf(aggregation: Aggregation, rows: readonly SeriesRow[]): Units {
  if (aggregation !== 'max') return sum(rows, (row) => row.amount);
  const [first, ...others] = rows;
  return first ? others.reduce((largest, row) => maxUnits(largest, row.largest), first.largest) : 0n;
}

function costsOf(rows: readonly SeriesRow[]): readonly Money[] {
  const byCurrency = new Map<string, Units>();
  for (const { currency, cost } of rows) {
    if (currency !== null) byCurrency.set(currency, (byCurrency.get(currency) ?? 0n) + cost);
  }
  return [...byCurrency]
    .map(([currency, amount]) => ({ amount, currency }))
    .sort((a, b) => byName(a.currency, b.currency));
}

const byName = (a: string, b: string): number => (a < b ? -1 : 1);

function sum<T>(values: readonly T[], of: (value: T) => bigint): bigint {
  return values.reduce((total, value) => total + of(value), 0n);
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => number): ReadonlyMap<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
