/**
 * mailbox — what one subscriber has not heard yet: the newest value of each key, and never more than `sizeMax` of them.
 *
 * A reader that falls behind finds fewer, newer values; nobody else waits for it, and it costs no more memory.
 */
export class Mailbox<V> {
  readonly #sizeMax: number;
  readonly #onDrop: () => void;
  #values = new Map<string, V>();
  #wake: (() => void) | null = null;
  #closed = false;

  /** @param onDrop Told of each value that was given up because more keys wait than fit. */
  constructor(sizeMax: number, onDrop: () => void = () => {}) {
    this.#sizeMax = sizeMax;
    this.#onDrop = onDrop;
  }

  put(key: string, value: V): void {
    this.#values.delete(key); // re-inserted, so that the map stays in order of change
    this.#values.set(key, value);
    if (this.#values.size > this.#sizeMax) {
      const [oldest = ''] = this.#values.keys();
      this.#values.delete(oldest);
      this.#onDrop();
    }
    this.#notify();
  }

  /** Waits until there is something, and takes all of it, oldest change first; null once closed. */
  async take(): Promise<readonly V[] | null> {
    while (this.#values.size === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#closed) return null;
    const taken = [...this.#values.values()];
    this.#values = new Map();
    return taken;
  }

  close(): void {
    this.#closed = true;
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
