/**
 * Goal: what holds of every price, whatever its numbers. Method: fast-check, against a second pricing that lays one
 * quarter of a unit after the other and looks up what that one costs.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { affordableUnits, costBetween, costOf, isMonotone, type Price, problemsOfPrice, type Tier } from './price.ts';
import { maxUnits, ONE, type Units } from './units.ts';

const GRAIN = ONE / 4n;
const rate = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }), // billionths of a cent: rounding shows
  fc.bigInt({ min: 0n, max: 50n * ONE }),
);
const grains = fc.integer({ min: 0, max: 200 });
const tiers = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 160 }), { maxLength: 5 }),
    fc.array(fc.tuple(rate, rate), { minLength: 6, maxLength: 6 }),
  )
  .map(([ends, amounts]): Tier[] => {
    const upTos = [...ends.sort((a, b) => a - b).map((end) => BigInt(end) * GRAIN), null];
    return upTos.map((upTo, i) => ({ upTo, unitAmount: amounts[i]?.[0] ?? 0n, flatAmount: amounts[i]?.[1] ?? 0n }));
  });
const steps = tiers.map((list): Tier[] => {
  let flatAmount = 0n;
  return list.map((tier) => {
    flatAmount += tier.flatAmount;
    return { ...tier, unitAmount: 0n, flatAmount };
  });
});
const basics = fc.record({
  currency: fc.constant('usd'),
  minimumSpend: fc.constant(null),
  maximumSpend: fc.option(fc.bigInt({ min: 0n, max: 3_000n * ONE }), { nil: null }),
});
const rising = fc.oneof(
  fc.record({ model: fc.constant('per_unit' as const), unitAmount: rate }),
  fc.record({
    model: fc.constant('package' as const),
    packageAmount: rate,
    packageSize: fc.integer({ min: 1, max: 30 }).map((size) => BigInt(size) * GRAIN),
  }),
  fc.record({ model: fc.constant('percentage' as const), percent: rate }),
  fc.record({ model: fc.constant('graduated' as const), tiers }),
  fc.record({ model: fc.constant('stairstep' as const), tiers: steps }),
);
const risingPrice: fc.Arbitrary<Price> = fc.tuple(rising, basics).map(([rates, rest]) => ({ ...rates, ...rest }));
const volumePrice: fc.Arbitrary<Price> = fc
  .tuple(tiers, basics)
  .map(([list, rest]) => ({ model: 'volume', tiers: list, ...rest }));
const anyPrice = fc.oneof(risingPrice, volumePrice);
const quantity = fc.oneof(
  grains.map((count) => BigInt(count) * GRAIN),
  fc.bigInt({ min: 0n, max: 60n * ONE }),
);

it('a generated price has no problems', () => {
  fc.assert(
    fc.property(anyPrice, (price) => {
      expect(problemsOfPrice(price)).toEqual([]);
    }),
  );
});

it('costs what laying one quarter of a unit after the other comes to', () => {
  fc.assert(
    fc.property(anyPrice, grains, (price, count) => {
      expect(costOf(price, BigInt(count) * GRAIN)).toBe(costGrainByGrain(price, count, GRAIN));
    }),
    { numRuns: 1_000 },
  );
});

it('is at least 0 and at most its maximum', () => {
  fc.assert(
    fc.property(anyPrice, quantity, (price, units) => {
      expect(costOf(price, units)).toBeGreaterThanOrEqual(0n);
      if (price.maximumSpend !== null) expect(costOf(price, units)).toBeLessThanOrEqual(price.maximumSpend);
    }),
  );
});

it('more never costs less, but for a volume price', () => {
  fc.assert(
    fc.property(risingPrice, quantity, quantity, (price, units, more) => {
      expect(isMonotone(price)).toBe(true);
      expect(costOf(price, units + more)).toBeGreaterThanOrEqual(costOf(price, units));
    }),
  );
});

it('is called monotone exactly if it falls nowhere', () => {
  fc.assert(
    fc.property(volumePrice, (price) => {
      const totals = Array.from({ length: 161 }, (_, i) => BigInt(i) * GRAIN).flatMap((total) => [total, total + 1n]);
      const costs = totals.map((total) => costOf(price, total));
      const falls = costs.some((each, i) => each < (costs[i - 1] ?? 0n));
      expect(isMonotone(price)).toBe(!falls);
    }),
  );
});

it('the parts of a period cost what the whole does', () => {
  fc.assert(
    fc.property(anyPrice, fc.array(quantity, { maxLength: 8 }), (price, parts) => {
      let position = 0n;
      let sum = 0n;
      for (const part of parts) {
        sum += costBetween(price, position, position + part);
        position += part;
      }
      expect(sum).toBe(costOf(price, position));
    }),
  );
});

it('money pays for all that is wanted, or for the most whole units that it can', () => {
  const money = fc.bigInt({ min: -5n * ONE, max: 1_500n * ONE });
  fc.assert(
    fc.property(risingPrice, quantity, quantity, money, (price, position, wanted, purse) => {
      const isPaid = (units: Units) => costBetween(price, position, position + units) <= maxUnits(purse, 0n);
      let expected = wanted;
      if (!isPaid(wanted)) for (expected = 0n; expected + ONE < wanted && isPaid(expected + ONE); ) expected += ONE;
      expect(affordableUnits(price, position, wanted, purse)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

it('a price that falls never takes more than the money either', () => {
  fc.assert(
    fc.property(volumePrice, quantity, quantity, rate, (price, position, wanted, money) => {
      const units = affordableUnits(price, position, wanted, money);
      expect(costBetween(price, position, position + units)).toBeLessThanOrEqual(money);
      expect(units === wanted || (units < wanted && units % ONE === 0n)).toBe(true);
    }),
  );
});

/** Adds up exactly, in billionths of billionths; what `grain` is to a unit, its cost is to the unit's. */
function costGrainByGrain(price: Price, count: number, grain: Units): Units {
  const laid = Array.from({ length: count }, (_, i) => BigInt(i + 1) * grain); // the total up to each grain's end
  const exact = exactCost(price, laid, grain);
  // The nearest billionth, sought from below; the even one of two.
  const floor = exact.numerator / exact.denominator;
  const twice = 2n * (exact.numerator - floor * exact.denominator) - exact.denominator;
  const nearest = twice > 0n || (twice === 0n && floor % 2n !== 0n) ? floor + 1n : floor;
  return price.maximumSpend !== null && price.maximumSpend < nearest ? price.maximumSpend : nearest;
}

type Fraction = { readonly numerator: bigint; readonly denominator: bigint };

function exactCost(price: Price, laid: readonly Units[], grain: Units): Fraction {
  switch (price.model) {
    case 'per_unit':
      return { numerator: sum(laid.map(() => grain * price.unitAmount)), denominator: ONE };
    case 'percentage':
      return { numerator: sum(laid.map(() => grain * price.percent)), denominator: 100n * ONE };
    case 'package': {
      let bought = 0n;
      let numerator = 0n;
      for (const total of laid) {
        if (total <= bought) continue;
        bought += price.packageSize;
        numerator += price.packageAmount;
      }
      return { numerator, denominator: 1n };
    }
    case 'graduated': {
      const reached = laid.map((total) => tierAt(price.tiers, total));
      const fees = [...new Set(reached)].map((tier) => tier.flatAmount * ONE);
      return { numerator: sum(reached.map((tier) => grain * tier.unitAmount)) + sum(fees), denominator: ONE };
    }
    case 'volume':
    case 'stairstep': {
      const last = laid.at(-1);
      if (last === undefined) return { numerator: 0n, denominator: 1n };
      const { unitAmount, flatAmount } = tierAt(price.tiers, last);
      return { numerator: sum(laid.map(() => grain * unitAmount)) + flatAmount * ONE, denominator: ONE };
    }
  }
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** The last tier that begins below this total. */
function tierAt(tiers: readonly Tier[], total: Units): Tier {
  const begins = (index: number): Units => (index === 0 ? 0n : (tiers[index - 1]?.upTo ?? total));
  const tier = tiers.findLast((_, i) => begins(i) < total);
  if (tier === undefined) throw new Error('no tier begins below the total');
  return tier;
}
