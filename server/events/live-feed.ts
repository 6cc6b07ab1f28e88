/**
 * live-feed — what moves in one tenant, for all who watch everything: one item for everybody, as often as eyes can use.
 *
 * Whoever reads slower gets items of their own, in which the newest state of each meter is, and never more than
 * `METERS_MAX` of them; nobody else waits.
 */
import type { Clock } from '../domain/clock.ts';
import type { Usage } from '../domain/usage.ts';
import type { Mailbox } from './mailbox.ts';
import type { LiveUsage } from './stream-items.ts';

/** At most so many items a second: four. */
const INTERVAL_MS = 250;
/** What a reader may be behind by. */
const METERS_MAX = 1_000;

export type LiveFeedDeps = {
  readonly clock: Clock;
  /** Told of each usage that somebody never sees. */
  readonly onDrop: () => void;
};

export class LiveFeed {
  readonly #deps: LiveFeedDeps;
  readonly #moved: Mailbox<Usage>;
  readonly #readers = new Set<LiveReader>();
  #wait: { readonly timer: NodeJS.Timeout; readonly end: () => void } | null = null;

  /** @param moved What is told of, as it moves; whoever closes it ends the feed. */
  constructor(moved: Mailbox<Usage>, deps: LiveFeedDeps) {
    this.#moved = moved;
    this.#deps = deps;
    void this.#run();
  }

  get moved(): Mailbox<Usage> {
    return this.#moved;
  }

  join(): LiveReader {
    const reader = new LiveReader(METERS_MAX, this.#deps.onDrop);
    this.#readers.add(reader);
    return reader;
  }

  /** @returns whether it was the last, with which the feed ends. */
  leave(reader: LiveReader): boolean {
    reader.close();
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return false;
    this.close();
    return true;
  }

  close(): void {
    this.#moved.close();
    for (const reader of this.#readers) reader.close();
    if (this.#wait) clearTimeout(this.#wait.timer);
    this.#wait?.end();
  }

  async #run(): Promise<void> {
    for (let usages = await this.#moved.take(); usages; usages = await this.#moved.take()) {
      const item: LiveUsage = { usages, atMs: this.#deps.clock.now() };
      for (const reader of this.#readers) reader.put(item);
      await new Promise<void>((end) => {
        this.#wait = { timer: setTimeout(end, INTERVAL_MS).unref(), end };
      });
    }
    for (const reader of this.#readers) reader.close();
  }
}

/** What one reader has not heard yet: the very item where it keeps up, and otherwise the newest of all that it missed. */
export class LiveReader {
  readonly #metersMax: number;
  readonly #onDrop: () => void;
  #item: LiveUsage | null = null;
  /** Set once more than one item waits: the newest of them all, in order of change. */
  #newest: Map<string, Usage> | null = null;
  #wake: (() => void) | null = null;
  #isClosed = false;

  constructor(metersMax: number, onDrop: () => void) {
    this.#metersMax = metersMax;
    this.#onDrop = onDrop;
  }

  put(item: LiveUsage): void {
    if (this.#item) this.#merge(this.#item, item);
    this.#item = item;
    this.#notify();
  }

  /** Waits for the next item; null once closed. */
  async take(): Promise<LiveUsage | null> {
    while (!this.#item && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isClosed || !this.#item) return null;
    const item = this.#newest ? { ...this.#item, usages: [...this.#newest.values()] } : this.#item;
    this.#item = null;
    this.#newest = null;
    return item;
  }

  close(): void {
    this.#isClosed = true;
    this.#notify();
  }

  #merge(waiting: LiveUsage, item: LiveUsage): void {
    this.#newest ??= new Map(waiting.usages.map((usage) => [keyOf(usage), usage]));
    const newest = this.#newest;
    for (const usage of item.usages) {
      newest.delete(keyOf(usage)); // re-inserted, so that the map stays in order of change
      newest.set(keyOf(usage), usage);
    }
    for (const oldest of newest.keys()) {
      if (newest.size <= this.#metersMax) break;
      newest.delete(oldest);
      this.#onDrop();
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

const keyOf = ({ customerId, feature }: Usage): string => `${customerId} ${feature.key}`;
