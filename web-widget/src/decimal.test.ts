/** Goal: no digit is lost or invented. Method: laws over random decimals, and a table of edges. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare, fromFixedPoint, multiply, ratio, shift, subtract, toFixedPoint, wholePercent } from './decimal.ts';

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 29n), max: 10n ** 29n }), fc.nat({ max: 999_999_999 }))
  .map(([whole, fraction]) => `${whole}.${String(fraction).padStart(9, '0')}`);
const positive = decimals.filter((decimal) => toFixedPoint(decimal) > 0n);

describe('exact decimals', () => {
  it('come back from fixed point as the same number', () => {
    fc.assert(fc.property(decimals, (a) => compare(fromFixedPoint(toFixedPoint(a)), a) === 0));
  });

  it('a − (a − b) is b', () => {
    fc.assert(fc.property(decimals, decimals, (a, b) => compare(subtract(a, subtract(a, b)), b) === 0));
  });

  it('shifting there and back changes nothing', () => {
    fc.assert(fc.property(decimals, (a) => compare(shift(shift(a, 3), -3), a) === 0));
  });

  it('100 % is said exactly when the whole is reached', () => {
    fc.assert(
      fc.property(decimals, positive, (part, whole) => {
        expect((wholePercent(part, whole) ?? 0n) >= 100n).toBe(compare(part, whole) >= 0);
      }),
    );
  });

  it('a length is never outside the bar', () => {
    fc.assert(
      fc.property(decimals, decimals, (part, whole) => {
        expect(ratio(part, whole)).toBeGreaterThanOrEqual(0);
        expect(ratio(part, whole)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['1000.000000000', '1000'],
    ['-0.5', '-0.5'],
    ['.25', '0.25'],
    ['99999999999999999999999999999.999999999', '99999999999999999999999999999.999999999'],
  ])('%s is written %s', (decimal, shortest) => expect(fromFixedPoint(toFixedPoint(decimal))).toBe(shortest));

  it.each(['', '.', 'abc', '1e3', '1,5', 'NaN'])('%j is no decimal', (text) =>
    expect(() => toFixedPoint(text)).toThrow(SyntaxError),
  );

  it.each([
    ['1000', '0.8', '800'],
    ['3', '0.333', '0.999'],
    ['-2', '1.5', '-3'],
  ])('%s × %s = %s', (a, b, product) => expect(multiply(a, b)).toBe(product));
});
