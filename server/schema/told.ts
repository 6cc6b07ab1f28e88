/**
 * told — a stream whose failure is its last item, so that it reaches the subscriber as an error with a code.
 *
 * An error out of the iterator itself would be nobody's: over a WebSocket it ends every stream of the connection.
 */

export type Told<T> = { readonly item: T } | { readonly error: unknown };

/**
 * @param isWanted Items that it refuses are skipped.
 * @returns an iterator that ends its source at once when it is ended itself, also while an item is awaited.
 */
export const told = <T>(
  source: AsyncGenerator<T>,
  isWanted: (item: T) => boolean = () => true,
): AsyncGenerator<Told<T>> => new Telling(source, isWanted);

const DONE = { done: true, value: undefined } as const;

class Telling<T> implements AsyncGenerator<Told<T>> {
  readonly #source: AsyncGenerator<T>;
  readonly #isWanted: (item: T) => boolean;
  #hasFailed = false;

  constructor(source: AsyncGenerator<T>, isWanted: (item: T) => boolean) {
    this.#source = source;
    this.#isWanted = isWanted;
  }

  async next(): Promise<IteratorResult<Told<T>>> {
    if (this.#hasFailed) return DONE;
    try {
      let next = await this.#source.next();
      while (!next.done && !this.#isWanted(next.value)) next = await this.#source.next();
      return next.done ? next : { done: false, value: { item: next.value } };
    } catch (error) {
      this.#hasFailed = true;
      return { done: false, value: { error } };
    }
  }

  async return(): Promise<IteratorResult<Told<T>>> {
    await this.#source.return(undefined);
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<Told<T>>> {
    await this.#source.throw(error);
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return(undefined);
  }
}

/** What is the same object for all who are told it; null for a failure, which is of one alone. */
export const sharedPartOf = (told: Told<unknown>): object | null =>
  'item' in told && typeof told.item === 'object' ? told.item : null;

/** The item, or the failure thrown where GraphQL hears it. */
export function toldOf<T>(told: Told<T>): T {
  if ('item' in told) return told.item;
  throw told.error;
}
