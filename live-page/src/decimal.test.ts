import { describe, expect, it } from 'vitest';
import { isZero, subtract } from './decimal.ts';

describe('subtract', () => {
  it.each([
    // a,      b,     a − b
    ['3', '1', '2'],
    ['1', '3', '-2'],
    ['0.3', '0.1', '0.2'],
    ['-0.5', '0.25', '-0.75'],
    ['1', '1.000000000', '0'],
    ['99999999999999999999999999999.000000001', '0.000000001', '99999999999999999999999999999'],
  ])('%s − %s = %s', (a, b, difference) => expect(subtract(a, b)).toBe(difference));
});

it.each([
  ['0', true],
  ['0.000000000', true],
  ['-0.000000001', false],
])('%s is zero: %s', (decimal, expected) => expect(isZero(decimal)).toBe(expected));
