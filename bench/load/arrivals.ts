/** arrivals — when the requests of an open loop are due: evenly, whatever becomes of those before them. */
export class Arrivals {
  readonly #fromMs: number;
  readonly #perSecond: number;
  #taken = 0;

  /** @param fromMs When the first is due. @param perSecond More than 0. */
  constructor(fromMs: number, perSecond: number) {
    this.#fromMs = fromMs;
    this.#perSecond = perSecond;
  }

  /** When the next one is due that was not taken yet. */
  get nextAtMs(): number {
    return this.#fromMs + (this.#taken * 1_000) / this.#perSecond; // from the beginning, so that no error adds up
  }

  /** The instants of all that have come due since the last time, in order. */
  take(nowMs: number): number[] {
    const due: number[] = [];
    for (let atMs = this.nextAtMs; atMs <= nowMs; atMs = this.nextAtMs) {
      due.push(atMs);
      this.#taken += 1;
    }
    return due;
  }
}
