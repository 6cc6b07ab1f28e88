/** cuttable — a stream that can be ended from outside, with a last word. */

export type Cuttable<T> = {
  readonly results: AsyncIterableIterator<T>;
  /** The stream says this, unless it is null, and is over. */
  readonly end: (last: T | null) => void;
};

/**
 * A stream that ends when told to, also while its next result is awaited. An async generator can not: its `return` waits
 * for the `next` before it.
 *
 * @param onOver Called once, however it ends.
 */
export function cuttable<T>(source: AsyncIterable<T>, onOver: () => void): Cuttable<T> {
  const iterator = source[Symbol.asyncIterator]();
  const done: IteratorResult<T> = { done: true, value: undefined };
  let isOver = false;
  let last: IteratorResult<T> = done;
  let interrupt = () => {};
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve;
  });
  const over = () => {
    if (isOver) return;
    isOver = true;
    onOver();
    interrupt();
    iterator.return?.()?.catch(() => {}); // it has nobody to tell any more
  };
  const end = (said: T | null) => {
    if (!isOver && said !== null) last = { done: false, value: said };
    over();
  };
  const results: AsyncIterableIterator<T> = {
    async next() {
      const next = isOver ? null : await Promise.race([interrupted.then(() => null), iterator.next()]);
      if (next?.done) over();
      if (next) return next;
      const saying = last;
      last = done;
      return saying;
    },
    async return() {
      over();
      return done;
    },
    [Symbol.asyncIterator]: () => results,
  };
  return { results, end };
}
