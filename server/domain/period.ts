/**
 * period — the half-open time `[start, end)` in which a counter counts.
 *
 * By the calendar in the customer's time zone: a day is from local midnight to local midnight, so it has 23 or 25 hours
 * where the clocks change. Or from the customer's own start, in the same time zone or that of a subscription which the
 * start is of. Instants are epoch milliseconds.
 */
import { Temporal } from 'temporal-polyfill';
import { nearest } from './nearest.ts';
import { anchoredTile, calendarHour, calendarTile, type Step } from './tiling.ts';

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

/** A reset and its anchor in one text: what is remembered of the rule that opened a period. See `ruleKey`. */
export type RuleKey = Reset | `${NamedReset}@subscription`;

/** What is known of the newest counter of a customer and feature. */
export type OpenPeriod = Period & { readonly reset: RuleKey };

export type PeriodRule = {
  readonly reset: Reset;
  readonly anchor: Anchor;
  /** The customer's own start, from which anchored periods are counted, the ones before it too. */
  readonly anchorMs: number;
  /** IANA name, e.g. `Europe/Berlin`. */
  readonly timeZone: string;
  /** In which anchored periods are counted, where that is another one. */
  readonly anchorTimeZone?: string | null;
  /** Where a period that never ends begins: the customer's first instant. */
  readonly sinceMs: number;
};

/**
 * `monthly`, `monthly@subscription` or `every 6 hour`: two rules with one key cut time alike, but for the customer's
 * start and time zone. What an anchor makes no difference to is not told apart by it.
 */
export const ruleKey = (reset: Reset, anchor: Anchor): RuleKey =>
  anchor === 'calendar' || reset === 'never' || isInterval(reset) ? reset : `${reset}@subscription`;

/**
 * The period in which use at this instant counts, given the newest one that was opened.
 *
 * Periods of one customer and feature never overlap: an open period runs to its end even when the time zone or the
 * customer's start changes, and a gateway whose clock is behind counts into it too. A changed reset or anchor opens a new
 * period at that very instant.
 */
export function periodFor(newest: OpenPeriod | null, rule: PeriodRule, atMs: number): Period {
  if (newest === null) return periodAt(rule, atMs);
  if (newest.reset !== ruleKey(rule.reset, rule.anchor)) {
    const startMs = laterThan(newest, atMs);
    return { startMs, endMs: periodAt(rule, startMs).endMs };
  }
  if (newest.endMs === null || atMs < newest.endMs) return newest;
  const regular = periodAt(rule, atMs);
  return newest.endMs <= regular.startMs ? regular : periodFrom(newest.endMs, rule);
}

/**
 * What is left of the newest period when it is started again by hand; the rest ends when the whole would have. Where not
 * a millisecond is left, it is the next period.
 *
 * @param newest The period in which the instant lies, as `periodFor` tells it.
 */
export function restartedPeriod(newest: OpenPeriod, rule: PeriodRule, atMs: number): Period {
  const startMs = laterThan(newest, atMs);
  const { endMs } = newest;
  return endMs !== null && endMs <= startMs ? periodFrom(startMs, rule) : { startMs, endMs };
}

/** An opened period begins later than any before it, so that it is the newest from now on. */
const laterThan = (newest: Period, atMs: number): number => Math.max(atMs, newest.startMs + 1);

/**
 * The period that follows another: it begins where that one ends.
 *
 * @throws RangeError when that one never ends.
 */
export function periodAfter({ endMs }: Period, rule: PeriodRule): Period {
  if (endMs === null) throw new RangeError('a period that never ends has none after it');
  return periodFrom(endMs, rule);
}

/**
 * Walks the periods that begin at or after `fromMs` and before `toMs`, the oldest first and at most `max` of them. The
 * first begins at `fromMs`: hand in the end of the last one known to walk those that were missed.
 */
export function* periodsBetween(rule: PeriodRule, fromMs: number, toMs: number, max: number): Generator<Period, void> {
  let startMs: number | null = fromMs;
  for (let count = 0; count < max && startMs !== null && startMs < toMs; count += 1) {
    const period = periodFrom(startMs, rule);
    yield period;
    startMs = period.endMs;
  }
}

/**
 * The period that begins where another ended. After a change of time zone or start that is within a regular one. When
 * less than half of it is left, it runs on to the end of the following: a few hours must not come with a whole limit of
 * their own.
 */
function periodFrom(startMs: number, rule: PeriodRule): Period {
  const regular = periodAt(rule, startMs);
  const { endMs } = regular;
  const isShort = endMs !== null && endMs - startMs < startMs - regular.startMs;
  return { startMs, endMs: isShort ? periodAt(rule, endMs).endMs : endMs };
}

/** The regular period around an instant, whatever was opened before. */
export function periodAt(rule: PeriodRule, atMs: number): Period {
  const { reset, anchor, anchorMs } = rule;
  const timeZone = rule.anchorTimeZone ?? rule.timeZone;
  if (isInterval(reset)) return anchoredTile(stepOf(reset), anchorMs, timeZone, atMs);
  if (anchor === 'calendar' || reset === 'never') return calendarPeriod({ ...rule, reset }, atMs);
  return anchoredTile(STEPS[reset], anchorMs, timeZone, atMs);
}

/** The calendar period around an instant. */
export function calendarPeriod(
  { reset, timeZone, sinceMs }: Pick<PeriodRule, 'timeZone' | 'sinceMs'> & { readonly reset: NamedReset },
  atMs: number,
): Period {
  if (reset === 'never') return { startMs: Math.min(sinceMs, atMs), endMs: null };
  return reset === 'hourly' ? calendarHour(timeZone, atMs) : calendarTile(STEPS[reset], timeZone, atMs);
}

const STEPS = {
  hourly: { every: 1, unit: 'hour' },
  daily: { every: 1, unit: 'day' },
  weekly: { every: 1, unit: 'week' },
  monthly: { every: 1, unit: 'month' },
  quarterly: { every: 3, unit: 'month' },
  yearly: { every: 1, unit: 'year' },
} as const satisfies Record<Exclude<NamedReset, 'never'>, Step>;

/** The longest there is of each unit: a thousand years on, dates have four digits still. The shortest is a minute. */
export const EVERY_MAX = {
  minute: 10_000,
  hour: 10_000,
  day: 10_000,
  week: 10_000,
  month: 10_000,
  year: 1_000,
} as const satisfies Record<IntervalUnit, number>;

/** Writes an interval in its one form. Whether it is one to go by, `problemOfReset` tells. */
export const intervalOf = (every: number, unit: IntervalUnit): Interval => `every ${every} ${unit}`;

/** Reads an interval in its one form, `every 6 hour`; null for anything else, and for what is out of bounds. */
export function parseInterval(text: string): Step | null {
  const [, everyText = '', unitText] = /^every ([1-9]\d{0,4}) ([a-z]+)$/.exec(text) ?? [];
  const unit = INTERVAL_UNITS.find((candidate) => candidate === unitText);
  const every = Number(everyText);
  return unit !== undefined && every <= EVERY_MAX[unit] ? { every, unit } : null;
}

export const isInterval = (reset: Reset): reset is Interval => reset.startsWith('every ');

function stepOf(interval: Interval): Step {
  const step = parseInterval(interval);
  if (step === null) throw new RangeError(`the reset ${problemOfReset(interval)}`);
  return step;
}

/** What is wrong with a reset, as a sentence that reads on from its name: `is "montly"; did you mean …`; or null. */
export function problemOfReset(reset: string): string | null {
  if (NAMED_RESETS.some((name) => name === reset) || parseInterval(reset) !== null) return null;
  const found = `is ${JSON.stringify(reset.length > 40 ? `${reset.slice(0, 40)}…` : reset)}`;
  const [, everyText, unitText] = /^every (\S+) (\S+)$/.exec(reset) ?? [];
  if (everyText === undefined || unitText === undefined) {
    const meant = nearest(reset, NAMED_RESETS);
    const question = meant === undefined ? '' : `did you mean "${meant}"? `;
    return `${found}; ${question}allowed are ${NAMED_RESETS.join(', ')}, and intervals like "every 6 hour"`;
  }
  const unit = INTERVAL_UNITS.find((candidate) => candidate === unitText);
  if (unit !== undefined) return `${found}; an interval is a whole number of ${unit}s, from 1 to ${EVERY_MAX[unit]}`;
  const meant = nearest(unitText, INTERVAL_UNITS);
  const question = meant === undefined ? '' : `did you mean "every ${everyText} ${meant}"? `;
  return `${found}; ${question}the units of an interval are ${INTERVAL_UNITS.join(', ')}`;
}

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
