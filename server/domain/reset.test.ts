/**
 * Goal: a reset has one text, and one that is none is refused with what to write instead. Method: tables of texts, and the
 * law that what is written is read again.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTERVAL_UNITS, intervalOf, isInterval, NAMED_RESETS, parseInterval, problemOfReset } from './period.ts';

describe('resets', () => {
  it.each([
    ['every 6 hour', { every: 6, unit: 'hour' }],
    ['every 1 minute', { every: 1, unit: 'minute' }],
    ['every 10000 month', { every: 10_000, unit: 'month' }],
    ['every 1000 year', { every: 1_000, unit: 'year' }],
    ['every 1001 year', null],
    ['every 10001 day', null],
    ['every 0 day', null],
    ['every -1 day', null],
    ['every 06 hour', null], // there is one form
    ['every 1.5 hour', null],
    ['every 1e3 hour', null],
    ['every 6 hours', null],
    ['every 6 HOUR', null],
    ['every  6 hour', null],
    [' every 6 hour', null],
    ['every 6 hour\n', null],
    ['monthly', null],
    ['', null],
  ])('%j is the interval %j', (text, interval) => expect(parseInterval(text)).toEqual(interval));

  it('law: an interval that is written is read again', () => {
    const every = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(every, fc.constantFrom(...INTERVAL_UNITS), (every, unit) => {
        expect(parseInterval(intervalOf(every, unit))).toEqual({ every, unit });
        expect(isInterval(intervalOf(every, unit))).toBe(true);
        expect(problemOfReset(intervalOf(every, unit))).toBeNull();
      }),
    );
  });

  it.each(NAMED_RESETS)('%s is a reset, and no interval', (reset) => {
    expect(problemOfReset(reset)).toBeNull();
    expect(isInterval(reset)).toBe(false);
  });

  // biome-ignore format: a table
  it.each([
    ['montly', 'is "montly"; did you mean "monthly"? allowed are never, hourly, daily, weekly, monthly, quarterly, yearly, and intervals like "every 6 hour"'],
    ['x'.repeat(100), `is "${'x'.repeat(40)}…"; allowed are never, hourly, daily, weekly, monthly, quarterly, yearly, and intervals like "every 6 hour"`],
    ['every 6 hours', 'is "every 6 hours"; did you mean "every 6 hour"? the units of an interval are minute, hour, day, week, month, year'],
    ['every 30 fortnight', 'is "every 30 fortnight"; the units of an interval are minute, hour, day, week, month, year'],
    [intervalOf(0, 'hour'), 'is "every 0 hour"; an interval is a whole number of hours, from 1 to 10000'],
    [intervalOf(1.5, 'day'), 'is "every 1.5 day"; an interval is a whole number of days, from 1 to 10000'],
    [intervalOf(Number.NaN, 'week'), 'is "every NaN week"; an interval is a whole number of weeks, from 1 to 10000'],
    [intervalOf(1_001, 'year'), 'is "every 1001 year"; an interval is a whole number of years, from 1 to 1000'],
  ])('%s: %s', (reset, problem) => expect(problemOfReset(reset)).toBe(problem));
});
