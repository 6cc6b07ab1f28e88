/** Goal: a stream that fails says so and ends; one that is ended ends its source at once, also while nothing comes. */
import { expect, it } from 'vitest';
import { told, toldOf } from './told.ts';

async function* counting(end: (() => void) | null, failure: Error | null = null) {
  try {
    yield 1;
    yield 2;
    yield 3;
    if (failure) throw failure;
  } finally {
    end?.();
  }
}

async function heard(stream: ReturnType<typeof told<number>>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const one of stream) items.push('item' in one ? one.item : one.error);
  return items;
}

it('passes on what is wanted', async () => {
  expect(await heard(told(counting(null), (item) => item !== 2))).toEqual([1, 3]);
});

it('tells a failure as its last item', async () => {
  const failure = new Error('lost');
  expect(await heard(told(counting(null, failure)))).toEqual([1, 2, 3, failure]);
  expect(() => toldOf({ error: failure })).toThrow(failure);
});

it('ends its source', async () => {
  let ended = false;
  const stream = told(counting(() => (ended = true)));
  await stream.next();
  await stream.return(undefined);
  expect(ended).toBe(true);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

it('ends a source that is waiting, without waiting itself', async () => {
  let end: (() => void) | undefined;
  const waiting: AsyncGenerator<number> = {
    next: () => new Promise((resolve) => (end = () => resolve({ done: true, value: undefined }))),
    return: async () => {
      end?.();
      return { done: true, value: undefined };
    },
    throw: async (error) => Promise.reject(error),
    [Symbol.asyncIterator]: () => waiting,
    [Symbol.asyncDispose]: async () => end?.(),
  };
  const stream = told(waiting, () => false);
  const next = stream.next();
  await stream.return(undefined);
  expect(await next).toEqual({ done: true, value: undefined });
});
