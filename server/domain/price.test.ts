/**
 * Goal: every price model is exact at and around its borders, and what makes no price is told. Method: tables, one row a
 * case. Laws are in `price.laws.test.ts`.
 */
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
import { formatUnits, ONE, unitsOf } from './units.ts';

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
    // model, quantity, cost, price
    ['per unit', '0', '0', perUnit('10')],
    ['per unit', '1', '10', perUnit('10')],
    ['per unit', '0.000000001', '0.00000001', perUnit('10')],
    ['per unit', '3', '1.5', perUnit('0.5')],
    ['per unit', '0.000000001', '0', perUnit('0.5')], // half a billionth goes to the even one
    ['per unit', '0.000000003', '0.000000002', perUnit('0.5')],
    ['per unit', longest, '0', perUnit('0')],
    ['per unit', longest, '999999999999999999999999999999.99999999', perUnit('10')],
    ['per unit', '-1', '0', perUnit('10')],
    ['package', '0', '0', packages('500', '100')],
    ['package', '0.000000001', '500', packages('500', '100')],
    ['package', '99.999999999', '500', packages('500', '100')],
    ['package', '100', '500', packages('500', '100')],
    ['package', '100.000000001', '1000', packages('500', '100')],
    ['package', '1', '2000', packages('500', '0.25')],
    ['package', '1.000000001', '2500', packages('500', '0.25')],
    ['package', longest, '1', packages('1', longest)],
    ['percentage', '0', '0', percentage('2.9')],
    ['percentage', '10000', '290', percentage('2.9')],
    ['percentage', '1', '0.029', percentage('2.9')],
    ['percentage', '0.000000001', '0', percentage('50')],
    ['percentage', '0.000000003', '0.000000002', percentage('50')],
    ['percentage', '0.000000001', '0', percentage('0.000000001')],
    ['percentage', '10', '25', percentage('250')],
    ['percentage', longest, longest, percentage('100')],
    ['graduated', '0', '0', storage],
    ['graduated', '99.999999999', '999.99999999', storage],
    ['graduated', '100', '1000', storage],
    ['graduated', '100.000000001', '1000.000000008', storage],
    ['graduated', '999.999999999', '8199.999999992', storage],
    ['graduated', '1000', '8200', storage],
    ['graduated', '1000.000000001', '8200.000000005', storage],
    ['graduated', '1001', '8205', storage],
    ['graduated', longest, '500000000000000000000000003199.999999995', storage],
    ['graduated, fees', '0', '0', withFees],
    ['graduated, fees', '0.000000001', '500.00000001', withFees],
    ['graduated, fees', '100', '1500', withFees],
    ['graduated, fees', '100.000000001', '1800.000000008', withFees],
    ['graduated, fees', '1000', '9000', withFees],
    ['graduated, fees', '1000.000000001', '9200', withFees],
    ['graduated, fees', longest, '9200', withFees],
    ['graduated, one tier', '2', '25', graduated([null, '10', '5'])],
    ['graduated, rounded once', '0.6', '0.000000001', thirds], // 0.3 + 0.3 billionths: each by itself would be none
    ['graduated, rounded once', '0.5', '0', thirds],
    ['volume', '0', '0', volumes],
    ['volume', '99.999999999', '999.99999999', volumes],
    ['volume', '100', '1000', volumes],
    ['volume', '100.000000001', '850.000000008', volumes],
    ['volume', '1000', '8050', volumes],
    ['volume', '1000.000000001', '5000.000000005', volumes],
    ['volume', longest, '499999999999999999999999999999.999999995', volumes],
    ['volume, rounded once', '0.5', '0.000000002', volume([null, '0.000000001', '0.000000001'])], // 1.5 billionths
    ['stairstep', '0', '0', steps],
    ['stairstep', '0.000000001', '1000', steps],
    ['stairstep', '10', '1000', steps],
    ['stairstep', '10.000000001', '1800', steps],
    ['stairstep', '20', '1800', steps],
    ['stairstep', '20.000000001', '2500', steps],
    ['stairstep', longest, '2500', steps],
    ['per unit, at most 100', '9.999999999', '99.99999999', upToSpend(perUnit('10'), '100')],
    ['per unit, at most 100', '10', '100', upToSpend(perUnit('10'), '100')],
    ['per unit, at most 100', '10.000000001', '100', upToSpend(perUnit('10'), '100')],
    ['per unit, at most 0', '10', '0', upToSpend(perUnit('10'), '0')],
    ['package, at most 1200', '250', '1200', upToSpend(packages('500', '100'), '1200')],
    ['graduated, at most 500.5', longest, '500.5', upToSpend(storage, '500.5')],
    ['per unit, at least 500', '1', '10', { ...perUnit('10'), minimumSpend: unitsOf('500') }], // the invoice's
  ] as const)('%s: %s costs %s', (_model, quantity, expected, price) => expect(cost(price, quantity)).toBe(expected));

  it.each([
    // model, from, to, cost, price
    ['graduated', '90', '110', '180', storage],
    ['graduated', '0', '1001', '8205', storage],
    ['graduated, fees', '100', '101', '308', withFees],
    ['package', '1', '100', '0', packages('500', '100')],
    ['package', '100', '101', '500', packages('500', '100')],
    ['volume', '100', '101', '-142', volumes], // 858 for all instead of 1000
    ['stairstep', '9', '21', '1500', steps],
    ['per unit, at most 100', '9', '20', '10', upToSpend(perUnit('10'), '100')],
    ['per unit', '5', '5', '0', perUnit('10')],
    ['per unit', '5', '3', '-20', perUnit('10')],
  ] as const)('%s: from %s to %s costs %s', (_model, from, to, expected, price) => {
    expect(formatUnits(costBetween(price, unitsOf(from), unitsOf(to)))).toBe(expected);
  });
});

describe('what money pays for', () => {
  const storage = graduated(['100', '10'], [null, '5']);
  const huge = '10000000000000000000000000000';

  it.each([
    // model, position, wanted, money, units, price
    ['per unit', '0', '5', '50', '5', perUnit('10')],
    ['per unit', '0', '5', '49.999999999', '4', perUnit('10')],
    ['per unit', '0', '5', '9.999999999', '0', perUnit('10')],
    ['per unit', '0', '2.5', '25', '2.5', perUnit('10')], // all that is wanted, whole or not
    ['per unit', '0', '2.5', '24.999999999', '2', perUnit('10')],
    ['per unit', '0', '0.5', '4', '0', perUnit('10')],
    ['per unit', '0.7', '3', '29', '2', perUnit('10')], // whole units from there on
    ['per unit', '0', '0', '0', '0', perUnit('10')],
    ['per unit', '0', '5', '-1', '0', perUnit('10')],
    ['per unit', '0', huge, '1', '1000000000', perUnit('0.000000001')],
    ['per unit', '0', huge, '1234567890123', '123456789012', perUnit('10')],
    ['free', '0', huge, '0', huge, perUnit('0')],
    ['free', '0', '7.5', '-100', '7.5', perUnit('0')],
    ['package', '0', '100', '500', '100', packages('500', '100')],
    ['package', '0', '101', '500', '100', packages('500', '100')],
    ['package', '0', '100', '499', '0', packages('500', '100')],
    ['package', '30', '100', '0', '70', packages('500', '100')], // the rest of one that was begun
    ['package', '30', '70', '-100', '70', packages('500', '100')],
    ['graduated', '90', '20', '150', '20', storage],
    ['graduated', '90', '20', '149', '19', storage],
    ['graduated', '90', '20', '100', '10', storage],
    ['graduated', '90', '20', '99', '9', storage],
    ['graduated', '0', '200', '0', '100', graduated(['100', '0'], [null, '5'])],
    ['stairstep', '0', '50', '299', '10', stairstep(['10', '0', '100'], [null, '0', '300'])],
    ['stairstep', '0', '50', '300', '50', stairstep(['10', '0', '100'], [null, '0', '300'])],
    ['at most 100', '5', huge, '50', huge, upToSpend(perUnit('10'), '100')],
    ['at most 100', '5', huge, '49', '4', upToSpend(perUnit('10'), '100')],
    ['percentage', '0', '10000', '289.999999999', '9999', percentage('2.9')],
  ] as const)('%s: at %s, of %s wanted, %s pay for %s', (_model, position, wanted, money, expected, price) => {
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
  ['per unit', true, perUnit('10')],
  ['package', true, packages('500', '100')],
  ['percentage', true, percentage('2.9')],
  ['graduated', true, graduated(['100', '10', '500'], [null, '0', '0'])],
  ['stairstep', true, stairstep(['10', '0', '100'], [null, '0', '100'])],
  ['falling steps', false, stairstep(['10', '0', '100'], [null, '0', '99'])],
  ['volume that falls', false, volume(['100', '10'], [null, '8'])],
  ['volume whose rate rises', true, volume(['100', '10'], [null, '12'])],
  ['volume whose fee makes up for the rate', true, volume(['100', '10'], [null, '8', '200'])],
  ['volume whose fee almost does', false, volume(['100', '10'], [null, '8', '199.99'])],
  ['volume that falls beyond its most', true, upToSpend(volume(['100', '10'], [null, '8']), '800')],
] as const)('%s: monotone %s', (_name, expected, price) => expect(isMonotone(price)).toBe(expected));

it.each([
  // model, quantity, unit amount to show, price
  ['per unit', '0', '0.5', perUnit('0.5')],
  ['package', '0', null, packages('500', '100')],
  ['percentage', '0', null, percentage('2.9')],
  ['stairstep', '0', null, stairstep([null, '0', '100'])],
  ['graduated', '0', '10', graduated(['100', '10'], [null, '8'])],
  ['graduated', '100', '10', graduated(['100', '10'], [null, '8'])],
  ['volume', '100.000000001', '8', volume(['100', '10'], [null, '8'])],
] as const)('%s: the unit amount of %s is %s', (_name, quantity, expected, price) => {
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
