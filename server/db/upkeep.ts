/** upkeep — what a database needs from time to time so that it neither runs out of months nor keeps what it need not. */
import type { Database } from './client.ts';
import { dropEventMonths, makeEventMonths } from './event-months.ts';
import { forgetAnswers } from './expired-answers.ts';
import { forgetStripeEvents } from './queries/stripe-events.ts';

export type UpkeepDeps = {
  readonly database: Database;
  /** How long events are kept after they were recorded, in milliseconds; null for ever. */
  readonly eventsKeptMs: number | null;
  /** Told why something could not be done; the next run tries again. */
  readonly onError: (error: unknown) => void;
  /** Told the names of the months of events that were dropped. */
  readonly onDropped?: (names: readonly string[]) => void;
};

/** Looking costs a few look-ups: often enough that nothing piles up, seldom enough that nobody notices. */
const EVERY_MS = 60_000;

export class Upkeep {
  readonly #deps: UpkeepDeps;
  #lastMs: number | null = null;
  readonly #stopping = new AbortController();

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  /** Does what is to be done, if it has not been looked at for a minute. Several gateways may do so at once. */
  async run(nowMs: number): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await Promise.race([this.#look(nowMs), stopped]);
  }

  /** Begins nothing more, and waits for nothing: whatever is left half-way, the next gateway ends. */
  stop(): void {
    this.#stopping.abort();
  }

  async #look(nowMs: number): Promise<void> {
    if (this.#lastMs !== null && Math.abs(nowMs - this.#lastMs) < EVERY_MS) return; // clocks go back, too
    this.#lastMs = nowMs;
    const { database, eventsKeptMs, onDropped } = this.#deps;
    await this.#try(() => makeEventMonths(database, nowMs));
    await this.#try(() => forgetAnswers(database, nowMs, () => this.#stopping.signal.aborted));
    await this.#try(() => forgetStripeEvents(database.db, nowMs));
    if (eventsKeptMs === null) return;
    await this.#try(async () => {
      const names = await dropEventMonths(database, eventsKeptMs, nowMs);
      if (names.length > 0) onDropped?.(names);
    });
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) this.#deps.onError(error);
    }
  }
}
