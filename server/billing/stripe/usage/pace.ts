/** pace — a token bucket: so many in any second, and no more at once than in one. */
import type { Clock } from '../../../domain/clock.ts';

export class Pace {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#filledAtMs = clock.now();
  }

  /** How many may be sent now. */
  get available(): number {
    const nowMs = this.#clock.now();
    const sinceMs = Math.max(nowMs - this.#filledAtMs, 0); // clocks go back, too
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (sinceMs * this.#perSecond) / 1_000);
    this.#filledAtMs = nowMs;
    return Math.floor(this.#tokens);
  }

  take(count: number): void {
    this.#tokens -= count;
  }
}
