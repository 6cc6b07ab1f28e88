/** Goal: a part of a period costs its share to the second. Method: tables over a month of 30 days, and laws of cutting. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Money } from './money.ts';
import { type BillingPeriod, planChangeCredit, prorate } from './proration.ts';
import { formatUnits, ONE, roundToWhole, UNITS_MAX, unitsOf } from './units.ts';

const june: BillingPeriod = { startMs: Date.UTC(2026, 5), endMs: Date.UTC(2026, 6) };
const DAY_MS = 86_400_000;
const usd = (amount: string): Money => ({ amount: unitsOf(amount), currency: 'usd' });
const at = (day: number, ms = 0): number => june.startMs + day * DAY_MS + ms;
const spell = (money: Money | null): string | null => money && `${formatUnits(money.amount)} ${money.currency}`;

it.each([
  // price, from, to, share
  ['3000', at(0), at(30), '3000'],
  ['3000', at(0), at(15), '1500'],
  ['3000', at(15), at(30), '1500'],
  ['3000', at(29), at(30), '100'],
  ['3000', at(0), at(0, 1_000), '0.001157407'], // a second is 3000 ÷ 2,592,000
  ['3000', at(0), at(0, 999), '0'], // a second that runs is not over
  ['3000', at(0), at(0, 1_999), '0.001157407'],
  ['3000', at(29, DAY_MS - 1_000), at(30), '0.001157407'],
  ['3000', at(29, DAY_MS - 1), at(30), '0.001157407'],
  ['3000', at(-5), at(15), '1500'], // only what lies in the period
  ['3000', at(15), at(99), '1500'],
  ['3000', at(-5), at(0), '0'],
  ['3000', at(30), at(40), '0'],
  ['3000', at(15), at(15), '0'],
  ['3000', at(20), at(10), '0'],
  ['-3000', at(0), at(15), '-1500'],
  ['0', at(0), at(15), '0'],
  ['0.000000001', at(0), at(15), '0'], // half a billionth goes to the even one
  ['0.000000003', at(0), at(15), '0.000000002'],
  ['99999999999999999999999999999.999999999', at(0), at(10), '33333333333333333333333333333.333333333'],
] as const)('%s a month: %#', (price, fromMs, toMs, share) => {
  expect(spell(prorate(usd(price), june, fromMs, toMs))).toBe(`${share} usd`);
});

it.each([
  // clock changes make a month of 30 days and 23 hours: half of its time costs half, not half of its days
  ['a month with a short night', { startMs: 0, endMs: 743 * 3_600_000 }, (743 * 3_600_000) / 2, '500'],
  ['a period with half a second more', { startMs: 0, endMs: 10_500 }, 5_000, '500'],
  ['its last half second', { startMs: 0, endMs: 10_500 }, 10_000, '1000'],
  ['a period below a second', { startMs: 0, endMs: 500 }, 499, '0'],
  ['a period below a second, over', { startMs: 0, endMs: 500 }, 500, '1000'],
  ['a period of nothing', { startMs: 7, endMs: 7 }, 8, '1000'],
] as const)('%s', (_name, period, untilMs, share) => {
  expect(spell(prorate(usd('1000'), period, -1, untilMs))).toBe(`${share} usd`);
});

describe('a change of plan', () => {
  const year: BillingPeriod = { startMs: at(20), endMs: at(385) };

  it.each([
    // old, new, at, credited, charged
    ['3000', '6000', at(0), '3000 usd', '6000 usd'],
    ['3000', '6000', at(10), '2000 usd', '4000 usd'],
    ['6000', '3000', at(20), '2000 usd', '1000 usd'],
    ['3000', '6000', at(30), '0 usd', '0 usd'],
    [null, '6000', at(20), null, '2000 usd'],
    ['3000', null, at(20), '1000 usd', null],
    [null, null, at(20), null, null],
  ] as const)('from %s to %s: %#', (oldPrice, newPrice, atMs, credited, charged) => {
    const change = planChangeCredit(oldPrice && usd(oldPrice), newPrice && usd(newPrice), june, atMs);
    expect([spell(change.credited), spell(change.charged)]).toEqual([credited, charged]);
  });

  it('to another currency is not set off', () => {
    const change = planChangeCredit(usd('3000'), { amount: unitsOf('600'), currency: 'jpy' }, june, at(20));
    expect([spell(change.credited), spell(change.charged)]).toEqual(['1000 usd', '200 jpy']);
  });

  it('to another interval charges for a period of its own', () => {
    const change = planChangeCredit(usd('3000'), usd('36500'), june, at(20), year);
    expect([spell(change.credited), spell(change.charged)]).toEqual(['1000 usd', '36500 usd']);
  });
});

describe('laws', () => {
  const money = fc.bigInt({ min: 0n, max: UNITS_MAX }).map((amount): Money => ({ amount, currency: 'usd' }));
  const period = fc
    .tuple(fc.integer({ min: 0, max: 2_000_000_000 }), fc.integer({ min: 1, max: 40 * DAY_MS }))
    .map(([startMs, length]): BillingPeriod => ({ startMs, endMs: startMs + length }));
  const cut = fc
    .tuple(period, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }))
    .map(([whole, places]): BillingPeriod[] => {
      const inner = places.map((place) => Math.floor(whole.startMs + place * (whole.endMs - whole.startMs)));
      const cuts = [whole.startMs, ...inner.sort((a, b) => a - b), whole.endMs];
      return cuts.slice(1).map((endMs, i) => ({ startMs: cuts[i] ?? endMs, endMs }));
    });
  const wholeOf = (parts: readonly BillingPeriod[]): BillingPeriod => ({
    startMs: parts[0]?.startMs ?? 0,
    endMs: parts.at(-1)?.endMs ?? 0,
  });

  it('the parts of a period cost exactly its price, however it is cut', () => {
    fc.assert(
      fc.property(money, cut, (price, parts) => {
        const shares = parts.map((part) => prorate(price, wholeOf(parts), part.startMs, part.endMs).amount);
        expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(price.amount);
      }),
    );
  });

  it('two parts that are rounded to whole minor units miss the rounded price by at most one', () => {
    fc.assert(
      fc.property(money, period, fc.double({ min: 0, max: 1, noNaN: true }), (price, whole, place) => {
        const atMs = Math.floor(whole.startMs + place * (whole.endMs - whole.startMs));
        const [before, after] = [prorate(price, whole, 0, atMs), prorate(price, whole, atMs, whole.endMs)];
        const off = roundToWhole(before.amount) + roundToWhole(after.amount) - roundToWhole(price.amount);
        expect(off >= -ONE && off <= ONE).toBe(true);
      }),
    );
  });

  it('a share is within a billionth of the exact one', () => {
    const wholeSeconds = fc.integer({ min: 1, max: 40 * 86_400 });
    fc.assert(
      fc.property(money, wholeSeconds, wholeSeconds, wholeSeconds, (price, length, one, other) => {
        const [from, to] = [Math.min(one, other, length), Math.min(Math.max(one, other), length)];
        const share = prorate(price, { startMs: 0, endMs: length * 1_000 }, from * 1_000, to * 1_000).amount;
        const off = share * BigInt(length) - price.amount * BigInt(to - from);
        expect(off <= BigInt(length) && off >= -BigInt(length)).toBe(true);
      }),
    );
  });

  it('nothing is credited and charged for a change to a plan that costs the same', () => {
    fc.assert(
      fc.property(money, period, fc.integer({ min: 0, max: 2_000_000_000 }), (price, whole, atMs) => {
        const { credited, charged } = planChangeCredit(price, price, whole, atMs);
        expect(credited).toEqual(charged);
      }),
    );
  });
});
