/** ws-sending — a stream whose items are sent by itself: to the protocol it looks like one that only ends. */

/**
 * @param send The next item is asked for when this one is on its way: a slow reader sees fewer, newer ones.
 * @returns what ends the stream when it is ended itself; nothing is sent from then on.
 */
export function sending<T>(
  source: AsyncGenerator<T, undefined>,
  send: (item: T) => Promise<void>,
): AsyncGenerator<never, undefined> {
  const done = { done: true, value: undefined } as const;
  let hasLeft = false;
  const leave = async () => {
    hasLeft = true;
    await source.return(undefined);
    return done;
  };
  const stream: AsyncGenerator<never, undefined> = {
    async next() {
      for (let item = await source.next(); !item.done && !hasLeft; item = await source.next()) await send(item.value);
      return done;
    },
    return: leave,
    async throw(error: unknown) {
      await leave();
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => void (await leave()),
  };
  return stream;
}
