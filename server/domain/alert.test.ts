/** Goal: which thresholds a use has reached. Method: a table of lines and totals, as people read them. */
import { describe, expect, it } from 'vitest';
import { newlyReached } from './alert.ts';
import type { LimitPolicy } from './policy.ts';
import { DEFAULT_THRESHOLDS, parseThresholdKey, thresholdKey } from './threshold.ts';
import { unitsOf } from './units.ts';

const POLICY: LimitPolicy = {
  limit: unitsOf('100'),
  included: unitsOf('100'),
  enforcement: 'soft',
  minLimit: null,
  thresholds: DEFAULT_THRESHOLDS,
  price: null,
};

const reached = (policy: Partial<LimitPolicy>, used: string, raised: readonly string[] = []): string =>
  newlyReached({ ...POLICY, ...policy }, unitsOf(used), new Set(raised))
    .map(thresholdKey)
    .join(' ');

const unitsOrNull = (text: string | null) => (text === null ? null : unitsOf(text));
const lines = (...keys: string[]) => ({ thresholds: keys.map(parseThresholdKey) });

describe('use fires at or above', () => {
  it.each([
    ['79.999999999', ''],
    ['80', 'fraction:0.8'],
    ['99.999999999', 'fraction:0.8'],
    ['100', 'fraction:0.8 fraction:1'], // a jump over several raises each
    ['5000', 'fraction:0.8 fraction:1'],
    ['-5', ''],
  ])('%s of 100: %s', (used, raises) => expect(reached({}, used)).toBe(raises));

  it.each([
    ['9.999999999', ''],
    ['10', 'used:10'],
    ['11', 'used:10'],
  ])('%s of a line at 10: %s', (used, raises) => expect(reached(lines('used:10'), used)).toBe(raises));

  it('a fraction that is no round number of units is met exactly', () => {
    const third = { ...lines('fraction:0.333333333'), limit: unitsOf('10') };
    expect(reached(third, '3.333333329')).toBe('');
    expect(reached(third, '3.33333333')).toBe('fraction:0.333333333');
  });
});

describe('remaining fires at or below', () => {
  it.each([
    ['89', ''],
    ['90', 'remaining:10'],
    ['100', 'remaining:10 remaining:0'],
    ['120', 'remaining:10 remaining:0'],
  ])('%s of 100: %s', (used, raises) => expect(reached(lines('remaining:10', 'remaining:0'), used)).toBe(raises));

  it('an unlimited meter never has little left', () => {
    expect(reached({ ...lines('remaining:10'), limit: null, included: unitsOf('5') }, '1e20')).toBe('');
  });
});

describe('a fraction is of', () => {
  it.each([
    // limit   included  used     raises
    ['10', '2', '2', ''], // the limit, where there is one
    ['10', '2', '8', 'fraction:0.8'],
    [null, '10', '8', 'fraction:0.8'], // what is included, where there is none
    [null, '0', '1e9', ''], // nothing, where nothing is included either
    [null, null, '1e9', ''],
  ])('limit %s, included %s, used %s: %s', (limit, included, used, raises) => {
    const policy = { ...lines('fraction:0.8'), limit: unitsOrNull(limit), included: unitsOrNull(included) };
    expect(reached(policy, used)).toBe(raises);
  });
});

it('what was raised before is not raised again', () => {
  expect(reached({}, '100', ['fraction:0.8'])).toBe('fraction:1');
  expect(reached({}, '100', ['fraction:0.8', 'fraction:1'])).toBe('');
});

it('a threshold that is configured twice is raised once', () => {
  expect(reached(lines('used:10', 'fraction:0.1', 'used:10'), '10')).toBe('used:10 fraction:0.1');
});

it('any use at all of a meter with limit 0 is at every fraction of it', () => {
  expect(reached({ limit: 0n }, '1')).toBe('fraction:0.8 fraction:1');
});
