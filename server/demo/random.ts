/** random — chance that repeats itself: the same seed draws the same numbers, so that the demo can be tested. */

/** A number from 0 up to, but not including, 1. */
export type Random = () => number;

/** Mulberry32: small, and good enough for a demo. */
export function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const between = (random: Random, low: number, high: number): number => low + random() * (high - low);

/** @throws {RangeError} for an empty list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined) throw new RangeError('there is nothing to pick from');
  return picked;
}
