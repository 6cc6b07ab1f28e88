/** Goal: a cut ends a stream at once, whatever its source waits for, and is told once to whoever counts streams. */
import { expect, it } from 'vitest';
import { cuttable } from './cuttable.ts';

/** Says 1, 2, and then nothing for ever; its `return` fails. */
function open() {
  let [said, letGo, over] = [0, 0, 0];
  const source: AsyncIterableIterator<string> = {
    next: () => (said < 2 ? Promise.resolve({ done: false, value: `${++said}` }) : new Promise(() => {})),
    return: () => {
      letGo += 1;
      return Promise.reject(new Error('it does not let go'));
    },
    [Symbol.asyncIterator]: () => source,
  };
  const stream = cuttable(source, () => {
    over += 1;
  });
  return { ...stream, counts: () => ({ letGo, over }) };
}

it.each([
  ['with a last word', 'bye', ['bye']],
  ['without a word', null, []],
])('ends %s while its next result is awaited', async (_, last, expected) => {
  const { results, end, counts } = open();
  const heard: string[] = [];
  for await (const result of results) {
    heard.push(result);
    if (result === '2') setImmediate(() => end(last));
  }
  expect(heard).toEqual(['1', '2', ...expected]);
  end('too late');
  expect(await results.next()).toEqual({ done: true, value: undefined });
  expect(counts()).toEqual({ letGo: 1, over: 1 });
});

it('lets go of its source when its reader leaves', async () => {
  const { results, counts } = open();
  for await (const result of results) if (result === '1') break;
  expect(counts()).toEqual({ letGo: 1, over: 1 });
  expect((await results.next()).done).toBe(true);
});
