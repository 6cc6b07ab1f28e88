/**
 * renewal — when credits renew, what of the old ones goes on, and what the periods bring in which nobody looked.
 *
 * Settling late comes to the same as settling at every boundary: periods that were missed are gone through one by one,
 * as if each had been left untouched.
 */
import type { Rollover } from './credit-rule.ts';
import type { Renewal } from './grant.ts';
import { type Interval, type Period, parseInterval, type Reset } from './period.ts';
import { anchoredTile } from './tiling.ts';
import { maxUnits, minUnits, multiplyUnits, type Units } from './units.ts';

/** How time is cut for a customer. */
export type CreditCalendar = {
  /** The period around an instant. */
  readonly periodAt: (reset: Reset, atMs: number) => Period;
  /** IANA name; for how long rolled over credits live. */
  readonly timeZone: string;
};

/** Units that go on beyond a period. */
export type Lot = {
  readonly units: Units;
  /** When they began to be held beyond their own period. */
  readonly fromMs: number;
  readonly expiresAtMs: number | null;
};

export type Renewed = {
  /** The newest period that has begun; its credits are fresh ones. */
  readonly running: Period;
  /** Of what was left, what rolled over and is there still; null when nothing. */
  readonly kept: Lot | null;
  /** Of the missed periods' credits, those that are there still. */
  readonly missed: readonly Lot[];
};

export type Renewing = {
  /** When the grant renews: at or before now. */
  readonly fromMs: number;
  /** What is left of it. */
  readonly leftover: Units;
  /** What is held rolled over from before; it takes its part of the cap. */
  readonly held: readonly Pick<Lot, 'units' | 'expiresAtMs'>[];
  readonly nowMs: number;
};

/**
 * So many periods are made up for at a time, which bounds the work of one call. The grant of the last of them is due
 * again at once, so the rest follows with the next settling.
 */
export const MISSED_PERIODS_MAX = 1_000;

/** Goes from the renewal of a grant to the period that runs now. */
export function renew(
  renewal: Renewal,
  { fromMs, leftover, held, nowMs }: Renewing,
  calendar: CreditCalendar,
): Renewed {
  const { onRenewal, amount, untilMs } = renewal;
  if (onRenewal === 'reset')
    return { running: runningPeriod(renewal, fromMs, calendar, nowMs), kept: null, missed: [] };
  const { starts, running } = periodsSince(renewal, fromMs, calendar, nowMs);
  if (onRenewal === 'add') {
    const missed = { units: amount * BigInt(starts.length - 1), fromMs, expiresAtMs: untilMs };
    return { running, kept: null, missed: missed.units === 0n ? [] : [missed] };
  }
  const lots = rollOver(onRenewal, renewal, { starts, leftover, held }, calendar.timeZone);
  const alive = lots.filter(({ expiresAtMs }) => isAfter(expiresAtMs, nowMs));
  return {
    running,
    kept: alive.find((lot) => lot.fromMs === fromMs) ?? null,
    missed: byExpiry(alive.filter((lot) => lot.fromMs !== fromMs)),
  };
}

/** Of one grant of a repetition: when it is lost, and when the next one comes. */
export function termsOf(
  { onRenewal, untilMs }: Pick<Renewal, 'onRenewal' | 'untilMs'>,
  endMs: number | null,
): { readonly expiresAtMs: number | null; readonly renewsAtMs: number | null } {
  const ends = earliest(endMs, untilMs);
  return {
    expiresAtMs: onRenewal === 'add' ? untilMs : ends,
    renewsAtMs: endMs !== null && isAfter(untilMs, endMs) ? endMs : null,
  };
}

/** The earlier of two instants that may never come; null when neither does. */
export const earliest = (aMs: number | null, bMs: number | null): number | null =>
  aMs === null || bMs === null ? (aMs ?? bMs) : Math.min(aMs, bMs);

/** Where nothing carries over, only the period that runs now matters. */
function runningPeriod({ reset }: Renewal, fromMs: number, calendar: CreditCalendar, nowMs: number): Period {
  const startMs = Math.max(calendar.periodAt(reset, nowMs).startMs, fromMs);
  return { startMs, endMs: endOf(reset, startMs, calendar) };
}

/** The starts of all periods from the renewal to now, the running one last. */
function periodsSince({ reset }: Renewal, fromMs: number, calendar: CreditCalendar, nowMs: number) {
  const starts: number[] = [];
  let startMs = fromMs;
  for (;;) {
    starts.push(startMs);
    const endMs = endOf(reset, startMs, calendar);
    if (endMs === null || endMs > nowMs || starts.length > MISSED_PERIODS_MAX) {
      return { starts, running: { startMs, endMs } satisfies Period };
    }
    startMs = endMs;
  }
}

/**
 * Where the period ends that begins at an instant. After a change of time zone that may be within a regular one: when
 * less than half of it is left, it runs on to the end of the following, as counters do. A few hours must not come with
 * a whole allocation of their own.
 */
function endOf(reset: Reset, startMs: number, { periodAt }: CreditCalendar): number | null {
  const regular = periodAt(reset, startMs);
  const { endMs } = regular;
  if (endMs === null || endMs - startMs >= startMs - regular.startMs) return endMs;
  return periodAt(reset, endMs).endMs;
}

type Leftovers = Pick<Renewing, 'leftover' | 'held'> & { readonly starts: readonly number[] };

/** What rolls over at each start: of the grant at the first, of a whole period's credits at the others. */
function rollOver(
  rollover: Rollover,
  renewal: Renewal,
  { starts, leftover, held }: Leftovers,
  timeZone: string,
): Lot[] {
  const cap = capOf(rollover, renewal.amount);
  const lots: Lot[] = [];
  for (const [index, fromMs] of starts.entries()) {
    const left = index === 0 ? leftover : renewal.amount;
    const room = cap === null ? left : maxUnits(cap - heldAt(fromMs, held) - heldAt(fromMs, lots), 0n);
    const units = minUnits(left, room);
    if (units === 0n) continue;
    const { expiresAfter } = rollover;
    const ownEndMs = expiresAfter === null ? null : laterBy(expiresAfter, fromMs, timeZone);
    lots.push({ units, fromMs, expiresAtMs: earliest(ownEndMs, renewal.untilMs) });
  }
  return lots;
}

/** The most that may be held rolled over; null without a cap. */
function capOf({ max, maxFraction }: Rollover, allocation: Units): Units | null {
  return maxFraction === null ? max : multiplyUnits(allocation, maxFraction);
}

const heldAt = (atMs: number, lots: readonly Pick<Lot, 'units' | 'expiresAtMs'>[]): Units =>
  lots.reduce((sum, { units, expiresAtMs }) => (isAfter(expiresAtMs, atMs) ? sum + units : sum), 0n);

/** Lots that expire together are one, from when the first of them was held. */
function byExpiry(lots: readonly Lot[]): readonly Lot[] {
  const merged = new Map<number | null, Lot>();
  for (const lot of lots) {
    const known = merged.get(lot.expiresAtMs);
    merged.set(lot.expiresAtMs, known ? { ...known, units: known.units + lot.units } : lot);
  }
  return [...merged.values()];
}

/** Whether an instant that may never come (null) is later than another. */
const isAfter = (maybeMs: number | null, atMs: number): boolean => maybeMs === null || maybeMs > atMs;

/** An interval later by the local calendar: a month from 31 January is 28 February. */
function laterBy(interval: Interval, fromMs: number, timeZone: string): number {
  const step = parseInterval(interval);
  if (step === null) throw new RangeError(`"${interval}" is no interval; write one like "every 3 month"`);
  return anchoredTile(step, fromMs, timeZone, fromMs).endMs;
}
