/** Goal: who keeps up hears one item with all others; who doesn't, the newest of each meter, and no more than fits. */
import { expect, it } from 'vitest';
import type { Usage } from '../domain/usage.ts';
import { LiveReader } from './live-feed.ts';
import type { LiveUsage } from './stream-items.ts';
import { ACME, TENANT, World } from './testing/world.ts';

/** An item of the newest state of these meters. */
function itemOf(world: World, atMs: number, ...keys: readonly string[]): LiveUsage {
  const { usages } = world.use(ACME, ...keys);
  return { usages, atMs };
}

const spell = (item: LiveUsage | null): string =>
  item ? `${item.usages.map(spellUsage).join(', ')} at ${item.atMs}` : 'the end';
const spellUsage = ({ tenantId, feature, sequence }: Usage): string => {
  expect(tenantId).toBe(TENANT);
  return `${feature.key}@${sequence}`;
};

it('a reader who keeps up is given the very item that all others are', async () => {
  const world = new World('acme');
  const readers = [new LiveReader(9, () => {}), new LiveReader(9, () => {})];
  for (const atMs of [1, 2]) {
    const item = itemOf(world, atMs, 'calls');
    for (const reader of readers) reader.put(item);
    for (const reader of readers) expect(await reader.take()).toBe(item);
  }
});

it.each([
  // fits  told                                                 dropped
  [9, 'storage@2, exports@4, calls@5 at 3', 0],
  [2, 'exports@4, calls@5 at 3', 1],
])('a reader who is behind is told the newest of each meter, of %d that fit', async (metersMax, told, dropped) => {
  const world = new World('acme');
  let drops = 0;
  const reader = new LiveReader(metersMax, () => {
    drops += 1;
  });
  reader.put(itemOf(world, 1, 'calls', 'storage'));
  reader.put(itemOf(world, 2, 'calls', 'exports'));
  reader.put(itemOf(world, 3, 'calls'));
  expect(spell(await reader.take())).toBe(told);
  expect(drops).toBe(dropped);
  reader.put(itemOf(world, 4, 'storage'));
  expect(spell(await reader.take())).toBe('storage@6 at 4'); // and nothing of before
});

it('a reader who leaves while it waits hears the end', async () => {
  const reader = new LiveReader(9, () => {});
  const waiting = reader.take();
  reader.close();
  expect(spell(await waiting)).toBe('the end');
});
