/** Goal: nobody fills our memory with documents, least of all somebody we don't know. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { openRig } from './rig.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const heldBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

it.each([
  ['that can be read', '{ __typename }'],
  ['that can not', '{'],
])('fifty long documents %s, of nobody, leave next to nothing behind', async (_, document) => {
  const nobody = (await openRig()).as(undefined);
  await nobody.post(document);
  const before = heldBytes();
  for (let i = 0; i < 50; i += 1) {
    const { status } = await nobody.post(`# ${i} ${'x'.repeat(950_000)}\n${document}`);
    expect([200, 400]).toContain(status);
  }
  expect(heldBytes() - before).toBeLessThan(15_000_000);
});
