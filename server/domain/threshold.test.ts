/** Goal: a threshold's key names it and nothing else. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseThresholdKey, THRESHOLD_KINDS, thresholdKey } from './threshold.ts';
import { UNITS_MAX, unitsOf } from './units.ts';

it.each([
  [{ kind: 'fraction', value: unitsOf('0.80') }, 'fraction:0.8'],
  [{ kind: 'fraction', value: unitsOf('1') }, 'fraction:1'],
  [{ kind: 'used', value: unitsOf('1e3') }, 'used:1000'],
  [{ kind: 'remaining', value: unitsOf('0') }, 'remaining:0'],
] as const)('%o is %s', (threshold, key) => expect(thresholdKey(threshold)).toBe(key));

it('reads back what it wrote', () => {
  const threshold = fc.record({
    kind: fc.constantFrom(...THRESHOLD_KINDS),
    value: fc.bigInt({ min: -UNITS_MAX, max: UNITS_MAX }),
  });
  fc.assert(
    fc.property(threshold, (written) => {
      expect(parseThresholdKey(thresholdKey(written))).toEqual(written);
    }),
  );
});

it.each(['', 'used', 'used:', 'spent:5', 'used:many', ':5'])('%j is not a threshold', (key) => {
  expect(() => parseThresholdKey(key)).toThrow(TypeError);
});
