import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toDecimal } from './decimal.ts';
import type { DecimalInput } from './value-types.ts';

/** Goal: what goes out is exactly what was meant, or nothing goes out. Method: a table, and laws over many numbers. */
const says = (value: DecimalInput): string => {
  try {
    return toDecimal(value);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unexpected';
  }
};

describe('toDecimal', () => {
  it.each([
    ['12.50', '12.50'], // text is the caller's business
    ['1e400', '1e400'], // and the gateway's to refuse
    [123n, '123'],
    [-(10n ** 37n), `-1${'0'.repeat(37)}`],
    [0, '0'],
    [-0, '0'],
    [-3, '-3'],
    [0.1, '0.1'],
    [-2.5, '-2.5'],
    [1e-7, '0.0000001'],
    [-1.5e-8, '-0.000000015'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [Number.MAX_SAFE_INTEGER + 1, 'INVALID_AMOUNT'],
    [0.1 + 0.2, 'INVALID_AMOUNT'],
    [1e21, 'INVALID_AMOUNT'],
    [Number.NaN, 'INVALID_AMOUNT'],
    [Number.POSITIVE_INFINITY, 'INVALID_AMOUNT'],
  ])('%s → %s', (value, expected) => expect(says(value)).toBe(expected));

  it('never writes an exponent, and reads back as the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        const text = says(value);
        return text === 'INVALID_AMOUNT' || (/^-?\d+(\.\d+)?$/.test(text) && Number(text) === value);
      }),
    );
  });

  it('takes every fraction that was written with at most 15 digits', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 15n) + 1n, 10n ** 15n - 1n), fc.integer({ min: 0, max: 9 }), (digits, scale) => {
        const value = Number(digits) / 10 ** scale;
        return says(value) !== 'INVALID_AMOUNT' && Number(says(value)) === value;
      }),
    );
  });
});
