/** Goal: which items a subscriber is told, and how far the cursor of each has come. */
import { describe, expect, it } from 'vitest';
import { CURSOR_AGE_MAX_MS, decodeUsageCursor, type UsageCursor } from '../domain/cursor.ts';
import type { CustomerMeters } from '../domain/meters.ts';
import type { UsageStreamItem } from './stream-items.ts';
import { ACME, HOUR_MS, TENANT, World } from './testing/world.ts';
import { UsageTeller } from './usage-teller.ts';

async function reading(world: World, featureKeys: readonly string[] | null = null): Promise<CustomerMeters> {
  const read = (await world.truth.meters(TENANT, [{ customerId: ACME, featureKeys }])).get(ACME);
  if (!read) throw new Error('no reading');
  return read;
}

/** e.g. `calls 3 @5 v1 +60`: feature, used, and the cursor's sequence, version and minutes since the start. */
function spell(items: Iterable<UsageStreamItem>, startMs: number): string[] {
  return [...items].map((item) => {
    if (item.kind === 'cursor-expired') return 'expired';
    const { sequence, catalogVersion, atMs } = decodeUsageCursor(item.cursor, ACME);
    const usages = item.kind === 'snapshot' ? item.usages : [item.usage];
    const meters = usages.map(({ feature, used }) => `${feature.key} ${used / 10n ** 9n}`).join(', ');
    return `${meters} @${sequence} v${catalogVersion} +${(atMs - startMs) / 60_000}`;
  });
}

const cursorAt = (world: World, fields: Partial<UsageCursor> = {}): UsageCursor => ({
  customerId: ACME,
  sequence: world.sequenceOf(ACME),
  catalogVersion: world.catalogVersion,
  atMs: world.nowMs,
  ...fields,
});

describe('a stream that opens', () => {
  it.each<[string, (world: World) => UsageCursor | null, (world: World) => void, string[]]>([
    ['without a cursor', () => null, () => {}, ['calls 1, storage 1, exports 0 @2 v1 +0']],
    ['with nothing missed', (world) => cursorAt(world), () => {}, []],
    ['with a use missed', (world) => cursorAt(world), (world) => world.use(ACME, 'calls'), ['calls 2 @3 v1 +0']],
    [
      'with two meters missed: only the last item says so',
      (world) => cursorAt(world),
      (world) => world.use(ACME, 'calls', 'exports'),
      ['calls 2 @2 v1 +0', 'exports 1 @4 v1 +0'],
    ],
    [
      'after a change of limits: every meter',
      (world) => cursorAt(world),
      (world) => world.setLimits(ACME, 'calls', 5),
      ['calls 1 @2 v1 +0', 'storage 1 @2 v1 +0', 'exports 0 @3 v1 +0'],
    ],
    [
      'after a change of the catalog: every meter',
      (world) => cursorAt(world),
      (world) => world.saveFeature('calls', { limit: 5n }),
      ['calls 1 @2 v1 +0', 'storage 1 @2 v1 +0', 'exports 0 @2 v2 +0'],
    ],
    [
      'after the end of a period: the meter that started anew',
      (world) => cursorAt(world),
      (world) => {
        world.nowMs += HOUR_MS;
      },
      ['calls 0 @2 v1 +60'],
    ],
    [
      'with a cursor just young enough',
      (world) => cursorAt(world, { atMs: world.nowMs - CURSOR_AGE_MAX_MS }),
      () => {},
      ['calls 1 @2 v1 -50400', 'storage 1 @2 v1 -50400', 'exports 0 @2 v1 +0'], // all began after it
    ],
    [
      'with a cursor too old',
      (world) => cursorAt(world, { atMs: world.nowMs - CURSOR_AGE_MAX_MS - 1 }),
      () => {},
      ['expired', 'calls 1, storage 1, exports 0 @2 v1 +0'],
    ],
    [
      'with a cursor ahead of the database',
      (world) => cursorAt(world, { sequence: 3n }),
      () => {},
      ['expired', 'calls 1, storage 1, exports 0 @2 v1 +0'],
    ],
  ])('%s', async (_, cursorOf, meanwhile, items) => {
    const world = new World('acme');
    world.use(ACME, 'calls', 'storage');
    const startMs = world.nowMs;
    const cursor = cursorOf(world);
    meanwhile(world);
    const told = spell(new UsageTeller(null, await reading(world)).open(cursor), startMs);
    expect(told.map((line) => line.replace('+-', '-'))).toEqual(items);
  });
});

describe('a stream that goes on', () => {
  async function opened(featureKeys: readonly string[] | null = null) {
    const world = new World('acme');
    const startMs = world.nowMs;
    const teller = new UsageTeller(featureKeys, await reading(world, featureKeys));
    spell(teller.open(null), startMs);
    return { world, teller, startMs };
  }

  it('tells of a batch, and gives the new cursor to the last of its meters', async () => {
    const { world, teller, startMs } = await opened();
    const { usages } = world.use(ACME, 'storage', 'calls');
    expect(spell(teller.tell(usages), startMs)).toEqual(['storage 1 @0 v1 +0', 'calls 1 @2 v1 +0']);
  });

  it('tells nothing that a reader would see as the same', async () => {
    const { world, teller, startMs } = await opened();
    const { usages } = world.use(ACME, 'calls');
    spell(teller.tell(usages), startMs);
    expect(spell(teller.tell(usages), startMs)).toEqual([]);
    expect(spell(teller.tell(world.metersOf(ACME)), startMs)).toEqual([]);
    expect(spell(teller.tellAll(await reading(world)), startMs)).toEqual([]);
  });

  it('tells nothing that is older than what was told', async () => {
    const { world, teller, startMs } = await opened();
    const early = world.use(ACME, 'calls').usages;
    const late = world.use(ACME, 'calls').usages;
    spell(teller.tell(late), startMs);
    expect(spell(teller.tell(early), startMs)).toEqual([]);
  });

  it('tells only of the meters that were asked for', async () => {
    const { world, teller, startMs } = await opened(['storage']);
    expect(spell(teller.tell(world.use(ACME, 'calls').usages), startMs)).toEqual([]);
    expect(spell(teller.tell(world.use(ACME, 'calls', 'storage').usages), startMs)).toEqual(['storage 1 @3 v1 +0']);
  });

  it('gives a cursor that grows no older than what was told', async () => {
    const { world, teller, startMs } = await opened(['storage']);
    for (let day = 1; day <= 40; day++) {
      world.nowMs += 24 * HOUR_MS;
      const [told] = spell(teller.tell(world.use(ACME, 'storage').usages), startMs);
      expect(told).toBe(`storage ${day} @${day} v1 +${day * 24 * 60}`);
    }
  });

  it('gives a cursor that waits for every period that has ended to be told of', async () => {
    const { world, teller, startMs } = await opened();
    spell(teller.tell(world.use(ACME, 'calls').usages), startMs);
    world.nowMs += HOUR_MS;
    // The use tells nothing of `calls`, whose hour ended 30 minutes in: a resumed stream still has to.
    expect(spell(teller.tell(world.use(ACME, 'storage').usages), startMs)).toEqual([
      `storage 1 @2 v1 +${30 - 1 / 60_000}`,
    ]);
    expect(spell(teller.tell(world.metersOf(ACME)), startMs)).toEqual(['calls 0 @2 v1 +60']);
  });
});
