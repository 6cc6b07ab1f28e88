/**
 * period — the half-open time `[start, end)` in which a counter counts.
 *
 * Calendar-aligned in the customer's time zone: a day is from local midnight to local midnight, so it has 23 or 25
 * hours where the clocks change. Instants are epoch milliseconds.
 */
import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';

export const NAMED_RESETS = ['never', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'] as const;
export type NamedReset = (typeof NAMED_RESETS)[number];

export const INTERVAL_UNITS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const;
export type IntervalUnit = (typeof INTERVAL_UNITS)[number];
/** A length of time of one's own, e.g. `every 6 hour`: one text, so that it compares and is stored as it is. */
export type Interval = `every ${number} ${IntervalUnit}`;

/** When a counter starts again from zero. */
export type Reset = NamedReset | Interval;

export const ANCHORS = ['calendar', 'subscription'] as const;
/** `calendar`: from midnight, Monday, the first. `subscription`: from the customer's own start. Intervals always are. */
export type Anchor = (typeof ANCHORS)[number];

/** `endMs` is null when the counter never resets. */
export type Period = { readonly startMs: number; readonly endMs: number | null };

export const contains = (period: Period, atMs: number): boolean =>
  period.startMs <= atMs && (period.endMs === null || atMs < period.endMs);

/** What is known of the newest counter of a customer and feature. */
export type OpenPeriod = Period & { readonly reset: Reset };

export type PeriodRule = {
  readonly reset: Reset;
  /** IANA name, e.g. `Europe/Berlin`. */
  readonly timeZone: string;
  /** Where a period that never ends begins: the customer's first instant. */
  readonly sinceMs: number;
};

/**
 * The period in which use at this instant counts, given the newest one that was opened.
 *
 * Periods of one customer and feature never overlap: an open period runs to its end even when the time zone changes,
 * and a gateway whose clock is behind counts into it too. A changed reset opens a new period at that very instant.
 */
export function periodFor(newest: OpenPeriod | null, rule: PeriodRule, atMs: number): Period {
  if (newest === null) return calendarPeriod(rule, atMs);
  if (newest.reset !== rule.reset) {
    const startMs = Math.max(atMs, newest.startMs + 1); // later than any before it, so that it is the newest from now on
    return { startMs, endMs: calendarPeriod(rule, startMs).endMs };
  }
  if (newest.endMs === null || atMs < newest.endMs) return newest;
  const calendar = calendarPeriod(rule, atMs);
  if (newest.endMs <= calendar.startMs) return calendar;
  return { startMs: newest.endMs, endMs: endOfRest(calendar, newest.endMs, rule) };
}

/**
 * After a change of time zone the next period begins within a calendar one. When less than half of that is left, it
 * runs on to the end of the following: a few hours must not come with a whole limit of their own.
 */
function endOfRest({ startMs, endMs }: Period, fromMs: number, rule: PeriodRule): number | null {
  if (endMs === null || endMs - fromMs >= fromMs - startMs) return endMs;
  return calendarPeriod(rule, endMs).endMs;
}

/** Calendar arithmetic is slow and its answers repeat: the same few zones and resets, for hours on end. */
const recent = new LRUCache<string, Period>({ max: 4_096 });

/** The calendar period around an instant. */
export function calendarPeriod({ reset, timeZone, sinceMs }: PeriodRule, atMs: number): Period {
  if (reset === 'never') return { startMs: Math.min(sinceMs, atMs), endMs: null };
  const key = `${reset} ${timeZone}`;
  const known = recent.get(key);
  if (known && contains(known, atMs)) return known;
  const period = computeCalendarPeriod(reset, timeZone, atMs);
  recent.set(key, period);
  return period;
}

function computeCalendarPeriod(reset: Exclude<Reset, 'never'>, timeZone: string, atMs: number): Period {
  const at = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  if (reset === 'hourly') return hourAround(at);
  const first = firstDay(reset, at.toPlainDate());
  const next = first.add(LENGTHS[reset]);
  return { startMs: midnight(first, timeZone), endMs: midnight(next, timeZone) };
}

/**
 * Hours are counted in elapsed time, so the hour that a clock change repeats is two periods, not one. A change of half
 * an hour (Lord Howe) cuts the hour it falls into.
 */
function hourAround(at: Temporal.ZonedDateTime): Period {
  const intoHour = at.minute * 60_000 + at.second * 1_000 + at.millisecond;
  const startMs = at.epochMilliseconds - intoHour;
  const changedMs = at.add({ milliseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds ?? startMs;
  const changesMs = at.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
  return { startMs: Math.max(startMs, changedMs), endMs: Math.min(startMs + 3_600_000, changesMs) };
}

const LENGTHS = {
  daily: { days: 1 },
  weekly: { days: 7 },
  monthly: { months: 1 },
  quarterly: { months: 3 },
  yearly: { years: 1 },
} as const;

function firstDay(reset: keyof typeof LENGTHS, day: Temporal.PlainDate): Temporal.PlainDate {
  switch (reset) {
    case 'daily':
      return day;
    case 'weekly':
      return day.subtract({ days: day.dayOfWeek - 1 }); // Monday is 1
    case 'monthly':
      return day.with({ day: 1 });
    case 'quarterly':
      return day.with({ month: day.month - ((day.month - 1) % 3), day: 1 });
    case 'yearly':
      return day.with({ month: 1, day: 1 });
  }
}

/** The first instant of a local day; where midnight is skipped by a clock change, the instant after the gap. */
const midnight = (day: Temporal.PlainDate, timeZone: string): number =>
  day.toZonedDateTime({ timeZone }).epochMilliseconds;

/**
 * A time zone as the IANA spells it, `Europe/Berlin` for `europe/berlin`; null for one that the runtime does not know,
 * and for an offset, which has no clock changes and is nobody's time zone.
 */
export function timeZoneOf(name: string): string | null {
  const known = knownTimeZone(name);
  return known?.toLowerCase() === name.toLowerCase() && /^[a-z]/i.test(name) ? known : null;
}

/** Temporal finds a time zone in an instant's text, too: `2026-01-01T00:00Z` is in `UTC`. */
function knownTimeZone(name: string): string | null {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    return null;
  }
}
