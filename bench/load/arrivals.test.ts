/** Goal: an open loop asks for exactly its rate, late or not. Method: any instants at which it is looked at. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Arrivals } from './arrivals.ts';

it('the first is due at once, and the others evenly after it', () => {
  const arrivals = new Arrivals(100, 250);
  expect(arrivals.take(99.9)).toEqual([]);
  expect(arrivals.take(112)).toEqual([100, 104, 108, 112]);
  expect(arrivals.nextAtMs).toBe(116);
  expect(arrivals.take(112)).toEqual([]);
});

it('however seldom it is looked at, none is left out, none comes twice and none is due later than it was', () => {
  const looks = fc.array(fc.double({ min: 0, max: 5_000, noNaN: true }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(looks, fc.integer({ min: 1, max: 5_000 }), (instants, perSecond) => {
      const inOrder = [...instants].sort((a, b) => a - b);
      const [often, once] = [new Arrivals(0, perSecond), new Arrivals(0, perSecond)];
      const taken = inOrder.flatMap((nowMs) => {
        const due = often.take(nowMs);
        expect(due.every((atMs) => atMs <= nowMs)).toBe(true);
        return due;
      });
      expect(taken).toEqual(once.take(inOrder.at(-1) ?? 0));
    }),
  );
});
