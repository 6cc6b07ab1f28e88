/**
 * Goal: a forecast is exact arithmetic on the past, by weekday where enough of it is known. Method: tables of a past and
 * what follows from it, worked out by hand; then laws that hold for any past.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daysBefore, type ForecastInput, forecast, type PastDay, projectedCost } from './forecast.ts';
import type { Price } from './price.ts';
import { formatUnits, ONE, type Units, unitsOf } from './units.ts';

const DAY_MS = 24 * 3_600_000;
/** A Monday; March 2026 ends 22 days later. */
const NOW = '2026-03-09T12:00:00Z';
const ms = (text: string): number => Date.parse(text);

/** Days before `NOW`, oldest first, each with its own amount. */
const past = (count: number, amountOf: (weekday: number) => string, timeZone = 'UTC', now = NOW): PastDay[] =>
  daysBefore(timeZone, ms(now))
    .slice(28 - count)
    .map((day) => ({ ...day, amount: unitsOf(amountOf(weekdayInUtc(day.startMs + DAY_MS / 2))) }));
const weekdayInUtc = (atMs: number): number => ((Math.floor(atMs / DAY_MS) + 3) % 7) + 1; // 1 January 1970 was a Thursday

const input = (fields: Partial<ForecastInput>): ForecastInput => ({
  aggregation: 'sum',
  period: { startMs: ms('2026-03-01T00:00:00Z'), endMs: ms('2026-04-01T00:00:00Z') },
  used: 100n * ONE,
  limit: null,
  floor: 0n,
  days: [],
  sinceMs: 0,
  timeZone: 'UTC',
  nowMs: ms(NOW),
  ...fields,
});

function spell(fields: Partial<ForecastInput>): string {
  const { projected, limitReachedAtMs, basis, sampledDays, confident } = forecast(input(fields));
  const reached = limitReachedAtMs === null ? 'never' : new Date(limitReachedAtMs).toISOString();
  return `${basis} ${sampledDays}${confident ? ' sure' : ''}: ${projected && formatUnits(projected)}, limit ${reached}`;
}

const u = (text: string): Units => unitsOf(text);
const flat = past(28, () => '10');
const workdays = past(28, (weekday) => (weekday <= 5 ? '24' : '0'));

describe('a forecast', () => {
  it.each<[string, Partial<ForecastInput>, string]>([
    // 8.5 of 31 days have passed, 22.5 are to come
    ['the rate so far', { used: u('85') }, 'run_rate 0: 310, limit never'],
    [
      'a customer who came on the 5th',
      { used: u('45'), sinceMs: ms('2026-03-05T00:00:00Z') },
      'run_rate 0: 270, limit never',
    ],
    ['a customer who came this instant', { used: u('7'), sinceMs: ms(NOW) }, 'run_rate 0: 7, limit never'],
    ['13 days are too few', { used: u('85'), days: past(13, () => '1000') }, 'run_rate 13: 310, limit never'],
    ['14 are enough', { days: past(14, () => '10') }, 'weekdays 14 sure: 325, limit never'],
    ['the same every day', { days: flat }, 'weekdays 28 sure: 325, limit never'],
    // half a Monday, then 16 working days and 3 weekends
    ['none at weekends', { days: workdays }, 'weekdays 28 sure: 496, limit never'],
    ['nothing at all', { used: 0n, days: past(28, () => '0') }, 'weekdays 28 sure: 0, limit never'],
    [
      'means of thirds',
      {
        used: 0n,
        days: past(21, () => '0').map((d, i) => ({ ...d, amount: i < 7 ? ONE : 0n })),
        period: { startMs: 0, endMs: ms('2026-03-11T00:00:00Z') },
      },
      'weekdays 21 sure: 0.5, limit never',
    ],
    [
      'a limit met within a day',
      { days: flat, limit: u('110') },
      'weekdays 28 sure: 325, limit 2026-03-10T12:00:00.000Z',
    ],
    [
      'a limit met at midnight',
      { days: flat, limit: u('105') },
      'weekdays 28 sure: 325, limit 2026-03-10T00:00:00.000Z',
    ],
    [
      'a limit met after a weekend',
      { used: 0n, days: workdays, limit: u('108.5') },
      'weekdays 28 sure: 396, limit 2026-03-16T00:30:00.000Z',
    ],
    ['a limit met already', { days: flat, limit: u('100') }, 'weekdays 28 sure: 325, limit 2026-03-09T12:00:00.000Z'],
    [
      'a limit met at the very end',
      { days: flat, limit: u('325') },
      'weekdays 28 sure: 325, limit 2026-04-01T00:00:00.000Z',
    ],
    ['a limit not met', { days: flat, limit: u('325.000000001') }, 'weekdays 28 sure: 325, limit never'],
    [
      'a limit met by the rate so far',
      { used: u('85'), limit: u('95') },
      'run_rate 0: 310, limit 2026-03-10T12:00:00.000Z',
    ],
    ['giving back', { used: u('20'), days: past(28, () => '-10') }, 'weekdays 28 sure: 0, limit never'],
    [
      'giving back below nothing',
      { used: u('20'), floor: u('-50'), days: past(28, () => '-10') },
      'weekdays 28 sure: -50, limit never',
    ],
    [
      'what is below its floor already',
      { used: u('-5'), days: past(28, () => '0') },
      'weekdays 28 sure: -5, limit never',
    ],
    [
      'a limit a billionth away, met within the next millisecond',
      { days: flat, limit: u('100.000000001') },
      'weekdays 28 sure: 325, limit 2026-03-09T12:00:00.001Z',
    ],
    [
      'a period without end',
      { days: flat, period: { startMs: 0, endMs: null }, limit: u('200') },
      'weekdays 28 sure: null, limit 2026-03-19T12:00:00.000Z',
    ],
    ['no end and no limit', { days: flat, period: { startMs: 0, endMs: null } }, 'weekdays 28 sure: null, limit never'],
    [
      'more than a year away',
      { days: flat, period: { startMs: 0, endMs: null }, limit: u('3761') },
      'weekdays 28 sure: null, limit never',
    ],
    ['distinct values', { aggregation: 'unique', days: flat }, 'weekdays 28: 325, limit never'],
    [
      'a gauge of which little is known',
      { aggregation: 'latest', days: past(3, () => '10') },
      'standing 3: 100, limit never',
    ],
    ['a gauge', { aggregation: 'latest', days: flat }, 'weekdays 28 sure: 325, limit never'],
    ['a maximum', { aggregation: 'max', days: flat, limit: u('101') }, 'standing 28: 100, limit never'],
    [
      'held over time',
      { aggregation: 'weighted_sum', days: flat, limit: u('100') },
      'standing 28: 100, limit 2026-03-09T12:00:00.000Z',
    ],
  ])('%s', (_name, fields, says) => expect(spell(fields)).toBe(says));

  it('counts a night of 23 hours as a whole day', () => {
    const now = '2026-03-28T23:00:00Z'; // midnight in Berlin; the clocks change that night
    const days = past(28, () => '23', 'Europe/Berlin', now);
    const period = { startMs: ms('2026-02-28T23:00:00Z'), endMs: ms('2026-03-29T22:00:00Z') };
    const fields = { used: 0n, timeZone: 'Europe/Berlin', nowMs: ms(now), days, period, limit: u('12') };
    expect(spell(fields)).toBe('weekdays 28 sure: 23, limit 2026-03-29T11:00:00.000Z');
  });

  it('looks back on whole local days, without gaps', () => {
    const days = daysBefore('Europe/Berlin', ms('2026-04-10T09:00:00Z'));
    expect(days).toHaveLength(28);
    expect(days.at(-1)?.endMs).toBe(ms('2026-04-09T22:00:00Z'));
    for (const [i, day] of days.entries()) if (i > 0) expect(day.startMs).toBe(days[i - 1]?.endMs);
    expect(days.filter(({ startMs, endMs }) => endMs - startMs !== DAY_MS)).toHaveLength(1);
  });

  it('is never below what is used, where nothing is given back; a limit is met exactly when the projection meets it', () => {
    const amounts = fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { minLength: 0, maxLength: 28 });
    const used = fc.bigInt({ min: 0n, max: 10n ** 15n });
    fc.assert(
      fc.property(amounts, used, fc.bigInt({ min: 0n, max: 10n ** 17n }), (sampled, used, limit) => {
        const days = past(sampled.length, () => '0').map((day, i) => ({ ...day, amount: sampled[i] ?? 0n }));
        const { projected, limitReachedAtMs } = forecast(input({ used, days, limit }));
        expect(projected).toBeGreaterThanOrEqual(used);
        expect(limitReachedAtMs !== null).toBe((projected ?? 0n) >= limit);
        if (limitReachedAtMs !== null) {
          expect(limitReachedAtMs).toBeGreaterThanOrEqual(ms(NOW));
          expect(limitReachedAtMs).toBeLessThanOrEqual(ms('2026-04-01T00:00:00Z'));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('what the period will cost', () => {
  const price: Price = {
    model: 'per_unit',
    unitAmount: 2n * ONE,
    currency: 'usd',
    minimumSpend: null,
    maximumSpend: null,
  };
  const tiers: Price = {
    ...{ model: 'graduated', currency: 'usd', minimumSpend: null, maximumSpend: null },
    tiers: [
      { upTo: 10n * ONE, unitAmount: 5n * ONE, flatAmount: 0n },
      { upTo: null, unitAmount: ONE, flatAmount: 0n },
    ],
  };
  const priced = { price, cost: 20n * ONE, pricedUnits: 10n * ONE, freeUnits: 0n, allowedUnits: null };

  it.each([
    ['each unit to come', priced, '7', '34'],
    ['nothing to come', priced, '0', '20'],
    ['less to come', priced, '-3', '20'],
    ['some of them free', { ...priced, freeUnits: 5n * ONE }, '7', '24'],
    ['all of them free', { ...priced, freeUnits: null }, '7', '20'],
    ['no more than allowed', { ...priced, allowedUnits: 4n * ONE }, '7', '28'],
    ['none allowed any more', { ...priced, allowedUnits: -1n * ONE }, '7', '20'],
    ['at the tier they fall into', { ...priced, price: tiers, pricedUnits: 8n * ONE, cost: 40n * ONE }, '5', '53'],
  ] as const)('%s', (_name, of, more, says) => expect(formatUnits(projectedCost(of, u(more)))).toBe(says));
});
