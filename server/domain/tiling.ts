/**
 * tiling — time cut into stretches of one length, one after the other, counted from an origin in both directions.
 *
 * Minutes and hours are elapsed time. Days, weeks, months and years are those of the local calendar: each boundary is
 * counted from the origin itself (31 January, 28 February, 31 March: nothing drifts) and is the first instant at which
 * the local clock reads that date and time, or later. So a time that a clock change skips is the instant after the gap,
 * one that it repeats is the first of the two (unless it is the origin), and boundaries never run backwards. A date that a time zone leaves out
 * altogether (Apia, 30 December 2011) has no stretch of its own when nothing is left of it. Instants are epoch milliseconds.
 */
import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';

/** How long each stretch is, e.g. 6 hours. `every` is whole and at least 1. */
export type Step = { readonly every: number; readonly unit: 'minute' | 'hour' | LocalUnit };
/** Lengths of the calendar: what they come to in elapsed time, the clocks of a time zone decide. */
type LocalStep = { readonly every: number; readonly unit: LocalUnit };
type LocalUnit = 'day' | 'week' | 'month' | 'year';

/** The half-open time `[start, end)`. */
export type Tile = { readonly startMs: number; readonly endMs: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Where counting begins. An anchor is an instant of its own: its local time may be one that the clock repeats. */
type Origin = { readonly local: Temporal.PlainDateTime; readonly atMs: number | null };

/** A Monday, and the first of a month, a quarter and a year: all of them can be counted from here. */
const CALENDAR_ORIGIN: Origin = { local: Temporal.PlainDateTime.from('2001-01-01T00:00'), atMs: null };

/** Calendar arithmetic is slow and its answers repeat: the same zones, steps and customers, for hours on end. */
const recent = new LRUCache<string, Tile>({ max: 16_384 });

/** The stretch around an instant, counted from another: the origin begins one, whatever its time of day. */
export function anchoredTile({ every, unit }: Step, anchorMs: number, timeZone: string, atMs: number): Tile {
  if (unit === 'minute') return elapsedTile(every * MINUTE_MS, anchorMs, atMs);
  if (unit === 'hour') return elapsedTile(every * HOUR_MS, anchorMs, atMs);
  return remembered(`${every} ${unit} ${anchorMs} ${timeZone}`, atMs, () =>
    localTile({ every, unit }, { local: localTime(anchorMs, timeZone), atMs: anchorMs }, timeZone, atMs),
  );
}

/** The stretch of the calendar around an instant: from midnight, Monday, the first of the month, quarter or year. */
export function calendarTile(
  { every, unit }: Step & { readonly unit: LocalUnit },
  timeZone: string,
  atMs: number,
): Tile {
  return remembered(`${every} ${unit} calendar ${timeZone}`, atMs, () =>
    localTile({ every, unit }, CALENDAR_ORIGIN, timeZone, atMs),
  );
}

/**
 * The full hour of the local clock around an instant. Hours are counted in elapsed time, so the hour that a clock change
 * repeats is two, not one. A change of half an hour (Lord Howe) cuts the hour it falls into.
 */
export function calendarHour(timeZone: string, atMs: number): Tile {
  return remembered(`hour calendar ${timeZone}`, atMs, () => {
    const at = zoned(atMs, timeZone);
    const startMs = atMs - (at.minute * MINUTE_MS + at.second * 1_000 + at.millisecond);
    const changedMs = at.add({ milliseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds ?? startMs;
    const changesMs = at.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
    return { startMs: Math.max(startMs, changedMs), endMs: Math.min(startMs + HOUR_MS, changesMs) };
  });
}

function remembered(key: string, atMs: number, compute: () => Tile): Tile {
  const known = recent.get(key);
  if (known && known.startMs <= atMs && atMs < known.endMs) return known;
  const tile = compute();
  recent.set(key, tile);
  return tile;
}

function elapsedTile(lengthMs: number, anchorMs: number, atMs: number): Tile {
  const startMs = anchorMs + Math.floor((atMs - anchorMs) / lengthMs) * lengthMs;
  return { startMs, endMs: startMs + lengthMs };
}

/** Guesses from the local dates alone which boundary is the last; what the guess ignores is put right in a step or two. */
function localTile({ every, unit }: LocalStep, origin: Origin, timeZone: string, atMs: number): Tile {
  const boundaryMs = (count: number): number =>
    count === 0 && origin.atMs !== null
      ? origin.atMs
      : firstInstantMs(origin.local.add(lengthOf(count * every, unit)), timeZone);
  let count = Math.floor(unitsBetween(unit, origin.local, localTime(atMs, timeZone)) / every);
  let startMs = boundaryMs(count);
  while (startMs > atMs) startMs = boundaryMs(--count);
  let endMs = boundaryMs(++count);
  while (endMs <= atMs) {
    startMs = endMs;
    endMs = boundaryMs(++count);
  }
  return { startMs, endMs };
}

function lengthOf(count: number, unit: LocalUnit): Temporal.DurationLike {
  switch (unit) {
    case 'day':
      return { days: count };
    case 'week':
      return { days: 7 * count };
    case 'month':
      return { months: count };
    case 'year':
      return { months: 12 * count };
  }
}

/** How many units later a local date is, or one too many where its day or time of day is an earlier one. */
function unitsBetween(unit: LocalUnit, from: Temporal.PlainDateTime, to: Temporal.PlainDateTime): number {
  switch (unit) {
    case 'day':
      return daysBetween(from, to);
    case 'week':
      return daysBetween(from, to) / 7;
    case 'month':
      return 12 * (to.year - from.year) + to.month - from.month;
    case 'year':
      return to.year - from.year;
  }
}

const daysBetween = (from: Temporal.PlainDateTime, to: Temporal.PlainDateTime): number =>
  from.toPlainDate().until(to.toPlainDate(), { largestUnit: 'day' }).days;

/** The first instant at which the local clock reads this, or later. */
function firstInstantMs(local: Temporal.PlainDateTime, timeZone: string): number {
  const earlier = local.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(local)) return earlier.epochMilliseconds;
  // Skipped by a clock change: Temporal answers as long before the gap as this is after its beginning.
  return (earlier.getTimeZoneTransition('next') ?? earlier).epochMilliseconds;
}

const localTime = (atMs: number, timeZone: string): Temporal.PlainDateTime => zoned(atMs, timeZone).toPlainDateTime();

const zoned = (atMs: number, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
