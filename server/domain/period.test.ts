/**
 * Goal: every instant lies in exactly one period of a meter. Method: tables of calendars and clock changes, written as
 * instants; and laws over random instants, zones and changes of rule.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  calendarPeriod,
  contains,
  type OpenPeriod,
  type Period,
  periodFor,
  RESETS,
  type Reset,
  timeZoneOf,
} from './period.ts';

const SINCE = '2020-01-01T00:00:00Z';

describe('calendar periods', () => {
  it.each([
    // reset        zone                   at                      from … to
    ['hourly', 'UTC', '2026-03-15T12:34:56.789Z', '2026-03-15T12:00Z … 2026-03-15T13:00Z'],
    ['hourly', 'Asia/Kolkata', '2026-03-15T12:34:00Z', '2026-03-15T12:30Z … 2026-03-15T13:30Z'], // +05:30
    ['daily', 'UTC', '2026-03-15T00:00:00Z', '2026-03-15T00:00Z … 2026-03-16T00:00Z'],
    ['daily', 'UTC', '2026-03-15T23:59:59.999Z', '2026-03-15T00:00Z … 2026-03-16T00:00Z'],
    ['daily', 'America/New_York', '2026-01-15T04:59:59Z', '2026-01-14T05:00Z … 2026-01-15T05:00Z'],
    ['weekly', 'UTC', '2026-03-15T12:00:00Z', '2026-03-09T00:00Z … 2026-03-16T00:00Z'], // a Sunday
    ['weekly', 'UTC', '2026-03-16T00:00:00Z', '2026-03-16T00:00Z … 2026-03-23T00:00Z'], // a Monday
    ['weekly', 'UTC', '2027-01-01T00:00:00Z', '2026-12-28T00:00Z … 2027-01-04T00:00Z'], // across a new year
    ['monthly', 'UTC', '2028-02-29T23:59:59Z', '2028-02-01T00:00Z … 2028-03-01T00:00Z'], // a leap day
    ['monthly', 'UTC', '2026-02-28T23:59:59Z', '2026-02-01T00:00Z … 2026-03-01T00:00Z'],
    ['monthly', 'UTC', '2026-01-31T00:00:00Z', '2026-01-01T00:00Z … 2026-02-01T00:00Z'],
    ['monthly', 'Pacific/Kiritimati', '2026-01-31T10:00:00Z', '2026-01-31T10:00Z … 2026-02-28T10:00Z'], // +14:00
    ['quarterly', 'UTC', '2026-03-31T23:59:59Z', '2026-01-01T00:00Z … 2026-04-01T00:00Z'],
    ['quarterly', 'UTC', '2026-05-31T12:00:00Z', '2026-04-01T00:00Z … 2026-07-01T00:00Z'],
    ['quarterly', 'UTC', '2026-12-31T12:00:00Z', '2026-10-01T00:00Z … 2027-01-01T00:00Z'],
    ['yearly', 'UTC', '2028-02-29T12:00:00Z', '2028-01-01T00:00Z … 2029-01-01T00:00Z'],
    ['yearly', 'Europe/Berlin', '2026-12-31T23:30:00Z', '2026-12-31T23:00Z … 2027-12-31T23:00Z'],
    ['never', 'UTC', '2026-03-15T12:00:00Z', '2020-01-01T00:00Z … always'],
    ['never', 'UTC', '2019-12-31T23:59:00Z', '2019-12-31T23:59Z … always'], // a clock behind the registration
  ] as const)('%s in %s at %s: %s', (reset, timeZone, at, period) => {
    expect(spell(calendarPeriod(rule(reset, timeZone), Date.parse(at)))).toBe(period);
  });
});

describe('nights on which the clocks change', () => {
  it.each([
    // reset     zone                 at                      from … to                                hours
    ['daily', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00Z … 2026-03-29T22:00Z', 23],
    ['daily', 'Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00Z … 2026-10-25T23:00Z', 25],
    ['daily', 'America/New_York', '2026-03-08T12:00:00Z', '2026-03-08T05:00Z … 2026-03-09T04:00Z', 23],
    ['daily', 'America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00Z … 2026-11-02T05:00Z', 25],
    ['daily', 'Australia/Lord_Howe', '2026-10-03T16:00:00Z', '2026-10-03T13:30Z … 2026-10-04T13:00Z', 23.5],
    ['daily', 'Australia/Lord_Howe', '2026-04-04T16:00:00Z', '2026-04-04T13:00Z … 2026-04-05T13:30Z', 24.5],
    ['daily', 'America/Havana', '2026-11-01T05:30:00Z', '2026-11-01T04:00Z … 2026-11-02T05:00Z', 25], // midnight comes twice
    ['daily', 'Africa/Cairo', '2026-04-24T12:00:00Z', '2026-04-23T22:00Z … 2026-04-24T21:00Z', 23], // midnight is skipped
    ['daily', 'Pacific/Apia', '2011-12-30T09:00:00Z', '2011-12-29T10:00Z … 2011-12-30T10:00Z', 24], // 29 December …
    ['daily', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-30T10:00Z … 2011-12-31T10:00Z', 24], // … and then the 31st
    ['weekly', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-26T10:00Z … 2012-01-01T10:00Z', 144], // a week of six days
    ['monthly', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-02-28T23:00Z … 2026-03-31T22:00Z', 743],
    ['monthly', 'America/New_York', '2026-11-01T04:00:00Z', '2026-11-01T04:00Z … 2026-12-01T05:00Z', 721],
    // The hour that Berlin repeats is two periods; Lord Howe moves by half an hour, which is a period of its own.
    ['hourly', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T00:00Z … 2026-10-25T01:00Z', 1],
    ['hourly', 'Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25T01:00Z … 2026-10-25T02:00Z', 1],
    ['hourly', 'Australia/Lord_Howe', '2026-04-04T14:45:00Z', '2026-04-04T14:00Z … 2026-04-04T15:00Z', 1],
    ['hourly', 'Australia/Lord_Howe', '2026-04-04T15:10:00Z', '2026-04-04T15:00Z … 2026-04-04T15:30Z', 0.5],
    ['hourly', 'Australia/Lord_Howe', '2026-10-03T15:15:00Z', '2026-10-03T14:30Z … 2026-10-03T15:30Z', 1],
    ['hourly', 'Australia/Lord_Howe', '2026-10-03T15:40:00Z', '2026-10-03T15:30Z … 2026-10-03T16:00Z', 0.5],
  ] as const)('%s in %s at %s: %s (%d h)', (reset, timeZone, at, says, hours) => {
    const period = calendarPeriod(rule(reset, timeZone), Date.parse(at));
    expect(spell(period)).toBe(says);
    expect(((period.endMs ?? 0) - period.startMs) / 3_600_000).toBe(hours);
  });
});

describe('laws of the calendar', () => {
  const calendar = RESETS.filter((reset) => reset !== 'never');

  it('periods tile time: each holds its instants, the next begins where it ends', () => {
    fc.assert(
      fc.property(fc.constantFrom(...calendar), zones(), instants(), (reset, timeZone, atMs) => {
        const period = calendarPeriod(rule(reset, timeZone), atMs);
        const endMs = ended(period);
        expect(contains(period, atMs)).toBe(true);
        expect(calendarPeriod(rule(reset, timeZone), period.startMs)).toEqual(period);
        expect(calendarPeriod(rule(reset, timeZone), endMs - 1)).toEqual(period);
        expect(calendarPeriod(rule(reset, timeZone), endMs).startMs).toBe(endMs);
      }),
      { numRuns: 500 },
    );
  });

  it('around every change of the clocks, too, in whatever order the instants come', () => {
    const minutes = fc.uniqueArray(fc.integer({ min: -200, max: 200 }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.constantFrom(...calendar),
        fc.constantFrom(...CHANGES),
        minutes,
        (reset, [timeZone, at], offsets) => {
          const periods = offsets.map((offset) => {
            const atMs = Date.parse(at) + offset * 60_000;
            const period = calendarPeriod(rule(reset, timeZone), atMs);
            expect(contains(period, atMs)).toBe(true);
            return period;
          });
          expectApart(periods);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the period of a meter', () => {
  it.each([
    [null, 'monthly', '2026-03-15T12:00Z', '2026-03-01T00:00Z … 2026-04-01T00:00Z'],
    ['monthly 2026-03-01 … 2026-04-01', 'monthly', '2026-03-31T23:59Z', '2026-03-01T00:00Z … 2026-04-01T00:00Z'],
    ['monthly 2026-03-01 … 2026-04-01', 'monthly', '2026-04-01T00:00Z', '2026-04-01T00:00Z … 2026-05-01T00:00Z'],
    ['monthly 2026-03-01 … 2026-04-01', 'monthly', '2026-07-09T00:00Z', '2026-07-01T00:00Z … 2026-08-01T00:00Z'],
    // A gateway whose clock is behind counts into the period that another one opened.
    ['monthly 2026-04-01 … 2026-05-01', 'monthly', '2026-03-31T23:59Z', '2026-04-01T00:00Z … 2026-05-01T00:00Z'],
    // Another reset begins anew at once, and ends by its calendar.
    ['monthly 2026-03-01 … 2026-04-01', 'daily', '2026-03-15T12:00Z', '2026-03-15T12:00Z … 2026-03-16T00:00Z'],
    ['never 2020-01-01 … always', 'yearly', '2026-03-15T12:00Z', '2026-03-15T12:00Z … 2027-01-01T00:00Z'],
    ['daily 2026-03-15 … 2026-03-16', 'never', '2026-03-15T12:00Z', '2026-03-15T12:00Z … always'],
    // Both at once: a changed reset, seen by a gateway whose clock is behind the newest period.
    [
      'hourly 2026-04-01 … 2026-04-01T01:00Z',
      'monthly',
      '2026-03-31T23:59Z',
      '2026-04-01T00:00:00.001Z … 2026-05-01T00:00Z',
    ],
  ] as const)('%s, now %s, at %s: %s', (newest, reset, at, period) => {
    expect(spell(periodFor(opened(newest), rule(reset, 'UTC'), Date.parse(at)))).toBe(period);
  });

  it('keeps its end when the customer moves, and goes on from there in the new time zone', () => {
    const march = opened('daily 2026-03-15 … 2026-03-16');
    const moved = rule('daily', 'America/New_York');
    expect(spell(periodFor(march, moved, Date.parse('2026-03-15T23:00Z')))).toBe(
      '2026-03-15T00:00Z … 2026-03-16T00:00Z',
    );
    const next = spell(periodFor(march, moved, Date.parse('2026-03-16T00:00Z')));
    expect(next).toBe('2026-03-16T00:00Z … 2026-03-17T04:00Z'); // the 4 hours left of New York's day come with the next
    const inTokyo = spell(periodFor(march, rule('daily', 'Asia/Tokyo'), Date.parse('2026-03-16T00:00Z')));
    expect(inTokyo).toBe('2026-03-16T00:00Z … 2026-03-16T15:00Z'); // of Tokyo's day 15 hours are left, more than half
  });

  it('law: whatever changes, and however the clock jumps, periods never overlap and each is longer than nothing', () => {
    const anyStep = fc.record({
      reset: fc.constantFrom(...RESETS),
      timeZone: zones(),
      // Mostly forward, by a moment or by months; back by up to ten minutes, as clocks of gateways differ.
      byMs: fc.oneof(fc.integer({ min: -600_000, max: 600_000 }), fc.integer({ min: 0, max: 100 * 86_400_000 })),
      sameRule: fc.boolean(),
    });
    fc.assert(
      fc.property(instants(), fc.array(anyStep, { minLength: 1, maxLength: 30 }), (startMs, steps) => {
        const periods: OpenPeriod[] = [];
        let atMs = startMs;
        for (const step of steps) {
          atMs += step.byMs;
          const newest = periods.at(-1) ?? null;
          const reset = step.sameRule ? (newest?.reset ?? step.reset) : step.reset;
          const period = periodFor(newest, { reset, timeZone: step.timeZone, sinceMs: startMs }, atMs);
          expect(period.endMs === null || (period.startMs < period.endMs && atMs < period.endMs)).toBe(true);
          if (period.startMs === newest?.startMs) {
            expect({ ...period, reset }).toEqual(newest);
            continue;
          }
          // A changed reset cuts the period before it short; otherwise that one has run to its end.
          if (newest?.reset === reset) expect(period.startMs).toBeGreaterThanOrEqual(ended(newest));
          if (newest) expect(period.startMs).toBeGreaterThan(newest.startMs);
          periods.push({ ...period, reset });
        }
      }),
      { numRuns: 500 },
    );
  });
});

it.each([
  ['Europe/Berlin', 'Europe/Berlin'],
  ['EUROPE/BERLIN', 'Europe/Berlin'],
  ['UTC', 'UTC'],
  ['utc', 'UTC'],
  ['Asia/Calcutta', 'Asia/Calcutta'], // an alias keeps its name
  ['etc/gmt+5', 'Etc/GMT+5'],
  ['+05:30', null],
  ['-03', null],
  ['Z', null],
  ['2026-01-01T00:00Z', null],
  ['2026-01-01T00:00[Europe/Berlin]', null],
  ['Mars/Olympus', null],
  ['', null],
  ['Europe/Berlin; DROP TABLE', null],
])('%j is the time zone %j', (name, known) => expect(timeZoneOf(name)).toBe(known));

const rule = (reset: Reset, timeZone: string) => ({ reset, timeZone, sinceMs: Date.parse(SINCE) });

/** A zone, and an instant at which its clocks change: by an hour, half an hour, two, three and a day. */
const CHANGES = [
  ['Europe/Berlin', '2026-03-29T01:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['America/Havana', '2026-11-01T05:00Z'],
  ['Africa/Cairo', '2026-04-23T22:00Z'],
  ['America/Nuuk', '2026-10-25T01:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['Antarctica/Troll', '2026-03-29T01:00Z'],
  ['Antarctica/Casey', '2021-10-02T16:01Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
] as const;

const zones = () =>
  fc.constantFrom('UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'Pacific/Chatham', ...CHANGES.map(([timeZone]) => timeZone));
const instants = () => fc.integer({ min: Date.parse('2015-01-01'), max: Date.parse('2060-01-01') });

function ended({ endMs }: Period): number {
  if (endMs === null) throw new Error('this period never ends');
  return endMs;
}

function expectApart(periods: readonly Period[]): void {
  const sorted = [...new Map(periods.map((period) => [period.startMs, period])).values()].sort(
    (a, b) => a.startMs - b.startMs,
  );
  for (const period of periods) expect(sorted).toContainEqual(period);
  for (const [i, period] of sorted.slice(1).entries())
    expect(period.startMs).toBeGreaterThanOrEqual(sorted[i]?.endMs ?? Number.NaN);
}

/** Reads `monthly 2026-03-01 … 2026-04-01`. */
function opened(text: string | null): OpenPeriod | null {
  const [, reset, start = '', end = ''] = /^(\w+) (\S+) … (\S+)$/.exec(text ?? '') ?? [];
  const known = RESETS.find((candidate) => candidate === reset);
  return known ? { reset: known, startMs: Date.parse(start), endMs: end === 'always' ? null : Date.parse(end) } : null;
}

const spell = ({ startMs, endMs }: Period): string =>
  `${instant(startMs)} … ${endMs === null ? 'always' : instant(endMs)}`;
const instant = (ms: number): string => new Date(ms).toISOString().replace(/(:00)?\.000Z$/, 'Z');
