/**
 * Goal: units are exact. Method: tables of the forms people write, and laws against a second reader of decimals that
 * moves the point in the text and knows nothing of ours.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  divideHalfEven,
  formatUnits,
  multiplyUnits,
  ONE,
  parseUnits,
  roundToWhole,
  UNITS_MAX,
  unitsOf,
} from './units.ts';

describe('reading a decimal', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['0e9999', '0'],
    ['12', '12'],
    ['+12', '12'],
    ['-0.5', '-0.5'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['007', '7'],
    ['1.500', '1.5'],
    ['1e3', '1000'],
    ['1E+3', '1000'],
    ['1.5e-2', '0.015'],
    ['1200e-11', '0.000000012'], // its zeros make up for the exponent
    ['0.0000000010000', '0.000000001'],
    ['1e28', '10000000000000000000000000000'],
    ['99999999999999999999999999999.999999999', '99999999999999999999999999999.999999999'],
  ])('%s is %s', (text, canonical) => expect(formatUnits(unitsOf(text))).toBe(canonical));

  it.each([
    ['', 'not a decimal number'],
    ['.', 'not a decimal number'],
    ['-', 'not a decimal number'],
    ['e5', 'not a decimal number'],
    ['NaN', 'not a decimal number'],
    ['Infinity', 'not a decimal number'],
    ['0x10', 'not a decimal number'],
    ['1_000', 'not a decimal number'],
    ['1,5', 'not a decimal number'],
    [' 1', 'not a decimal number'],
    ['1\n', 'not a decimal number'],
    ['--1', 'not a decimal number'],
    ['1.2.3', 'not a decimal number'],
    ['1e', 'not a decimal number'],
    ['1e1.5', 'not a decimal number'],
    ['١٢', 'not a decimal number'], // digits, but not ours
    ['1e99999', 'not a decimal number'],
    ['1e400', 'more than 29 digits before the point'],
    ['1e29', 'more than 29 digits before the point'],
    ['100000000000000000000000000000', 'more than 29 digits before the point'],
    ['0.0000000001', 'has 10 fractional digits; at most 9 fit'],
    ['1e-10', 'has 10 fractional digits; at most 9 fit'],
    ['1e-9999', 'has 9999 fractional digits; at most 9 fit'],
  ])('%j is refused: %s', (text, problem) => {
    expect(parseUnits(text)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('never shows more of a hostile text than fits a sentence, and never computes with it', () => {
    for (const text of [
      '9'.repeat(1_000_000),
      `1e${'9'.repeat(1_000_000)}`,
      `${'0'.repeat(500_000)}.${'0'.repeat(500_000)}`,
    ]) {
      const startedMs = performance.now();
      const parsed = parseUnits(text);
      expect(performance.now() - startedMs).toBeLessThan(250);
      expect(parsed).toMatchObject({ ok: false, problem: expect.stringMatching(/^.{1,120}$/) });
    }
  });
});

describe('laws', () => {
  const units = fc.bigInt({ min: -UNITS_MAX, max: UNITS_MAX });
  const decimalText = fc
    .record({
      sign: fc.constantFrom('', '+', '-'),
      whole: fc.stringMatching(/^\d{0,34}$/),
      fraction: fc.option(fc.stringMatching(/^\d{0,14}$/)),
      exponent: fc.option(fc.integer({ min: -40, max: 40 })),
    })
    .map(({ sign, whole, fraction, exponent }) => `${sign}${whole}${dotted(fraction)}${exponential(exponent)}`);

  it('what is written reads back, in one canonical form', () => {
    fc.assert(
      fc.property(units, (value) => {
        const text = formatUnits(value);
        expect(parseUnits(text)).toEqual({ ok: true, units: value });
        expect(text).toMatch(/^(0|-?(?:[1-9]\d*|0)(?:\.\d*[1-9])?)$/);
        expect(text).not.toBe('-0');
      }),
    );
  });

  it('reads every decimal as the second reader does, and refuses the same ones', () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const parsed = parseUnits(text);
        expect(parsed.ok ? parsed.units : null).toBe(readByMovingThePoint(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('any text at all is answered, not thrown at', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void parseUnits(text)));
  });

  it('a product is the nearest one, and a tie goes to the even digit', () => {
    fc.assert(
      fc.property(units, units, (a, b) => {
        const offBy = multiplyUnits(a, b) * ONE - a * b;
        const twice = offBy < 0n ? -2n * offBy : 2n * offBy;
        expect(twice <= ONE).toBe(true);
        if (twice === ONE) expect(multiplyUnits(a, b) % 2n).toBe(0n);
      }),
    );
  });

  it('a quotient is the nearest one, and a tie goes to the even one', () => {
    const divisor = units.filter((value) => value !== 0n);
    fc.assert(
      fc.property(units, fc.oneof(divisor, fc.constantFrom(2n, -2n, 4n, 1_000n)), (numerator, denominator) => {
        const quotient = divideHalfEven(numerator, denominator);
        const distance = (candidate: bigint): bigint => {
          const off = candidate * denominator - numerator;
          return off < 0n ? -off : off;
        };
        for (const other of [quotient - 1n, quotient + 1n]) {
          expect(distance(quotient) <= distance(other)).toBe(true);
          if (distance(quotient) === distance(other)) expect(quotient % 2n).toBe(0n);
        }
      }),
    );
  });

  it('the sign of a product does not change its size', () => {
    fc.assert(fc.property(units, units, (a, b) => multiplyUnits(-a, b) === -multiplyUnits(a, b)));
  });
});

it.each([
  // a              b      product, rounded half-even to 9 digits
  ['0.000000001', '0.5', '0'],
  ['0.000000003', '0.5', '0.000000002'],
  ['0.000000005', '0.5', '0.000000002'],
  ['-0.000000003', '0.5', '-0.000000002'],
  ['0.000000001', '0.6', '0.000000001'],
  ['3', '0.333333333', '0.999999999'],
  ['1234.5', '10', '12345'],
])('%s × %s = %s', (a, b, product) => expect(formatUnits(multiplyUnits(unitsOf(a), unitsOf(b)))).toBe(product));

it.each([
  // dividend, divisor, quotient
  [0n, 5n, 0n],
  [1n, 2n, 0n],
  [3n, 2n, 2n],
  [5n, 2n, 2n],
  [-1n, 2n, 0n],
  [-3n, 2n, -2n],
  [3n, -2n, -2n],
  [-3n, -2n, 2n],
  [2n, 3n, 1n],
  [1n, 3n, 0n],
  [10n ** 60n + 1n, 2n, 5n * 10n ** 59n],
  [7n, 7n, 1n],
])('%i ÷ %i = %i', (dividend, divisor, quotient) => expect(divideHalfEven(dividend, divisor)).toBe(quotient));

it('divides nothing by zero', () => expect(() => divideHalfEven(1n, 0n)).toThrow(RangeError));

it.each([
  ['0.5', '0'],
  ['0.500000001', '1'],
  ['1.5', '2'],
  ['2.5', '2'],
  ['-0.5', '0'],
  ['-1.5', '-2'],
  ['12', '12'],
])('%s rounds to %s', (exact, whole) => expect(formatUnits(roundToWhole(unitsOf(exact)))).toBe(whole));

const dotted = (fraction: string | null): string => (fraction === null ? '' : `.${fraction}`);
const exponential = (exponent: number | null): string => (exponent === null ? '' : `e${exponent}`);

/** Writes the number out in full, then cuts it at the ninth digit behind the point. Null: not a number, or no fit. */
function readByMovingThePoint(text: string): bigint | null {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  if (whole === '' && fraction === '') return null;
  const digits = `${'0'.repeat(60)}${whole}${fraction}${'0'.repeat(60)}`;
  const point = 60 + whole.length + Number(exponent);
  const kept = digits.slice(0, point + 9);
  const lost = digits.slice(point + 9);
  if (/[1-9]/.test(lost)) return null;
  const value = BigInt(kept);
  if (value.toString().length > 38) return null;
  return text.startsWith('-') ? -value : value;
}
