/** Goal: a threshold's key names it and nothing else. Method: keys as people read them, and a round trip of any. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FALLING_KINDS, parseThresholdKey, THRESHOLD_KINDS, type Threshold, thresholdKey } from './threshold.ts';
import { UNITS_MAX, unitsOf } from './units.ts';

it.each([
  [{ kind: 'fraction', value: unitsOf('0.80') }, 'fraction:0.8'],
  [{ kind: 'fraction', value: unitsOf('1') }, 'fraction:1'],
  [{ kind: 'fraction', value: unitsOf('0.5'), falling: true }, 'fraction:0.5:falling'],
  [{ kind: 'used', value: unitsOf('1e3') }, 'used:1000'],
  [{ kind: 'used', value: unitsOf('5'), falling: true }, 'used:5:falling'],
  [{ kind: 'remaining', value: unitsOf('0') }, 'remaining:0'],
  [{ kind: 'remaining_fraction', value: unitsOf('.1') }, 'remaining_fraction:0.1'],
  [{ kind: 'spend', value: unitsOf('5000') }, 'spend:5000'],
  [{ kind: 'every', value: unitsOf('10') }, 'every:10'],
] as const)('%o is %s', (threshold, key) => expect(thresholdKey(threshold)).toBe(key));

it('reads back what it wrote', () => {
  const value = fc.bigInt({ min: -UNITS_MAX, max: UNITS_MAX });
  const threshold: fc.Arbitrary<Threshold> = fc.oneof(
    fc.record({ kind: fc.constantFrom(...THRESHOLD_KINDS), value }),
    fc.record({ kind: fc.constantFrom(...FALLING_KINDS), value, falling: fc.constant(true as const) }),
  );
  fc.assert(
    fc.property(threshold, (written) => {
      expect(parseThresholdKey(thresholdKey(written))).toEqual(written);
    }),
  );
});

it.each([
  '',
  'used',
  'used:',
  'spent:5',
  'used:many',
  ':5',
  'used:5:',
  'used:5:rising',
  'used:5:falling:falling',
  'remaining:5:falling', // what is left rises when use falls: that is used:…:falling
  'every:5:falling',
])('%j is not a threshold', (key) => {
  expect(() => parseThresholdKey(key)).toThrow(TypeError);
});
