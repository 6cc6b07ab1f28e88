/**
 * Goal: documents that come once, or come to do harm, fill no memory and push out nobody's. Method: the heaviest that
 * limits let through, many times what may be kept, from somebody whom we know.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

let rig: Rig;

beforeAll(async () => {
  rig = await openRig();
});

const heldBytes = (): number => {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
};
const fastAnswers = (): number => rig.gateway.metrics.counts.fastAnswers;

const MANY_OPERATIONS = Array.from({ length: 240 }, (_, i) => `query Q${i} { ...All }`).join(' ');
const ALL = Array.from({ length: 98 }, (_, i) => `__typename a${i}: __typename`).join(' ');

it.each<[what: string, document: (i: number) => string, times: number]>([
  ['valid ones', (i) => `{ ${'__typename '.repeat(1_900)} v${i}: __typename }`, 2],
  ['ones with a hundred errors', (i) => `{ e${i} ${'no '.repeat(1_000)} }`, 2],
  [
    'ones of many operations, which share a fragment',
    (i) => `${MANY_OPERATIONS} fragment All on Query { v${i}: ${ALL} }`,
    2,
  ],
  ['ones of which a GET parses, and refuses to execute', (i) => `mutation { m${i}: ${'__typename '.repeat(500)} }`, 1],
])('%s', async (what, document, times) => {
  const hot = '{ viewer { tenant { name } } }';
  for (let i = 0; i < 3; i += 1) await rig.data(hot);
  const before = heldBytes();
  for (let i = 0; i < 120; i += 1) {
    const query = document(i);
    for (let time = 0; time < times; time += 1) {
      if (what.includes('GET')) await (await fetch(`${rig.graphqlUrl}?query=${encodeURIComponent(query)}`)).text();
      else await rig.post(query);
    }
    if (i % 10 !== 0) continue;
    const answered = fastAnswers();
    await rig.data(hot);
    expect(fastAnswers()).toBe(answered + 1);
  }
  expect(heldBytes() - before).toBeLessThan(80_000_000);
});
