/** Goal: a bound belongs to what it says, and a figure that was not measured is not praised. */
import { expect, it } from 'vitest';
import { type Target, verdict } from './target.ts';

it.each<[Target | null, number, string]>([
  [{ atLeast: 0.9 }, 0.9, '≥ 0.9 reached'],
  [{ atLeast: 0.9 }, 0.89, '≥ 0.9 not yet'],
  [{ atMost: 20 }, 20, '≤ 20 reached'],
  [{ atMost: 20 }, 20.1, '≤ 20 not yet'],
  [{ below: 0.5 }, 0.49, '< 0.5 reached'],
  [{ below: 0.5 }, 0.5, '< 0.5 not yet'],
  [{ atMost: 20 }, Number.NaN, '≤ 20 not yet'],
  [{ below: 25 }, Number.POSITIVE_INFINITY, '< 25 not yet'],
  [null, 1, '–'],
])('wanted %j, and found %d: %s', (target, value, says) => expect(verdict(target, value)).toBe(says));
