/** clock — an instant that stands still until a test moves it. */

import type { Clock } from '../../server/domain/clock.ts';

/** Starts at 2026-03-15T12:00:00Z, in the middle of a month, a week and a day, unless told otherwise. */
export class ManualClock implements Clock {
  #now: number;

  /** @param start Epoch milliseconds, a Date, or an ISO 8601 instant. */
  constructor(start: Instant = '2026-03-15T12:00:00Z') {
    this.#now = epochMs(start);
  }

  now(): number {
    return this.#now;
  }

  /** Jumps to an instant, also backwards, as a real clock may. */
  set(instant: Instant): void {
    this.#now = epochMs(instant);
  }

  /** Moves by this many milliseconds; negative goes back. */
  advance(ms: number): void {
    this.#now += ms;
  }
}

export type Instant = number | Date | string;

function epochMs(instant: Instant): number {
  const ms = typeof instant === 'number' ? instant : new Date(instant).getTime();
  if (!Number.isFinite(ms)) throw new RangeError(`not an instant: ${instant}`);
  return ms;
}
