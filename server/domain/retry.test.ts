/** Goal: whoever fails is tried for exactly 3 days, ever more seldom. Method: laws over chance, and a table of headers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGivenUp, nextTryMs, RETRIED_FOR_MS, retryAfterMsOf } from './retry.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('tries', () => {
  it('by chance in the middle come at 5 s, 20 s, 80 s …, at most 8 h', () => {
    const delays = Array.from({ length: 9 }, (_, i) => {
      const tried = { attempts: i + 1, retryUntilMs: RETRIED_FOR_MS, retryAfterMs: null };
      return (nextTryMs(tried, 0, 0.5) ?? 0) / 1_000;
    });
    expect(delays).toEqual([5, 20, 80, 320, 1_280, 5_120, 20_480, 28_800, 28_800]);
  });

  it('of whatever chance: each is later than the one before, the last is 3 days after the first', () => {
    fc.assert(
      fc.property(fc.infiniteStream(chance), (chances) => {
        let nowMs = 0;
        for (let attempts = 1; ; attempts += 1) {
          expect(attempts).toBeLessThan(25);
          const random = chances.next().value ?? 0;
          const nextMs = nextTryMs({ attempts, retryUntilMs: RETRIED_FOR_MS, retryAfterMs: null }, nowMs, random);
          if (nextMs === null) break;
          expect(nextMs).toBeGreaterThan(nowMs);
          nowMs = nextMs;
        }
        expect(nowMs).toBe(RETRIED_FOR_MS);
      }),
    );
  });

  it('wait as long as they are asked to, and not beyond the last', () => {
    const tried = { attempts: 1, retryUntilMs: 10_000_000 };
    expect(nextTryMs({ ...tried, retryAfterMs: 60_000 }, 0, 0)).toBe(60_000);
    expect(nextTryMs({ ...tried, retryAfterMs: 1 }, 0, 0)).toBe(4_000);
    expect(nextTryMs({ ...tried, retryAfterMs: 99_000_000 }, 0, 0)).toBe(10_000_000);
  });
});

it.each([
  [undefined, null],
  ['120', 120_000],
  ['0', 0],
  ['Thu, 01 Jan 1970 00:01:00 GMT', 50_000],
  ['Thu, 01 Jan 1970 00:00:05 GMT', 0], // is over
  ['soon', null],
  ['-5', null],
  ['99999999999999', null],
])('Retry-After: %s asks for %s ms', (header, ms) => expect(retryAfterMsOf(header, 10_000)).toBe(ms));

it('an endpoint is given up after 5 days, not a moment before', () => {
  const DAYS_MS = 5 * 24 * 3_600_000;
  expect([isGivenUp(7, 7 + DAYS_MS - 1), isGivenUp(7, 7 + DAYS_MS)]).toEqual([false, true]);
});
