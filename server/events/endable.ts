/**
 * endable — a stream that ends as soon as its reader leaves.
 *
 * An async generator that waits inside hears of `return()` only when its wait is over: a reader of a meter that never
 * moves again would never be gone. So whoever leaves is also told to whatever the generator waits for.
 */

/** Whether the reader has left; a good deal smaller than an `AbortSignal`, of which every stream would need one. */
export class Leaving {
  #hasLeft = false;
  #endWait: (() => void) | null = null;

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** @param endWait Called once, when the reader leaves; a later one takes the place of an earlier one. */
  set onLeft(endWait: () => void) {
    this.#endWait = endWait;
    if (this.#hasLeft) endWait();
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#endWait?.();
  }
}

/** @param run Makes the generator; `left` tells when its reader leaves, and every wait must end then. */
export function endable<T>(run: (left: Leaving) => AsyncGenerator<T, undefined>): AsyncGenerator<T, undefined> {
  const left = new Leaving();
  return new Endable(run(left), left);
}

class Endable<T> implements AsyncGenerator<T, undefined> {
  readonly #source: AsyncGenerator<T, undefined>;
  readonly #left: Leaving;

  constructor(source: AsyncGenerator<T, undefined>, left: Leaving) {
    this.#source = source;
    this.#left = left;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#source.next();
  }

  return(value?: undefined): Promise<IteratorResult<T, undefined>> {
    this.#left.leave();
    return this.#source.return(value);
  }

  throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    this.#left.leave();
    return this.#source.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
