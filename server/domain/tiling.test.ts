/**
 * Goal: every instant lies in exactly one stretch, and each boundary is where a person with a calendar and a clock on
 * the wall would put it. Method: tables of anchors and clock changes, one row a case; laws over random ones.
 */
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { type Interval, parseInterval } from './period.ts';
import { anchoredTile, calendarTile, type Step, type Tile } from './tiling.ts';

describe('months and years from the original day', () => {
  // biome-ignore format: a table
  it.each([
    // step           anchor                  at                         from … to
    ['every 1 month', '2026-01-31T10:00Z', '2026-01-31T10:00Z', '2026-01-31T10:00Z … 2026-02-28T10:00Z'],
    ['every 1 month', '2026-01-31T10:00Z', '2026-02-28T09:59:59.999Z', '2026-01-31T10:00Z … 2026-02-28T10:00Z'],
    ['every 1 month', '2026-01-31T10:00Z', '2026-02-28T10:00Z', '2026-02-28T10:00Z … 2026-03-31T10:00Z'], // no drift
    ['every 1 month', '2026-01-31T10:00Z', '2026-04-30T10:00Z', '2026-04-30T10:00Z … 2026-05-31T10:00Z'],
    ['every 1 month', '2026-01-31T10:00Z', '2028-02-29T10:00Z', '2028-02-29T10:00Z … 2028-03-31T10:00Z'], // a leap day
    ['every 1 month', '2026-01-31T10:00Z', '2126-02-28T09:59Z', '2126-01-31T10:00Z … 2126-02-28T10:00Z'], // 100 years on
    ['every 1 month', '2026-01-30T00:00Z', '2026-03-29T23:59Z', '2026-02-28T00:00Z … 2026-03-30T00:00Z'],
    ['every 1 month', '2026-01-29T00:00Z', '2026-03-15T00:00Z', '2026-02-28T00:00Z … 2026-03-29T00:00Z'],
    ['every 1 month', '2026-01-29T00:00Z', '2028-03-15T00:00Z', '2028-02-29T00:00Z … 2028-03-29T00:00Z'],
    ['every 1 month', '2026-02-28T00:00Z', '2026-03-30T00:00Z', '2026-03-28T00:00Z … 2026-04-28T00:00Z'], // the 28th stays
    ['every 3 month', '2025-11-30T00:00Z', '2026-03-01T00:00Z', '2026-02-28T00:00Z … 2026-05-30T00:00Z'],
    ['every 3 month', '2026-01-31T00:00Z', '2026-04-29T23:59Z', '2026-01-31T00:00Z … 2026-04-30T00:00Z'],
    ['every 18 month', '2025-08-31T00:00Z', '2027-02-28T00:00Z', '2027-02-28T00:00Z … 2028-08-31T00:00Z'],
    ['every 1 year', '2024-02-29T12:00Z', '2025-06-01T00:00Z', '2025-02-28T12:00Z … 2026-02-28T12:00Z'],
    ['every 1 year', '2024-02-29T12:00Z', '2028-02-29T11:59Z', '2027-02-28T12:00Z … 2028-02-29T12:00Z'],
    ['every 1 year', '2024-02-29T12:00Z', '2028-02-29T12:00Z', '2028-02-29T12:00Z … 2029-02-28T12:00Z'],
    ['every 1 year', '2024-02-29T12:00Z', '2100-03-01T00:00Z', '2100-02-28T12:00Z … 2101-02-28T12:00Z'], // not a leap year
    ['every 2 year', '2023-06-30T00:00Z', '2026-06-29T23:59Z', '2025-06-30T00:00Z … 2027-06-30T00:00Z'],
    ['every 1000 year', '2026-01-01T00:00Z', '2026-07-01T00:00Z', '2026-01-01T00:00Z … 3026-01-01T00:00Z'],
    ['every 10000 month', '2026-01-01T00:00Z', '2026-07-01T00:00Z', '2026-01-01T00:00Z … 2859-05-01T00:00Z'],
  ] as const)('%s from %s at %s: %s', expectTile('UTC'));
});

describe('minutes, hours, days and weeks', () => {
  // biome-ignore format: a table
  it.each([
    ['every 1 minute', '2026-01-01T00:00:30Z', '2026-03-15T12:00:29.999Z', '2026-03-15T11:59:30Z … 2026-03-15T12:00:30Z'],
    ['every 90 minute', '2026-03-15T00:00Z', '2026-03-15T02:59:59Z', '2026-03-15T01:30Z … 2026-03-15T03:00Z'],
    ['every 1 hour', '2026-01-01T12:34:56.789Z', '2026-03-15T12:00Z', '2026-03-15T11:34:56.789Z … 2026-03-15T12:34:56.789Z'],
    ['every 6 hour', '2026-03-15T01:00Z', '2026-03-15T12:59Z', '2026-03-15T07:00Z … 2026-03-15T13:00Z'],
    ['every 6 hour', '2026-03-15T01:00Z', '2026-03-15T13:00Z', '2026-03-15T13:00Z … 2026-03-15T19:00Z'],
    ['every 1 day', '2026-01-01T17:45Z', '2026-03-15T17:44Z', '2026-03-14T17:45Z … 2026-03-15T17:45Z'],
    ['every 10 day', '2026-02-25T00:00Z', '2026-03-10T00:00Z', '2026-03-07T00:00Z … 2026-03-17T00:00Z'],
    ['every 1 week', '2026-01-07T09:00Z', '2026-03-15T00:00Z', '2026-03-11T09:00Z … 2026-03-18T09:00Z'], // Wednesdays
    ['every 2 week', '2026-01-07T09:00Z', '2026-02-01T00:00Z', '2026-01-21T09:00Z … 2026-02-04T09:00Z'],
    ['every 2 week', '2026-12-30T00:00Z', '2027-01-05T00:00Z', '2026-12-30T00:00Z … 2027-01-13T00:00Z'], // across a new year
  ] as const)('%s from %s at %s: %s', expectTile('UTC'));
});

describe('before the anchor', () => {
  // biome-ignore format: a table
  it.each([
    ['every 1 minute', '2026-01-01T00:00:30Z', '2026-01-01T00:00:29Z', '2025-12-31T23:59:30Z … 2026-01-01T00:00:30Z'],
    ['every 6 hour', '2026-03-15T01:00Z', '2026-03-14T19:00Z', '2026-03-14T19:00Z … 2026-03-15T01:00Z'],
    ['every 10 day', '2026-02-25T00:00Z', '2026-02-24T23:59Z', '2026-02-15T00:00Z … 2026-02-25T00:00Z'],
    ['every 2 week', '2026-01-07T09:00Z', '2025-12-10T08:59Z', '2025-11-26T09:00Z … 2025-12-10T09:00Z'],
    ['every 1 month', '2026-01-31T10:00Z', '2026-01-31T09:59Z', '2025-12-31T10:00Z … 2026-01-31T10:00Z'],
    ['every 1 month', '2026-01-31T10:00Z', '2024-03-15T00:00Z', '2024-02-29T10:00Z … 2024-03-31T10:00Z'],
    ['every 3 month', '2026-01-31T00:00Z', '2025-11-01T00:00Z', '2025-10-31T00:00Z … 2026-01-31T00:00Z'],
    ['every 1 year', '2024-02-29T12:00Z', '2023-06-01T00:00Z', '2023-02-28T12:00Z … 2024-02-29T12:00Z'],
  ] as const)('%s from %s at %s: %s', expectTile('UTC'));
});

describe('nights on which the clocks change', () => {
  // biome-ignore format: a table
  it.each([
    // step          zone                anchor               at                  from … to                        hours
    // 02:30 in Berlin: skipped in spring (the instant after the gap), twice in autumn (the first of them).
    ['every 1 day', 'Europe/Berlin', '2026-01-10T01:30Z', '2026-03-28T12:00Z', '2026-03-28T01:30Z … 2026-03-29T01:00Z', 23.5],
    ['every 1 day', 'Europe/Berlin', '2026-01-10T01:30Z', '2026-03-29T12:00Z', '2026-03-29T01:00Z … 2026-03-30T00:30Z', 23.5],
    ['every 1 day', 'Europe/Berlin', '2026-01-10T01:30Z', '2026-10-25T01:30Z', '2026-10-25T00:30Z … 2026-10-26T01:30Z', 25],
    // From the second 02:30 of a night: the first stretch begins then, whatever the clock read an hour before.
    ['every 1 day', 'Europe/Berlin', '2026-10-25T01:30Z', '2026-10-25T01:30Z', '2026-10-25T01:30Z … 2026-10-26T01:30Z', 24],
    ['every 1 day', 'Europe/Berlin', '2026-10-25T01:30Z', '2026-10-25T00:45Z', '2026-10-24T00:30Z … 2026-10-25T01:30Z', 25], // the first 02:45
    ['every 1 day', 'Europe/Berlin', '2026-10-25T01:30Z', '2026-10-25T01:29Z', '2026-10-24T00:30Z … 2026-10-25T01:30Z', 25],
    ['every 1 month', 'Europe/Berlin', '2026-01-29T01:30Z', '2026-03-29T02:00Z', '2026-03-29T01:00Z … 2026-04-29T00:30Z', 743.5],
    ['every 1 month', 'Europe/Berlin', '2026-01-30T23:30Z', '2026-03-01T00:00Z', '2026-02-27T23:30Z … 2026-03-30T22:30Z', 743], // the 31st there
    ['every 6 hour', 'Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T04:30Z', '2026-10-25T04:00Z … 2026-10-25T10:00Z', 6],
    // 09:00 in New York stays 09:00.
    ['every 1 day', 'America/New_York', '2026-01-01T14:00Z', '2026-03-08T12:59Z', '2026-03-07T14:00Z … 2026-03-08T13:00Z', 23],
    ['every 1 day', 'America/New_York', '2026-01-01T14:00Z', '2026-03-08T13:00Z', '2026-03-08T13:00Z … 2026-03-09T13:00Z', 24],
    ['every 1 day', 'America/New_York', '2026-01-01T14:00Z', '2026-11-01T13:30Z', '2026-10-31T13:00Z … 2026-11-01T14:00Z', 25],
    ['every 1 week', 'America/New_York', '2026-03-04T14:00Z', '2026-03-08T12:00Z', '2026-03-04T14:00Z … 2026-03-11T13:00Z', 167],
    ['every 2 week', 'America/New_York', '2026-10-28T13:00Z', '2026-11-01T12:00Z', '2026-10-28T13:00Z … 2026-11-11T14:00Z', 337],
    // Lord Howe moves by half an hour: 02:15 is skipped in spring, 01:45 comes twice in autumn.
    ['every 1 day', 'Australia/Lord_Howe', '2026-07-31T15:45Z', '2026-10-03T16:00Z', '2026-10-03T15:30Z … 2026-10-04T15:15Z', 23.75],
    ['every 1 day', 'Australia/Lord_Howe', '2026-01-31T14:45Z', '2026-04-04T15:15Z', '2026-04-04T14:45Z … 2026-04-05T15:15Z', 24.5],
    // São Paulo skipped midnight, and later repeated the hour before it.
    ['every 1 day', 'America/Sao_Paulo', '2018-10-20T03:00Z', '2018-11-04T12:00Z', '2018-11-04T03:00Z … 2018-11-05T02:00Z', 23],
    ['every 1 day', 'America/Sao_Paulo', '2018-10-20T03:30Z', '2018-11-03T12:00Z', '2018-11-03T03:30Z … 2018-11-04T03:00Z', 23.5],
    ['every 1 day', 'America/Sao_Paulo', '2018-10-20T03:30Z', '2018-11-04T12:00Z', '2018-11-04T03:00Z … 2018-11-05T02:30Z', 23.5],
    ['every 1 day', 'America/Sao_Paulo', '2018-01-02T01:30Z', '2018-02-18T02:30Z', '2018-02-18T01:30Z … 2018-02-19T02:30Z', 25],
    // Apia left out 30 December 2011.
    ['every 1 day', 'Pacific/Apia', '2011-12-10T20:00Z', '2011-12-30T09:59Z', '2011-12-29T20:00Z … 2011-12-30T10:00Z', 14],
    ['every 1 day', 'Pacific/Apia', '2011-12-10T20:00Z', '2011-12-30T10:00Z', '2011-12-30T10:00Z … 2011-12-30T20:00Z', 10],
    ['every 1 day', 'Pacific/Apia', '2011-12-10T10:00Z', '2011-12-30T10:00Z', '2011-12-30T10:00Z … 2011-12-31T10:00Z', 24], // none for the 30th
    ['every 1 month', 'Pacific/Apia', '2011-10-30T10:00Z', '2011-12-30T10:00Z', '2011-12-30T10:00Z … 2012-01-29T10:00Z', 720],
  ] as const)('%s in %s from %s at %s: %s (%d h)', (step, timeZone, anchor, at, says, hours) => {
    const tile = anchored(step, anchor, timeZone, at);
    expect(spell(tile)).toBe(says);
    expect((tile.endMs - tile.startMs) / HOUR_MS).toBe(hours);
  });

  it('when midnight comes twice and the clock goes back before it, the day has begun all the same', () => {
    // St. John's, at a minute past midnight: the day began at 02:30Z, and the clock reads the day before again until 03:30Z.
    const at = Date.parse('2006-10-29T02:45Z');
    const day = calendarTile({ every: 1, unit: 'day' }, 'America/St_Johns', at);
    expect(spell(day)).toBe('2006-10-29T02:30Z … 2006-10-30T03:30Z');
  });
});

describe('laws', () => {
  const anyCase = fc.record({ step: steps(), anchorMs: instants(), timeZone: zones(), atMs: instants() });
  const around = ({ step, anchorMs, timeZone }: { step: Step; anchorMs: number; timeZone: string }) => {
    return (atMs: number): Tile => anchoredTile(step, anchorMs, timeZone, atMs);
  };

  it('stretches tile time: each holds its instants, its neighbours begin and end where it ends and begins', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const tileAt = around(one);
        const tile = tileAt(one.atMs);
        expect(tile.startMs <= one.atMs && one.atMs < tile.endMs).toBe(true);
        expect(tileAt(tile.startMs)).toEqual(tile);
        expect(tileAt(tile.endMs).startMs).toBe(tile.endMs);
        expect(tileAt(tile.startMs - 1).endMs).toBe(tile.startMs);
        expect(tileAt(tile.endMs - 1)).toEqual(tile);
      }),
      { numRuns: 500 },
    );
  });

  it('the anchor begins one', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        expect(around(one)(one.anchorMs).startMs).toBe(one.anchorMs);
      }),
      { numRuns: 300 },
    );
  });

  it('a boundary reads as the anchor does: its time, and whole steps from its date, or the last of a shorter month', () => {
    const localCase = anyCase.filter(({ step }) => step.unit !== 'minute' && step.unit !== 'hour');
    fc.assert(
      fc.property(localCase, (one) => {
        const { startMs } = around(one)(one.atMs);
        const wasPutForward = offsetMs(startMs, one.timeZone) > offsetMs(startMs - 1, one.timeZone);
        if (wasPutForward) return;
        const [start, anchor] = [local(startMs, one.timeZone), local(one.anchorMs, one.timeZone)];
        expect(start.toPlainTime().toString()).toBe(anchor.toPlainTime().toString());
        expect(Math.abs(unitsBetween(one.step.unit, anchor, start) % one.step.every)).toBe(0);
        if (one.step.unit === 'month' || one.step.unit === 'year')
          expect(start.day).toBe(Math.min(anchor.day, start.daysInMonth));
      }),
      { numRuns: 500 },
    );
  });

  it('around every change of the clocks, too, in whatever order the instants come', () => {
    const offsets = fc.uniqueArray(fc.integer({ min: -3_000, max: 3_000 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(
        steps(5),
        fc.constantFrom(...CHANGES),
        fc.integer({ min: -300, max: 300 }),
        offsets,
        (step, [timeZone, change], off, minutes) => {
          const anchorMs = Date.parse(change) + off * 60_000 - 40 * 24 * HOUR_MS;
          const tiles = minutes.map((minute) => {
            const atMs = Date.parse(change) + minute * 60_000;
            const tile = anchoredTile(step, anchorMs, timeZone, atMs);
            expect(tile.startMs <= atMs && atMs < tile.endMs).toBe(true);
            return tile;
          });
          tiles.sort((a, b) => a.startMs - b.startMs);
          for (const [i, tile] of tiles.slice(1).entries()) {
            const before = tiles[i];
            if (before?.startMs === tile.startMs) expect(tile).toEqual(before);
            else expect(tile.startMs).toBeGreaterThanOrEqual(before?.endMs ?? Number.NaN);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

const HOUR_MS = 3_600_000;

function anchored(interval: Interval, anchor: string, timeZone: string, at: string): Tile {
  const step = parseInterval(interval);
  if (step === null) throw new Error(`${interval} is no interval`);
  return anchoredTile(step, Date.parse(anchor), timeZone, Date.parse(at));
}

function expectTile(timeZone: string) {
  return (step: Interval, anchor: string, at: string, says: string) =>
    expect(spell(anchored(step, anchor, timeZone, at))).toBe(says);
}

/** A zone, and an instant at which its clocks change: by an hour, half an hour, two, three and a day. */
const CHANGES = [
  ['Europe/Berlin', '2026-03-29T01:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00Z'],
  ['America/New_York', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['America/Havana', '2026-11-01T05:00Z'],
  ['America/Sao_Paulo', '2018-11-04T03:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00Z'],
  ['America/St_Johns', '2006-10-29T02:31Z'],
  ['Africa/Cairo', '2026-04-23T22:00Z'],
  ['America/Nuuk', '2026-10-25T01:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['Antarctica/Troll', '2026-03-29T01:00Z'],
  ['Antarctica/Casey', '2021-10-02T16:01Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
] as const;

function zones() {
  return fc.constantFrom('UTC', 'Asia/Kathmandu', 'Pacific/Chatham', ...new Set(CHANGES.map(([timeZone]) => timeZone)));
}
function instants() {
  return fc.integer({ min: Date.parse('2005-01-01'), max: Date.parse('2060-01-01') });
}
function steps(everyMax = 100) {
  return fc.record({
    every: fc.integer({ min: 1, max: everyMax }),
    unit: fc.constantFrom('minute', 'hour', 'day', 'week', 'month', 'year'),
  } as const);
}

function unitsBetween(unit: Step['unit'], from: Temporal.PlainDateTime, to: Temporal.PlainDateTime): number {
  const days = from.toPlainDate().until(to.toPlainDate(), { largestUnit: 'day' }).days;
  const months = 12 * (to.year - from.year) + to.month - from.month;
  return unit === 'day' ? days : unit === 'week' ? days / 7 : unit === 'month' ? months : months / 12;
}

const zoned = (atMs: number, timeZone: string) =>
  Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
const local = (atMs: number, timeZone: string) => zoned(atMs, timeZone).toPlainDateTime();
const offsetMs = (atMs: number, timeZone: string) => zoned(atMs, timeZone).offsetNanoseconds / 1e6;

const spell = ({ startMs, endMs }: Tile): string => `${instant(startMs)} … ${instant(endMs)}`;
const instant = (ms: number): string => new Date(ms).toISOString().replace(/(:00)?\.000Z$/, 'Z');
