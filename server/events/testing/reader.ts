/** reader — a client of a usage stream: merges what it hears, and comes back with its last cursor. */
import type { Usage } from '../../domain/usage.ts';
import { readingOf } from '../reading.ts';
import type { UsageStreamItem } from '../stream-items.ts';
import type { Streams } from '../streams.ts';
import { ACME, settled, TENANT } from './world.ts';

export class Reader {
  /** What it follows; null for all meters. */
  readonly featureKeys: readonly string[] | null;
  readonly items: UsageStreamItem[] = [];
  /** Items that told a meter exactly as this reader had it already, in the same stream. */
  repeated: string[] = [];
  readonly #streams: Streams;
  #stream: AsyncGenerator<UsageStreamItem, undefined>;
  #usages = new Map<string, Usage>();
  #heardHere = new Set<string>();
  #cursor: string | null = null;
  #asked = false;

  constructor(streams: Streams, featureKeys: readonly string[] | null) {
    this.#streams = streams;
    this.featureKeys = featureKeys;
    this.#stream = this.#open();
  }

  /** What it shows now. */
  get shown(): readonly string[] {
    return [...this.#usages.values()].map(readingOf).sort();
  }

  /** Asks for one more item, unless it still waits for the last one it asked for. */
  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    const stream = this.#stream;
    void stream.next().then(({ value }) => {
      if (stream !== this.#stream) return; // cut: it never arrived
      this.#asked = false;
      if (value) this.#hear(value);
    });
  }

  /** Loses the stream, and with it whatever is on its way; opens another from the last cursor. */
  cut(): void {
    void this.#stream.return(undefined);
    this.#stream = this.#open();
    this.#asked = false;
    this.#heardHere.clear();
  }

  /** Loses the stream for good. */
  async leave(): Promise<void> {
    await this.#stream.return(undefined);
  }

  /** Asks until nothing more comes. @returns how many items came. */
  async drain(): Promise<number> {
    const before = this.items.length;
    for (let heard = -1; heard !== this.items.length; await settled()) {
      heard = this.items.length;
      this.ask();
      await settled();
    }
    return this.items.length - before;
  }

  #open() {
    const selection = { tenantId: TENANT, customerId: ACME, featureKeys: this.featureKeys, after: this.#cursor };
    return this.#streams.usageChanged(selection);
  }

  #hear(item: UsageStreamItem): void {
    this.items.push(item);
    if (item.kind === 'cursor-expired') return;
    this.#cursor = item.cursor;
    if (item.kind === 'snapshot') this.#usages = new Map();
    for (const usage of item.kind === 'snapshot' ? item.usages : [item.usage]) {
      const { key } = usage.feature;
      const known = this.#usages.get(key);
      if (item.kind === 'delta' && known && this.#heardHere.has(key) && readingOf(known) === readingOf(usage))
        this.repeated.push(key);
      this.#usages.set(key, usage);
      this.#heardHere.add(key);
    }
  }
}
