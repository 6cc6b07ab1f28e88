/** answer-stream — an async generator of which only what comes next and what leaving means is to be written. */

export const DONE = { done: true, value: undefined } as const;

export abstract class AnswerStream<T> implements AsyncGenerator<T, undefined> {
  abstract next(): Promise<IteratorResult<T, undefined>>;
  /** Ends it at once, and its source with it, also while an item is awaited. */
  abstract return(): Promise<IteratorResult<T, undefined>>;

  async throw(error: unknown): Promise<never> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
