/** Goal: what moves now and then is told at once, and nothing more often than allowed. Method: laws on a clock of numbers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pace } from './pace.ts';

/** When each of these is told, if whoever may not ask again when told to. */
function toldAt(perSecondMax: number, wishesMs: readonly number[]): number[] {
  const pace = new Pace(perSecondMax, 0);
  let nowMs = 0;
  return wishesMs.map((wishMs) => {
    nowMs = Math.max(nowMs, wishMs);
    for (let inMs = pace.take(nowMs); inMs > 0; inMs = pace.take(nowMs)) nowMs += Math.ceil(inMs);
    return nowMs;
  });
}

describe('a pace', () => {
  it.each([
    // per second, wished at       told at
    [10, [0, 1, 2], [0, 1, 2]],
    [10, [0, 0, 0, 0, 0], [0, 0, 0, 125, 250]],
    [10, [0, 0, 0, 2_000, 2_000, 2_000, 2_000], [0, 0, 0, 2_000, 2_000, 2_000, 2_125]],
    [1, [0, 0, 0], [0, 1_000, 2_000]],
    [4, [0, 0, 0], [0, 250, 500]],
    [Number.POSITIVE_INFINITY, [0, 0, 0, 0], [0, 0, 0, 0]],
  ])('of %d a second, asked at %j, tells at %j', (perSecondMax, wishesMs, told) => {
    expect(toldAt(perSecondMax, wishesMs)).toEqual(told);
  });

  it('never tells more in any second than it may, and what it asks to wait for is soon', () => {
    const wishes = fc.array(fc.nat(5_000), { maxLength: 60 }).map((times) => [...times].sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), wishes, (perSecondMax, wishesMs) => {
        const told = toldAt(perSecondMax, wishesMs);
        for (const fromMs of told) {
          expect(told.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1_000).length).toBeLessThanOrEqual(
            perSecondMax,
          );
        }
        const late = new Pace(perSecondMax, 0);
        for (let i = 0; i < 50; i++) expect(late.take(0)).toBeLessThanOrEqual(1_000);
      }),
    );
  });
});
