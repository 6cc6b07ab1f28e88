/**
 * Goal: every price model is exact at and around its borders. Method: tables, one row a case, and laws against a second
 * pricing that lays one quarter of a unit after the other and looks up what that one costs.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  affordableUnits,
  costBetween,
  costOf,
  isMonotone,
  type Price,
  problemsOfPrice,
  TIERS_MAX,
  type Tier,
  unitAmountOf,
} from './price.ts';
import { formatUnits, maxUnits, ONE, type Units, unitsOf } from './units.ts';

const BASICS = { currency: 'usd', minimumSpend: null, maximumSpend: null } as const;
const perUnit = (unitAmount: string): Price => ({ ...BASICS, model: 'per_unit', unitAmount: unitsOf(unitAmount) });
const packages = (amount: string, size: string): Price => ({
  ...BASICS,
  model: 'package',
  packageAmount: unitsOf(amount),
  packageSize: unitsOf(size),
});
const percentage = (percent: string): Price => ({ ...BASICS, model: 'percentage', percent: unitsOf(percent) });

type Row = readonly [upTo: string | null, unitAmount: string, flatAmount?: string];
const tiersOf = (rows: readonly Row[]): Tier[] =>
  rows.map(([upTo, unitAmount, flatAmount = '0']) => ({
    upTo: upTo === null ? null : unitsOf(upTo),
    unitAmount: unitsOf(unitAmount),
    flatAmount: unitsOf(flatAmount),
  }));
const tiered =
  (model: 'graduated' | 'volume' | 'stairstep') =>
  (...rows: readonly Row[]): Price => ({ ...BASICS, model, tiers: tiersOf(rows) });
const graduated = tiered('graduated');
const volume = tiered('volume');
const stairstep = tiered('stairstep');

const upToSpend = (price: Price, maximumSpend: string): Price => ({ ...price, maximumSpend: unitsOf(maximumSpend) });
const cost = (price: Price, quantity: string): string => formatUnits(costOf(price, unitsOf(quantity)));

describe('what a quantity costs', () => {
  const storage = graduated(['100', '10'], ['1000', '8'], [null, '5']);
  const withFees = graduated(['100', '10', '500'], ['1000', '8', '300'], [null, '0', '200']);
  const volumes = volume(['100', '10'], ['1000', '8', '50'], [null, '5']);
  const steps = stairstep(['10', '0', '1000'], ['20', '0', '1800'], [null, '0', '2500']);
  const thirds = graduated(['0.3', '0.000000001'], ['0.6', '0.000000001'], [null, '0.000000001']);
  const longest = '99999999999999999999999999999.999999999'; // 38 digits

  it.each([
    // model, price, quantity, cost
    ['per unit', perUnit('10'), '0', '0'],
    ['per unit', perUnit('10'), '1', '10'],
    ['per unit', perUnit('10'), '0.000000001', '0.00000001'],
    ['per unit', perUnit('0.5'), '3', '1.5'],
    ['per unit', perUnit('0.5'), '0.000000001', '0'], // half a billionth goes to the even one
    ['per unit', perUnit('0.5'), '0.000000003', '0.000000002'],
    ['per unit', perUnit('0'), longest, '0'],
    ['per unit', perUnit('10'), longest, '999999999999999999999999999999.99999999'],
    ['per unit', perUnit('10'), '-1', '0'],
    ['package', packages('500', '100'), '0', '0'],
    ['package', packages('500', '100'), '0.000000001', '500'],
    ['package', packages('500', '100'), '99.999999999', '500'],
    ['package', packages('500', '100'), '100', '500'],
    ['package', packages('500', '100'), '100.000000001', '1000'],
    ['package', packages('500', '0.25'), '1', '2000'],
    ['package', packages('500', '0.25'), '1.000000001', '2500'],
    ['package', packages('1', longest), longest, '1'],
    ['percentage', percentage('2.9'), '0', '0'],
    ['percentage', percentage('2.9'), '10000', '290'],
    ['percentage', percentage('2.9'), '1', '0.029'],
    ['percentage', percentage('50'), '0.000000001', '0'],
    ['percentage', percentage('50'), '0.000000003', '0.000000002'],
    ['percentage', percentage('0.000000001'), '0.000000001', '0'],
    ['percentage', percentage('250'), '10', '25'],
    ['percentage', percentage('100'), longest, longest],
    ['graduated', storage, '0', '0'],
    ['graduated', storage, '99.999999999', '999.99999999'],
    ['graduated', storage, '100', '1000'],
    ['graduated', storage, '100.000000001', '1000.000000008'],
    ['graduated', storage, '999.999999999', '8199.999999992'],
    ['graduated', storage, '1000', '8200'],
    ['graduated', storage, '1000.000000001', '8200.000000005'],
    ['graduated', storage, '1001', '8205'],
    ['graduated', storage, longest, '500000000000000000000000003199.999999995'],
    ['graduated, fees', withFees, '0', '0'],
    ['graduated, fees', withFees, '0.000000001', '500.00000001'],
    ['graduated, fees', withFees, '100', '1500'],
    ['graduated, fees', withFees, '100.000000001', '1800.000000008'],
    ['graduated, fees', withFees, '1000', '9000'],
    ['graduated, fees', withFees, '1000.000000001', '9200'],
    ['graduated, fees', withFees, longest, '9200'],
    ['graduated, one tier', graduated([null, '10', '5']), '2', '25'],
    ['graduated, rounded once', thirds, '0.6', '0.000000001'], // 0.3 + 0.3 billionths: each by itself would be none
    ['graduated, rounded once', thirds, '0.5', '0'],
    ['volume', volumes, '0', '0'],
    ['volume', volumes, '99.999999999', '999.99999999'],
    ['volume', volumes, '100', '1000'],
    ['volume', volumes, '100.000000001', '850.000000008'],
    ['volume', volumes, '1000', '8050'],
    ['volume', volumes, '1000.000000001', '5000.000000005'],
    ['volume', volumes, longest, '499999999999999999999999999999.999999995'],
    ['volume, rounded once', volume([null, '0.000000001', '0.000000001']), '0.5', '0.000000002'], // 1.5 billionths
    ['stairstep', steps, '0', '0'],
    ['stairstep', steps, '0.000000001', '1000'],
    ['stairstep', steps, '10', '1000'],
    ['stairstep', steps, '10.000000001', '1800'],
    ['stairstep', steps, '20', '1800'],
    ['stairstep', steps, '20.000000001', '2500'],
    ['stairstep', steps, longest, '2500'],
    ['per unit, at most 100', upToSpend(perUnit('10'), '100'), '9.999999999', '99.99999999'],
    ['per unit, at most 100', upToSpend(perUnit('10'), '100'), '10', '100'],
    ['per unit, at most 100', upToSpend(perUnit('10'), '100'), '10.000000001', '100'],
    ['per unit, at most 0', upToSpend(perUnit('10'), '0'), '10', '0'],
    ['package, at most 1200', upToSpend(packages('500', '100'), '1200'), '250', '1200'],
    ['graduated, at most 500.5', upToSpend(storage, '500.5'), longest, '500.5'],
    ['per unit, at least 500', { ...perUnit('10'), minimumSpend: unitsOf('500') }, '1', '10'], // the invoice's
  ] as const)('%s: %# %s', (_model, price, quantity, expected) => expect(cost(price, quantity)).toBe(expected));

  it.each([
    // price, from, to, cost
    ['graduated', storage, '90', '110', '180'],
    ['graduated', storage, '0', '1001', '8205'],
    ['graduated, fees', withFees, '100', '101', '308'],
    ['package', packages('500', '100'), '1', '100', '0'],
    ['package', packages('500', '100'), '100', '101', '500'],
    ['volume', volumes, '100', '101', '-142'], // 858 for all instead of 1000
    ['stairstep', steps, '9', '21', '1500'],
    ['per unit, at most 100', upToSpend(perUnit('10'), '100'), '9', '20', '10'],
    ['per unit', perUnit('10'), '5', '5', '0'],
    ['per unit', perUnit('10'), '5', '3', '-20'],
  ] as const)('%s: from %#', (_model, price, from, to, expected) => {
    expect(formatUnits(costBetween(price, unitsOf(from), unitsOf(to)))).toBe(expected);
  });
});

describe('what money pays for', () => {
  const storage = graduated(['100', '10'], [null, '5']);
  const huge = '10000000000000000000000000000';

  it.each([
    // price, position, wanted, money, units
    ['per unit', perUnit('10'), '0', '5', '50', '5'],
    ['per unit', perUnit('10'), '0', '5', '49.999999999', '4'],
    ['per unit', perUnit('10'), '0', '5', '9.999999999', '0'],
    ['per unit', perUnit('10'), '0', '2.5', '25', '2.5'], // all that is wanted, whole or not
    ['per unit', perUnit('10'), '0', '2.5', '24.999999999', '2'],
    ['per unit', perUnit('10'), '0', '0.5', '4', '0'],
    ['per unit', perUnit('10'), '0.7', '3', '29', '2'], // whole units from there on
    ['per unit', perUnit('10'), '0', '0', '0', '0'],
    ['per unit', perUnit('10'), '0', '5', '-1', '0'],
    ['per unit', perUnit('0.000000001'), '0', huge, '1', '1000000000'],
    ['per unit', perUnit('10'), '0', huge, '1234567890123', '123456789012'],
    ['free', perUnit('0'), '0', huge, '0', huge],
    ['free', perUnit('0'), '0', '7.5', '-100', '7.5'],
    ['package', packages('500', '100'), '0', '100', '500', '100'],
    ['package', packages('500', '100'), '0', '101', '500', '100'],
    ['package', packages('500', '100'), '0', '100', '499', '0'],
    ['package', packages('500', '100'), '30', '100', '0', '70'], // the rest of one that was begun
    ['package', packages('500', '100'), '30', '70', '-100', '70'],
    ['graduated', storage, '90', '20', '150', '20'],
    ['graduated', storage, '90', '20', '149', '19'],
    ['graduated', storage, '90', '20', '100', '10'],
    ['graduated', storage, '90', '20', '99', '9'],
    ['graduated', graduated(['100', '0'], [null, '5']), '0', '200', '0', '100'],
    ['stairstep', stairstep(['10', '0', '100'], [null, '0', '300']), '0', '50', '299', '10'],
    ['stairstep', stairstep(['10', '0', '100'], [null, '0', '300']), '0', '50', '300', '50'],
    ['at most 100', upToSpend(perUnit('10'), '100'), '5', huge, '50', huge],
    ['at most 100', upToSpend(perUnit('10'), '100'), '5', huge, '49', '4'],
    ['percentage', percentage('2.9'), '0', '10000', '289.999999999', '9999'],
  ] as const)('%s: %#', (_model, price, position, wanted, money, expected) => {
    const units = affordableUnits(price, unitsOf(position), unitsOf(wanted), unitsOf(money));
    expect(formatUnits(units)).toBe(expected);
  });

  it('halves its way: the longest quantity of the most tiers takes no time', () => {
    const rows = Array.from({ length: TIERS_MAX - 1 }, (_, i): Row => [String(i + 1), '10', '1']);
    const price = graduated(...rows, [null, '7']);
    const money = unitsOf('12345678901234567890123456');
    const units = affordableUnits(price, 0n, unitsOf(huge), money);
    expect(costOf(price, units)).toBeLessThanOrEqual(money);
    expect(costOf(price, units + ONE)).toBeGreaterThan(money);
  });
});

it.each([
  ['per unit', perUnit('10'), true],
  ['package', packages('500', '100'), true],
  ['percentage', percentage('2.9'), true],
  ['graduated', graduated(['100', '10', '500'], [null, '0', '0']), true],
  ['stairstep', stairstep(['10', '0', '100'], [null, '0', '100']), true],
  ['falling steps', stairstep(['10', '0', '100'], [null, '0', '99']), false],
  ['volume that falls', volume(['100', '10'], [null, '8']), false],
  ['volume whose rate rises', volume(['100', '10'], [null, '12']), true],
  ['volume whose fee makes up for the rate', volume(['100', '10'], [null, '8', '200']), true],
  ['volume whose fee almost does', volume(['100', '10'], [null, '8', '199.99']), false],
  ['volume that falls beyond its most', upToSpend(volume(['100', '10'], [null, '8']), '800'), true],
] as const)('%s: monotone %#', (_name, price, expected) => expect(isMonotone(price)).toBe(expected));

it.each([
  // price, quantity, unit amount to show
  ['per unit', perUnit('0.5'), '0', '0.5'],
  ['package', packages('500', '100'), '0', null],
  ['percentage', percentage('2.9'), '0', null],
  ['stairstep', stairstep([null, '0', '100']), '0', null],
  ['graduated', graduated(['100', '10'], [null, '8']), '0', '10'],
  ['graduated', graduated(['100', '10'], [null, '8']), '100', '10'],
  ['volume', volume(['100', '10'], [null, '8']), '100.000000001', '8'],
] as const)('%s: unit amount %#', (_name, price, quantity, expected) => {
  const unitAmount = unitAmountOf(price, unitsOf(quantity));
  expect(unitAmount && formatUnits(unitAmount)).toBe(expected);
});

describe('problems', () => {
  const spell = (price: Price): string[] =>
    problemsOfPrice(price).map(({ path, sentence }) => `${path.join('.')} ${sentence}`);
  const many = (count: number): Row[] =>
    Array.from({ length: count }, (_, i): Row => [i === count - 1 ? null : String(i + 1), '1']);

  it.each([
    ['per unit', perUnit('0')],
    ['package', packages('0', '0.000000001')],
    ['percentage', percentage('250')],
    ['graduated', graduated(['100', '10', '5'], ['100.000000001', '20'], [null, '0'])],
    ['volume', volume(...many(TIERS_MAX))],
    ['stairstep', stairstep(['10', '0', '100'], ['20', '0', '100'], [null, '0', '300'])],
    ['equal spends', { ...perUnit('1'), minimumSpend: 5n, maximumSpend: 5n }],
  ] as const)('none with %s', (_name, price) => expect(spell(price)).toEqual([]));

  it.each([
    [perUnit('-1'), ['unitAmount is -1; a price is 0 or more, in minor units (cents)']],
    [packages('-1', '100'), ['unitAmount is -1; a price is 0 or more, in minor units (cents)']],
    [packages('1', '0'), ['per is 0; a package has more than 0 units']],
    [percentage('-2.9'), ['percent is -2.9; a percentage is 0 or more, so 2.9 % is 2.9']],
    [graduated(), ['tiers is empty; write at least one tier, the last of them with upTo: null']],
    [volume(...many(TIERS_MAX + 1)), ['tiers has 101 tiers; at most 100 are allowed']],
    [graduated(['100', '1']), ['tiers.0.upTo is 100; the last tier is open, so write null, or add a tier after it']],
    [graduated([null, '1'], [null, '1']), ['tiers.0.upTo is null, but tiers follow; only the last tier is open']],
    [
      graduated(['100', '1'], ['100', '1'], [null, '1']),
      ['tiers.1.upTo is 100, not above the 100 of the tier before; write tiers in ascending order'],
    ],
    [
      volume(['100', '1'], ['50', '1'], [null, '1']),
      ['tiers.1.upTo is 50, not above the 100 of the tier before; write tiers in ascending order'],
    ],
    [graduated(['0', '1'], [null, '1']), ['tiers.0.upTo is 0; a tier reaches up to more than 0 units']],
    [
      volume(['10', '-1'], [null, '1', '-2']),
      [
        'tiers.0.unitAmount is -1; a price is 0 or more, in minor units (cents)',
        'tiers.1.flatAmount is -2; a price is 0 or more, in minor units (cents)',
      ],
    ],
    [
      stairstep(['10', '5', '100'], [null, '0', '200']),
      ['tiers.0.unitAmount is 5; a step of a stairstep price has a flatAmount alone'],
    ],
    [
      stairstep(['10', '0', '100'], [null, '0', '50']),
      ['tiers.1.flatAmount is 50, below the 100 of the step before; steps go up, or stay'],
    ],
    [
      { ...perUnit('1'), minimumSpend: unitsOf('500'), maximumSpend: unitsOf('400') },
      ['minimumSpend is 500, above the maximumSpend of 400; the least is at most the most'],
    ],
    [{ ...perUnit('1'), minimumSpend: -ONE }, ['minimumSpend is -1; a price is 0 or more, in minor units (cents)']],
    [{ ...perUnit('1'), maximumSpend: -ONE }, ['maximumSpend is -1; a price is 0 or more, in minor units (cents)']],
    [
      { ...perUnit('1'), currency: 'USD' },
      ['currency is "USD"; write the three small letters of ISO 4217, like "usd"'],
    ],
  ] as const)('%#', (price, expected) => expect(spell(price)).toEqual(expected));
});

describe('laws', () => {
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
