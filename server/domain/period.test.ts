/**
 * Goal: every instant lies in exactly one period of a meter. Method: tables of calendars and clock changes, written as
 * instants; and laws over random instants, zones and changes of rule.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Anchor,
  calendarPeriod,
  contains,
  INTERVAL_UNITS,
  intervalOf,
  NAMED_RESETS,
  type OpenPeriod,
  type Period,
  type PeriodRule,
  periodAfter,
  periodAt,
  periodFor,
  periodsBetween,
  type Reset,
  restartedPeriod,
  ruleKey,
  timeZoneOf,
} from './period.ts';

const SINCE = '2020-01-01T00:00:00Z';
/** A customer's start that is no calendar's: a Saturday, the last of a month, at no full hour. */
const ANCHOR = '2026-01-31T10:15:00Z';

describe('calendar periods', () => {
  // biome-ignore format: a table
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
  // biome-ignore format: a table
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
    ['daily', 'America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-04T03:00Z … 2018-11-05T02:00Z', 23], // midnight is skipped
    ['daily', 'America/Sao_Paulo', '2018-02-18T02:30:00Z', '2018-02-17T02:00Z … 2018-02-18T03:00Z', 25], // 23:00 comes twice
    ['monthly', 'America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-01T03:00Z … 2018-12-01T02:00Z', 719],
    ['daily', 'America/St_Johns', '2006-10-29T02:45:00Z', '2006-10-29T02:30Z … 2006-10-30T03:30Z', 25], // back at 00:01
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
  const calendar = NAMED_RESETS.filter((reset) => reset !== 'never');

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

describe('periods from the start of the customer', () => {
  // biome-ignore format: a table
  it.each([
    // reset        anchor         at                  from … to
    ['hourly', 'subscription', '2026-03-15T12:00Z', '2026-03-15T11:15Z … 2026-03-15T12:15Z'],
    ['daily', 'subscription', '2026-03-15T10:14Z', '2026-03-14T10:15Z … 2026-03-15T10:15Z'],
    ['weekly', 'subscription', '2026-03-15T10:15Z', '2026-03-14T10:15Z … 2026-03-21T10:15Z'],
    ['monthly', 'subscription', '2026-03-15T00:00Z', '2026-02-28T10:15Z … 2026-03-31T10:15Z'],
    ['quarterly', 'subscription', '2026-05-15T00:00Z', '2026-04-30T10:15Z … 2026-07-31T10:15Z'],
    ['yearly', 'subscription', '2026-01-31T10:14Z', '2025-01-31T10:15Z … 2026-01-31T10:15Z'],
    ['never', 'subscription', '2026-03-15T00:00Z', '2020-01-01T00:00Z … always'],
    // Intervals are counted from there, whatever the anchor.
    ['every 90 minute', 'calendar', '2026-02-01T00:00Z', '2026-01-31T23:45Z … 2026-02-01T01:15Z'],
    ['every 6 hour', 'calendar', '2026-01-31T22:15Z', '2026-01-31T22:15Z … 2026-02-01T04:15Z'],
    ['every 6 hour', 'subscription', '2026-01-31T22:14Z', '2026-01-31T16:15Z … 2026-01-31T22:15Z'],
    ['every 10 day', 'calendar', '2026-02-15T00:00Z', '2026-02-10T10:15Z … 2026-02-20T10:15Z'],
    ['every 2 week', 'calendar', '2026-02-15T00:00Z', '2026-02-14T10:15Z … 2026-02-28T10:15Z'],
    ['every 3 month', 'calendar', '2026-05-15T00:00Z', '2026-04-30T10:15Z … 2026-07-31T10:15Z'],
    ['every 2 year', 'calendar', '2026-05-15T00:00Z', '2026-01-31T10:15Z … 2028-01-31T10:15Z'],
  ] as const)('%s, by %s, at %s: %s', (reset, anchor, at, says) => {
    expect(spell(periodAt(rule(reset, 'UTC', anchor), Date.parse(at)))).toBe(says);
  });

  it('the local date and time of the start are kept', () => {
    const newYork = rule('monthly', 'America/New_York', 'subscription'); // from 31 January, 05:15 there
    expect(spell(periodAt(newYork, Date.parse('2026-03-15T00:00Z')))).toBe('2026-02-28T10:15Z … 2026-03-31T09:15Z');
  });

  it('refuses to go by an interval that is none', () => {
    expect(() => periodAt(rule('every 0 hour', 'UTC'), 0)).toThrow(
      new RangeError('the reset is "every 0 hour"; an interval is a whole number of hours, from 1 to 10000'),
    );
  });
});

describe('the period of a meter', () => {
  // biome-ignore format: a table
  it.each([
    [null, 'monthly', '2026-03-15T12:00Z', '2026-03-01T00:00Z … 2026-04-01T00:00Z'],
    ['monthly 2026-03-01 … 2026-04-01', 'monthly', '2026-03-31T23:59Z', '2026-03-01T00:00Z … 2026-04-01T00:00Z'],
    ['monthly 2026-03-01 … 2026-04-01', 'monthly', '2026-04-01T00:00Z', '2026-04-01T00:00Z … 2026-05-01T00:00Z'],
    ['monthly 2026-03-01 … 2026-04-01', 'monthly', '2026-07-09T00:00Z', '2026-07-01T00:00Z … 2026-08-01T00:00Z'],
    // A gateway whose clock is behind counts into the period that another one opened.
    ['monthly 2026-04-01 … 2026-05-01', 'monthly', '2026-03-31T23:59Z', '2026-04-01T00:00Z … 2026-05-01T00:00Z'],
    // Another reset begins anew at once, and ends by its calendar.
    ['monthly 2026-03-01 … 2026-04-01', 'daily', '2026-03-15T12:00Z', '2026-03-15T12:00Z … 2026-03-16T00:00Z'],
    // An anchor is part of the rule, where it makes a difference.
    ['monthly@subscription 2026-02-28 … 2026-03-31', 'monthly', '2026-03-15T12:00Z', '2026-03-15T12:00Z … 2026-04-01T00:00Z'],
    ['every 6 hour 2026-03-15 … 2026-03-16', 'daily', '2026-03-15T12:00Z', '2026-03-15T12:00Z … 2026-03-16T00:00Z'],
    ['monthly 2026-03-01 … 2026-04-01', 'every 6 hour', '2026-03-15T12:00Z', '2026-03-15T12:00Z … 2026-03-15T16:15Z'],
    ['every 6 hour 2026-03-15 … 2026-03-15T04:15Z', 'every 6 hour', '2026-03-15T04:15Z', '2026-03-15T04:15Z … 2026-03-15T10:15Z'],
    ['every 6 hour 2026-03-15 … 2026-03-15T04:15Z', 'every 7 hour', '2026-03-15T04:00Z', '2026-03-15T04:00Z … 2026-03-15T07:15Z'],
    ['never 2020-01-01 … always', 'yearly', '2026-03-15T12:00Z', '2026-03-15T12:00Z … 2027-01-01T00:00Z'],
    ['daily 2026-03-15 … 2026-03-16', 'never', '2026-03-15T12:00Z', '2026-03-15T12:00Z … always'],
    // Both at once: a changed reset, seen by a gateway whose clock is behind the newest period.
    ['hourly 2026-04-01 … 2026-04-01T01:00Z', 'monthly', '2026-03-31T23:59Z', '2026-04-01T00:00:00.001Z … 2026-05-01T00:00Z'],
  ] as const)('%s, now %s, at %s: %s', (newest, reset, at, period) => {
    expect(spell(periodFor(opened(newest), rule(reset, 'UTC'), Date.parse(at)))).toBe(period);
  });

  // biome-ignore format: a table
  it.each([
    ['monthly 2026-03-01 … 2026-04-01', 'monthly', '2026-03-15T12:00Z … 2026-03-31T10:15Z'],
    ['monthly@subscription 2026-02-28 … 2026-03-31', 'monthly', '2026-02-28T00:00Z … 2026-03-31T00:00Z'],
    ['never 2020-01-01 … always', 'never', '2020-01-01T00:00Z … always'],
    ['every 6 hour 2026-03-15 … 2026-03-16', 'every 6 hour', '2026-03-15T00:00Z … 2026-03-16T00:00Z'],
  ] as const)('%s, now %s from the start of the customer: %s', (newest, reset, period) => {
    const anchored = rule(reset, 'UTC', 'subscription');
    expect(spell(periodFor(opened(newest), anchored, Date.parse('2026-03-15T12:00Z')))).toBe(period);
  });

  it('keeps its end when the start of the customer is another one, and goes on from there', () => {
    const march = opened('monthly@subscription 2026-03-05 … 2026-04-05');
    const restartedOn = (anchor: string): PeriodRule => ({
      ...rule('monthly', 'UTC', 'subscription'),
      anchorMs: Date.parse(anchor),
    });
    const next = (anchor: string): string => spell(periodFor(march, restartedOn(anchor), Date.parse('2026-04-05')));
    expect(spell(periodFor(march, restartedOn('2026-03-20'), Date.parse('2026-03-31')))).toBe(
      '2026-03-05T00:00Z … 2026-04-05T00:00Z',
    );
    expect(next('2026-03-20')).toBe('2026-04-05T00:00Z … 2026-05-20T00:00Z'); // the 15 of 31 days left come with the next
    expect(next('2026-03-25')).toBe('2026-04-05T00:00Z … 2026-04-25T00:00Z'); // 20 days are left, more than half
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

  it('law: whatever changes or restarts, and however the clock jumps, periods never overlap and each is longer than nothing', () => {
    const anyStep = fc.record({
      reset: resets(),
      anchor: anchors(),
      anchorMs: fc.option(instants(), { nil: Date.parse(ANCHOR), freq: 3 }),
      timeZone: zones(),
      // Mostly forward, by a moment or by months; back by up to ten minutes, as clocks of gateways differ.
      byMs: fc.oneof(fc.integer({ min: -600_000, max: 600_000 }), fc.integer({ min: 0, max: 100 * 86_400_000 })),
      sameRule: fc.boolean(),
      restarts: fc.boolean(),
    });
    fc.assert(
      fc.property(instants(), fc.array(anyStep, { minLength: 1, maxLength: 30 }), (startMs, steps) => {
        const periods: OpenPeriod[] = [];
        let atMs = startMs;
        let [reset, anchor]: [Reset, Anchor] = ['monthly', 'calendar'];
        for (const step of steps) {
          atMs += step.byMs;
          const newest = periods.at(-1) ?? null;
          if (!step.sameRule) [reset, anchor] = [step.reset, step.anchor];
          const key = ruleKey(reset, anchor);
          const { anchorMs, timeZone } = step;
          const rule = { reset, anchor, anchorMs, timeZone, sinceMs: startMs };
          const counted = periodFor(newest, rule, atMs);
          const period = step.restarts ? restartedPeriod({ ...counted, reset: key }, rule, atMs) : counted;
          expect(period.endMs === null || (period.startMs < period.endMs && atMs < period.endMs)).toBe(true);
          if (period.startMs === newest?.startMs) {
            expect({ ...period, reset: key }).toEqual(newest);
            continue;
          }
          // A changed rule or a restart cuts the period before it short; otherwise that one has run to its end.
          if (newest?.reset === key && !step.restarts) expect(period.startMs).toBeGreaterThanOrEqual(ended(newest));
          if (newest) expect(period.startMs).toBeGreaterThan(newest.startMs);
          periods.push({ ...period, reset: key });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a period started again by hand', () => {
  // biome-ignore format: a table
  it.each([
    ['monthly 2026-03-01 … 2026-04-01', '2026-03-15T12:00Z', '2026-03-15T12:00Z … 2026-04-01T00:00Z'],
    ['never 2020-01-01 … always', '2026-03-15T12:00Z', '2026-03-15T12:00Z … always'],
    // By a gateway whose clock is behind, or twice in a millisecond: later than the one before it all the same.
    ['monthly 2026-03-01 … 2026-04-01', '2026-02-28T23:59Z', '2026-03-01T00:00:00.001Z … 2026-04-01T00:00Z'],
    ['monthly 2026-03-01 … 2026-04-01', '2026-03-01T00:00Z', '2026-03-01T00:00:00.001Z … 2026-04-01T00:00Z'],
    // In its last millisecond there is nothing left of it.
    ['daily 2026-03-15T23:59:59.999Z … 2026-03-16', '2026-03-15T23:59:59.999Z', '2026-03-16T00:00Z … 2026-03-17T00:00Z'],
  ] as const)('%s at %s: %s', (newest, at, says) => {
    const before = opened(newest);
    if (before === null) throw new Error('nothing was opened');
    const ownRule = rule(NAMED_RESETS.find((reset) => reset === before.reset) ?? 'never', 'UTC');
    expect(spell(restartedPeriod(before, ownRule, Date.parse(at)))).toBe(says);
  });

  it('ends when it would have, and the next one is a whole one', () => {
    const monthly = rule('monthly', 'UTC');
    const march = opened('monthly 2026-03-01 … 2026-04-01');
    if (march === null) throw new Error('nothing was opened');
    const restarted = { ...restartedPeriod(march, monthly, Date.parse('2026-03-15T12:00Z')), reset: march.reset };
    expect(periodFor(restarted, monthly, Date.parse('2026-03-31T23:59Z'))).toEqual(restarted);
    expect(spell(periodFor(restarted, monthly, Date.parse('2026-04-01')))).toBe(
      '2026-04-01T00:00Z … 2026-05-01T00:00Z',
    );
  });
});

describe('one period after the other', () => {
  // biome-ignore format: a table
  it.each([
    ['monthly', 'calendar', '2026-03-01 … 2026-04-01', '2026-04-01T00:00Z … 2026-05-01T00:00Z'],
    ['monthly', 'subscription', '2026-01-31T10:15Z … 2026-02-28T10:15Z', '2026-02-28T10:15Z … 2026-03-31T10:15Z'],
    ['every 6 hour', 'calendar', '2026-01-31T10:15Z … 2026-01-31T16:15Z', '2026-01-31T16:15Z … 2026-01-31T22:15Z'],
    // One that ends where no other does, as after a change of time zone: a short rest comes with the next.
    ['daily', 'calendar', '2026-03-15 … 2026-03-16T06:00Z', '2026-03-16T06:00Z … 2026-03-17T00:00Z'],
    ['daily', 'calendar', '2026-03-15 … 2026-03-16T12:00Z', '2026-03-16T12:00Z … 2026-03-17T00:00Z'], // half is not short
    ['daily', 'calendar', '2026-03-15 … 2026-03-16T18:00Z', '2026-03-16T18:00Z … 2026-03-18T00:00Z'],
    ['never', 'calendar', '2026-03-15 … 2026-03-16', '2026-03-16T00:00Z … always'],
  ] as const)('%s, by %s, after %s: %s', (reset, anchor, before, says) => {
    expect(spell(periodAfter(spelt(before), rule(reset, 'UTC', anchor)))).toBe(says);
  });

  it('none is after one that never ends', () => {
    expect(() => periodAfter({ startMs: 0, endMs: null }, rule('never', 'UTC'))).toThrow(
      new RangeError('a period that never ends has none after it'),
    );
  });

  // biome-ignore format: a table
  it.each([
    // reset         from          to                  max  begin on
    ['monthly', '2026-01-01', '2026-04-01', 9, '2026-01-01 2026-02-01 2026-03-01'], // one that begins at its end is not in it
    ['monthly', '2026-01-01', '2026-04-01T00:00:00.001Z', 9, '2026-01-01 2026-02-01 2026-03-01 2026-04-01'],
    ['monthly', '2026-01-01', '2036-01-01', 2, '2026-01-01 2026-02-01'],
    ['monthly', '2026-01-01', '2036-01-01', 0, ''],
    ['monthly', '2026-01-01', '2026-01-01', 9, ''],
    ['monthly', '2026-01-01', '2025-01-01', 9, ''],
    ['quarterly', '2026-02-10', '2026-09-01', 9, '2026-02-10 2026-04-01 2026-07-01'], // the first begins where it is told to
    ['never', '2026-01-01', '2036-01-01', 9, '2026-01-01'],
  ] as const)('%s between %s and %s, at most %d: %s', (reset, from, to, max, begin) => {
    const periods = [...periodsBetween(rule(reset, 'UTC'), Date.parse(from), Date.parse(to), max)];
    expect(periods.map(({ startMs }) => instant(startMs).slice(0, 10)).join(' ')).toBe(begin);
  });

  const anyRule = fc.record({
    reset: resets(),
    anchor: anchors(),
    anchorMs: instants(),
    timeZone: zones(),
    sinceMs: fc.constant(Date.parse(SINCE)),
  });

  it('law: periods tile time, and the period of its own start is itself', () => {
    fc.assert(
      fc.property(anyRule, instants(), (rule, atMs) => {
        const period = periodAt(rule, atMs);
        expect(contains(period, atMs)).toBe(true);
        expect(periodAt(rule, period.startMs)).toEqual(period);
        if (period.endMs !== null) expect(periodAt(rule, period.endMs).startMs).toBe(period.endMs);
      }),
      { numRuns: 500 },
    );
  });

  it('law: walking from one to the next comes to what is computed at once', () => {
    const whole = anyRule.filter(({ reset }) => reset !== 'never');
    fc.assert(
      fc.property(whole, instants(), fc.integer({ min: 1, max: 8 }), (rule, atMs, count) => {
        const first = periodAt(rule, atMs);
        const walked = [...periodsBetween(rule, first.startMs, Number.MAX_SAFE_INTEGER, count)];
        expect(walked).toHaveLength(count);
        expect(walked[0]).toEqual(first);
        for (const [i, period] of walked.entries()) {
          expect(periodAt(rule, period.startMs)).toEqual(period);
          const next = walked[i + 1];
          if (next) expect(periodAfter(period, rule)).toEqual(next);
          if (next) expect(next.startMs).toBe(period.endMs);
        }
      }),
      { numRuns: 200 },
    );
  });
});

it.each([
  ['monthly', 'calendar', 'monthly'],
  ['monthly', 'subscription', 'monthly@subscription'],
  ['hourly', 'subscription', 'hourly@subscription'],
  ['never', 'subscription', 'never'], // nothing that an anchor could change
  ['every 6 hour', 'calendar', 'every 6 hour'],
  ['every 6 hour', 'subscription', 'every 6 hour'],
] as const)('%s by %s is remembered as %s', (reset, anchor, key) => expect(ruleKey(reset, anchor)).toBe(key));

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

function rule<R extends Reset>(reset: R, timeZone: string, anchor: Anchor = 'calendar'): PeriodRule & { reset: R } {
  return { reset, anchor, anchorMs: Date.parse(ANCHOR), timeZone, sinceMs: Date.parse(SINCE) };
}

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
  ['America/Sao_Paulo', '2018-11-04T03:00Z'],
  ['America/St_Johns', '2006-10-29T02:31Z'],
] as const;

function zones() {
  return fc.constantFrom('UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'Pacific/Chatham', ...CHANGES.map(([zone]) => zone));
}
function instants() {
  return fc.integer({ min: Date.parse('2015-01-01'), max: Date.parse('2060-01-01') });
}
function anchors(): fc.Arbitrary<Anchor> {
  return fc.constantFrom('calendar', 'subscription');
}
function resets(): fc.Arbitrary<Reset> {
  const intervals = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(...INTERVAL_UNITS));
  return fc.oneof(
    fc.constantFrom(...NAMED_RESETS),
    intervals.map(([every, unit]) => intervalOf(every, unit)),
  );
}

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
  if (text === null) return null;
  const [, key, period = ''] = /^(.+?) (\S+ … \S+)$/.exec(text) ?? [];
  const known = KEYS.find((candidate) => candidate === key);
  if (known === undefined) throw new Error(`${text} has none of the resets of these tests`);
  return { ...spelt(period), reset: known };
}

const KEYS = [...NAMED_RESETS, 'monthly@subscription', 'every 6 hour'] as const;

/** Reads `2026-03-01 … 2026-04-01`. */
function spelt(text: string): Period {
  const [start = '', end = ''] = text.split(' … ');
  return { startMs: Date.parse(start), endMs: end === 'always' ? null : Date.parse(end) };
}

const spell = ({ startMs, endMs }: Period): string =>
  `${instant(startMs)} … ${endMs === null ? 'always' : instant(endMs)}`;
const instant = (ms: number): string => new Date(ms).toISOString().replace(/(:00)?\.000Z$/, 'Z');
