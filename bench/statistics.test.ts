/** Goal: the middle of a few numbers, in whatever order they come, and without changing them. */
import { expect, it } from 'vitest';
import { median, percentileOf, spread } from './statistics.ts';

it.each([
  [[5], 5],
  [[1, 2], 1.5],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
  [[10, 9, 100], 10], // by size, not by spelling
])('the median of %j is %d', (values, middle) => {
  const before = [...values];
  expect(median(values)).toBe(middle);
  expect(values).toEqual(before);
});

it('of nothing, says so', () => expect(median([])).toBeNaN());

it('a spread has its ends', () => expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 }));

it.each([
  [[5], 99, 5],
  [[1, 2, 3, 4], 50, 2],
  [[4, 3, 2, 1], 51, 3],
  [Array.from({ length: 1_000 }, (_, i) => i + 1), 99.9, 999],
  [[], 50, Number.NaN],
])('of %j, %d percent are not above %d', (values, percent, value) => expect(percentileOf(values, percent)).toBe(value));
