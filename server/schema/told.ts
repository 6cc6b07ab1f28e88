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
export function told<T>(
  source: AsyncGenerator<T>,
  isWanted: (item: T) => boolean = () => true,
): AsyncGenerator<Told<T>> {
  let hasFailed = false;
  const stream: AsyncGenerator<Told<T>> = {
    async next() {
      if (hasFailed) return { done: true, value: undefined };
      try {
        let next = await source.next();
        while (!next.done && !isWanted(next.value)) next = await source.next();
        return next.done ? next : { done: false, value: { item: next.value } };
      } catch (error) {
        hasFailed = true;
        return { done: false, value: { error } };
      }
    },
    async return() {
      await source.return(undefined);
      return { done: true, value: undefined };
    },
    async throw(error: unknown) {
      await source.throw(error);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => {
      await source.return(undefined);
    },
  };
  return stream;
}

/** What is the same object for all who are told it; null for a failure, which is of one alone. */
export const sharedPartOf = (told: Told<unknown>): object | null =>
  'item' in told && typeof told.item === 'object' ? told.item : null;

/** The item, or the failure thrown where GraphQL hears it. */
export function toldOf<T>(told: Told<T>): T {
  if ('item' in told) return told.item;
  throw told.error;
}
