/**
 * pace — how often the same thing is told: as often as eyes can use. After a quiet time a few at once, so that what moves
 * now and then is never late; what moves all the time comes evenly.
 */

/** Of those allowed in a second, this share may come at once. */
const BURST_SHARE = 0.3;
const SECOND_MS = 1_000;

export class Pace {
  readonly #burst: number;
  readonly #intervalMs: number;
  #credit: number;
  #countedAtMs: number;

  /** @param perSecondMax In any second there are at most so many; infinite for no bound. At least 1. */
  constructor(perSecondMax: number, nowMs: number) {
    this.#burst = Math.max(1, Math.floor(perSecondMax * BURST_SHARE));
    this.#intervalMs = Number.isFinite(perSecondMax) ? SECOND_MS / (perSecondMax - this.#burst + 1) : 0;
    this.#credit = this.#burst;
    this.#countedAtMs = nowMs;
  }

  /** Takes one, if it may be now. @returns 0 then; otherwise in how many ms to ask again. */
  take(nowMs: number): number {
    if (this.#intervalMs === 0) return 0;
    this.#credit = Math.min(this.#burst, this.#credit + (nowMs - this.#countedAtMs) / this.#intervalMs);
    this.#countedAtMs = nowMs;
    if (this.#credit < 1) return (1 - this.#credit) * this.#intervalMs;
    this.#credit -= 1;
    return 0;
  }
}
