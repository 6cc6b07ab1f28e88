/**
 * endable — a stream that ends as soon as its reader leaves.
 *
 * An async generator that waits inside hears of `return()` only when its wait is over: a reader of a meter that never
 * moves again would never be gone. So whoever leaves is also told to whatever the generator waits for.
 */

/** @param run Makes the generator; the signal aborts when its reader leaves, and must then end every wait. */
export function endable<T>(run: (left: AbortSignal) => AsyncGenerator<T, undefined>): AsyncGenerator<T, undefined> {
  const leaving = new AbortController();
  const source = run(leaving.signal);
  const stream: AsyncGenerator<T, undefined> = {
    next: () => source.next(),
    return: (value) => {
      leaving.abort();
      return source.return(value);
    },
    throw: (error) => {
      leaving.abort();
      return source.throw(error);
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => {
      await stream.return(undefined);
    },
  };
  return stream;
}
