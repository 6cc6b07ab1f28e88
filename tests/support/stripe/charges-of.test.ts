/**
 * Goal: what a quantity costs is exact, for every price model. Method: a table of known invoices, and a second
 * computation that lays one unit after the other, in fractions; line by line they differ by rounding alone.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Price } from './account.ts';
import { chargesOf } from './charges-of.ts';

type Tier = { readonly upTo: number | null; readonly unit?: string; readonly flat?: string };

const price = (parts: Partial<Price>): Price => parts as Price;
const perUnit = (unit_amount_decimal: string) =>
  price({ billing_scheme: 'per_unit', unit_amount_decimal, transform_quantity: null });
const packages = (unit_amount_decimal: string, divide_by: number, round: 'up' | 'down') =>
  price({ billing_scheme: 'per_unit', unit_amount_decimal, transform_quantity: { divide_by, round } });
const tiered = (tiers_mode: 'graduated' | 'volume', tiers: readonly Tier[]) =>
  price({
    billing_scheme: 'tiered',
    tiers_mode,
    tiers: tiers.map(({ upTo, unit = null, flat = null }) => ({
      up_to: upTo,
      unit_amount: null,
      unit_amount_decimal: unit,
      flat_amount: null,
      flat_amount_decimal: flat,
    })),
  });

const FONTS: readonly Tier[] = [
  { upTo: 5, unit: '700' },
  { upTo: 10, unit: '650' },
  { upTo: null, unit: '600' },
];
const INCLUDED: readonly Tier[] = [
  { upTo: 100, unit: '0' },
  { upTo: null, unit: '10' },
];
const FEES: readonly Tier[] = [
  { upTo: 10, unit: '0', flat: '2000' },
  { upTo: null, unit: '1.5', flat: '500' },
];
const CENTS: readonly Tier[] = [
  { upTo: 1, unit: '0.5' },
  { upTo: 2, unit: '0.5' },
  { upTo: null, unit: '0.5' },
];

const lines = (of: Price, quantity: number) => chargesOf(of, BigInt(quantity)).map(({ amount }) => amount);
const total = (of: Price, quantity: number) => lines(of, quantity).reduce((sum, amount) => sum + amount, 0);

describe('a quantity', () => {
  it.each([
    // what                              price                          quantity  lines
    ['one by one', perUnit('1000'), 3, [3000]],
    ['by parts of a cent, rounded up', perUnit('0.05'), 30, [2]],
    ['by parts of a cent, rounded down', perUnit('0.05'), 29, [1]],
    ['of nothing', perUnit('1000'), 0, [0]],
    ['taken back', perUnit('1000'), -5, [0]],
    ['in packages begun', packages('500', 100, 'up'), 101, [1000]],
    ['in packages filled', packages('500', 100, 'down'), 199, [500]],
    ['graduated, in the first tier', tiered('graduated', FONTS), 5, [3500]],
    ['graduated, over two tiers', tiered('graduated', FONTS), 6, [3500, 650]],
    ['graduated, over all tiers', tiered('graduated', FONTS), 20, [3500, 3250, 6000]],
    ['within what is included', tiered('graduated', INCLUDED), 100, [0]],
    ['130 GB of 100', tiered('graduated', INCLUDED), 130, [0, 300]],
    ['by volume, in the first tier', tiered('volume', FONTS), 5, [3500]],
    ['by volume, cheaper for one more', tiered('volume', FONTS), 25, [15000]],
    ['with a fee, of nothing', tiered('graduated', FEES), 0, [0, 2000]],
    ['with fees of both tiers', tiered('graduated', FEES), 12, [0, 2000, 3, 500]],
    ['by volume, with one fee', tiered('volume', FEES), 12, [18, 500]],
    ['each tier rounded by itself', tiered('graduated', CENTS), 3, [1, 1, 1]],
  ])('%s', (_what, of, quantity, amounts) => {
    expect(lines(of, quantity)).toEqual(amounts);
  });
});

/** Hundredths of a minor unit, so that everything is a whole number. */
const hundredths = fc.integer({ min: 0, max: 500 });
const decimalOf = (amount: number) => `${Math.floor(amount / 100)}.${`${amount % 100}`.padStart(2, '0')}`;
const tiers = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
    fc.array(fc.tuple(hundredths, hundredths), { minLength: 5, maxLength: 5 }),
  )
  .map(([ends, amounts]) =>
    [...ends.sort((a, b) => a - b), null].map((upTo, i) => ({
      upTo,
      unit: amounts[i]?.[0] ?? 0,
      flat: amounts[i]?.[1] ?? 0,
    })),
  );
type Numbers = { readonly upTo: number | null; readonly unit: number; readonly flat: number };
const spelled = (list: readonly Numbers[]): Tier[] =>
  list.map(({ upTo, unit, flat }) => ({ upTo, unit: decimalOf(unit), flat: decimalOf(flat) }));
const tierAt = (list: readonly Numbers[], unit: number) => list.findIndex(({ upTo }) => upTo === null || unit <= upTo);
const sumOf = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0);
/** Halves up. */
const rounded = (amount: number) => Math.floor((amount + 50) / 100);

it('graduated, costs what the units of each tier do, each tier and each fee rounded', () => {
  fc.assert(
    fc.property(tiers, fc.integer({ min: 0, max: 100 }), (list, quantity) => {
      const units = Array.from({ length: quantity }, (_, i) => tierAt(list, i + 1));
      const reached = Math.max(0, ...units);
      const expected = list
        .slice(0, reached + 1)
        .map(({ unit, flat }, index) => rounded(unit * units.filter((tier) => tier === index).length) + rounded(flat));
      expect(total(tiered('graduated', spelled(list)), quantity)).toBe(sumOf(expected));
    }),
  );
});

it('by volume, costs what the last unit does, for each', () => {
  fc.assert(
    fc.property(tiers, fc.integer({ min: 0, max: 100 }), (list, quantity) => {
      const tier = list[tierAt(list, quantity)];
      const expected = rounded((tier?.unit ?? 0) * quantity) + rounded(tier?.flat ?? 0);
      expect(total(tiered('volume', spelled(list)), quantity)).toBe(expected);
    }),
  );
});

it('in packages, costs as many as it takes', () => {
  fc.assert(
    fc.property(
      hundredths,
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 0, max: 500 }),
      (amount, size, quantity) => {
        let begun = 0;
        for (let unit = 0; unit < quantity; unit += size) begun += 1;
        const filled = quantity % size === 0 ? begun : begun - 1;
        expect(total(packages(decimalOf(amount), size, 'up'), quantity)).toBe(rounded(amount * begun));
        expect(total(packages(decimalOf(amount), size, 'down'), quantity)).toBe(rounded(amount * filled));
      },
    ),
  );
});
