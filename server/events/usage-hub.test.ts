/**
 * Goal: the hub passes on what continues, reads the truth where something is missing, and keeps nothing of who has left.
 * Method: a world in memory; some of its batches are this gateway's own, of others there is a hint, or none.
 */
import { describe, expect, it } from 'vitest';
import { ONE } from '../domain/units.ts';
import type { Usage } from '../domain/usage.ts';
import type { Mailbox } from './mailbox.ts';
import { ACME, HOUR_MS, settled, TENANT, World } from './testing/world.ts';
import { type MeterChange, UsageHub } from './usage-hub.ts';

const GLOBEX_REFERENCE = 'globex';

function openHub(...referenceIds: string[]) {
  const world = new World('acme', GLOBEX_REFERENCE, ...referenceIds);
  const errors: unknown[] = [];
  const hub = new UsageHub({
    truth: world.truth,
    clock: world.clock,
    onDrop: () => {},
    onError: (error) => errors.push(error),
  });
  const poll = () => hub.poll();
  /** Watches as a stream does: first a mailbox, then a reading. */
  const watch = async (featureKeys: readonly string[] | null = null) => {
    const mailbox = hub.watchCustomer(TENANT, ACME);
    const read = (await world.truth.meters(TENANT, [{ customerId: ACME, featureKeys }])).get(ACME);
    if (!read) throw new Error('no reading');
    hub.snapshotRead(ACME, read);
    world.readings = 0;
    return mailbox;
  };
  return { world, hub, errors, poll, watch };
}

/** A reader who waits already stays the one who waits. */
const waiting = new WeakMap<Mailbox<MeterChange>, Promise<readonly MeterChange[] | null>>();

/** What is in the mailbox now, e.g. `calls 3@5`. */
async function spell(mailbox: Mailbox<MeterChange>): Promise<string> {
  const taken = waiting.get(mailbox) ?? mailbox.take();
  waiting.set(mailbox, taken);
  await settled();
  const changes = await Promise.race([taken, settled().then(() => null)]);
  if (changes) waiting.delete(mailbox);
  return (changes ?? []).map(spellChange).join(', ');
}

const spellChange = (change: MeterChange): string => (change.kind === 'catalog' ? 'catalog' : spellUsage(change.usage));
const spellUsage = ({ feature, used, reserved, sequence }: Usage): string =>
  `${feature.key} ${used / ONE}${reserved > 0n ? ` and ${reserved / ONE} held` : ''}@${sequence}`;

describe('the hub', () => {
  it('passes on a batch that continues, and reads nothing', async () => {
    const { world, hub, watch } = openHub();
    const mailbox = await watch();
    hub.moved(world.use(ACME, 'calls', 'calls', 'storage'));
    expect(await spell(mailbox)).toBe('calls 2@2, storage 1@3');
    hub.moved(world.use(ACME, 'calls'));
    expect(await spell(mailbox)).toBe('calls 3@4');
    expect(world.readings).toBe(0);
  });

  it('reads the truth where a batch does not continue what was heard', async () => {
    const { world, hub, watch } = openHub();
    const mailbox = await watch();
    world.use(ACME, 'storage'); // by another gateway, unheard
    hub.moved(world.use(ACME, 'calls'));
    expect(await spell(mailbox)).toBe('calls 1@2, storage 1@2, exports 0@2');
    expect(world.readings).toBe(1);
    hub.moved(world.use(ACME, 'calls'));
    expect(await spell(mailbox)).toBe('calls 2@3');
    expect(world.readings).toBe(1);
  });

  it('reads the truth where a batch may have changed more meters than it tells of', async () => {
    const { world, hub, watch } = openHub();
    const mailbox = await watch();
    const moved = world.use(ACME, 'calls', 'storage');
    const told = moved.usages.filter(({ feature }) => feature.key === 'calls');
    hub.moved({ ...moved, usages: told, isWhole: false });
    expect(await spell(mailbox)).toBe('calls 1@2, storage 1@2, exports 0@2');
    expect(world.readings).toBe(1);
  });

  it('passes on nothing that is older than what was heard', async () => {
    const { world, hub, watch } = openHub();
    const early = world.use(ACME, 'calls');
    const mailbox = await watch();
    hub.moved(early);
    hub.hinted(TENANT, ACME, { before: 0n, sequence: 1n });
    expect(await spell(mailbox)).toBe('');
    expect(world.readings).toBe(0);
  });

  it('reads once for a storm of hints, and again for what came while it read', async () => {
    const { world, hub, watch } = openHub();
    const mailbox = await watch();
    world.hold();
    for (let i = 0; i < 20; i++) {
      world.use(ACME, 'calls');
      hub.hinted(TENANT, ACME, { before: BigInt(i), sequence: BigInt(i + 1) });
    }
    await settled();
    expect(world.readings).toBe(1);
    world.release();
    expect(await spell(mailbox)).toContain('calls 20@20');
    expect(world.readings).toBe(1);
  });

  it('reads nothing on hints of customers whom nobody watches', async () => {
    const { world, hub } = openHub();
    hub.hinted(TENANT, ACME, { before: 4n, sequence: 5n });
    await settled();
    expect(world.readings).toBe(0);
  });

  it('reads again what a batch has outrun', async () => {
    const { world, hub, watch } = openHub();
    const mailbox = await watch();
    world.hold();
    hub.hinted(TENANT, ACME, null);
    await settled();
    world.step();
    await settled();
    world.step(); // now it has read the customer
    await settled();
    hub.moved(world.use(ACME, 'calls'));
    world.release();
    expect(await spell(mailbox)).toBe('calls 1@1');
  });

  it('tells of a change to the catalog, and lets each subscriber read for itself', async () => {
    const { world, hub, watch } = openHub();
    const mailbox = await watch();
    world.saveFeature('calls', { limit: 5n });
    hub.catalogChanged(TENANT);
    expect(await spell(mailbox)).toBe('catalog');
    hub.catalogChanged('another tenant');
    expect(await spell(mailbox)).toBe('');
  });

  it.each([null, ['storage']])('finds by polling what no hint has told to who watches %j', async (featureKeys) => {
    const { world, poll, watch } = openHub();
    const mailbox = await watch(featureKeys);
    await poll();
    expect(await spell(mailbox)).toBe('');
    expect(world.readings).toBe(0);
    world.use(ACME, 'storage');
    await poll();
    expect(await spell(mailbox)).toBe('calls 0@1, storage 1@1, exports 0@1');
    await poll();
    expect(world.readings).toBe(1);
  });

  it('finds a change to the catalog by polling, once', async () => {
    const { world, poll, watch } = openHub();
    const early = await watch();
    world.saveFeature('calls', { limit: 5n });
    const late = await watch(); // has read the new catalog: nobody else has
    await poll();
    expect([await spell(early), await spell(late)]).toEqual(['catalog', 'catalog']);
    await poll();
    expect([await spell(early), await spell(late)]).toEqual(['', '']);
  });

  it.each<[string, ...(readonly string[] | null)[]]>([
    ['alone', null],
    ['after one who watches what never resets', ['storage'], null],
    ['before one who watches what never resets', null, ['storage']],
    ['beside one who watches what resets later', ['exports'], null],
  ])('finds the end of a period by polling, for who watches all meters %s', async (_, ...watchers) => {
    const { world, hub, poll, watch } = openHub();
    hub.moved(world.use(ACME, 'calls'));
    const mailboxes = [];
    for (const featureKeys of watchers) mailboxes.push(await watch(featureKeys));
    world.nowMs += HOUR_MS;
    await poll();
    for (const mailbox of mailboxes) expect(await spell(mailbox)).toContain('calls 0@1');
    await poll();
    expect(world.readings).toBe(1);
  });

  it.each(['before the hold was made', 'after it'])(
    'finds by polling that a hold has expired, for who came %s',
    async (when) => {
      const { world, hub, poll, watch } = openHub();
      const early = when.startsWith('before') ? await watch() : null;
      hub.moved(world.reserve(ACME, 'storage', world.nowMs + HOUR_MS / 4));
      if (early) expect(await spell(early)).toBe('storage 0 and 1 held@1');
      const mailbox = early ?? (await watch());
      await poll();
      expect(world.readings).toBe(0);
      world.nowMs += HOUR_MS / 4;
      await poll();
      expect(await spell(mailbox)).toContain('storage 0@1');
      await poll();
      expect(world.readings).toBe(1);
    },
  );

  it('tells when a reading fails, and finds it out with the next poll', async () => {
    const { world, hub, errors, poll, watch } = openHub();
    const mailbox = await watch();
    world.use(ACME, 'calls');
    world.failure = new Error('the database is away');
    hub.hinted(TENANT, ACME, { before: 0n, sequence: 1n });
    await settled();
    expect(errors).toEqual([world.failure]);
    world.failure = null;
    await poll();
    expect(await spell(mailbox)).toContain('calls 1@1');
  });

  it.each(Array.from({ length: 12 }, (_, i) => i))('hears a hint %i microtasks after a reading', async (microtasks) => {
    const { world, hub, watch } = openHub();
    const mailbox = await watch();
    world.use(ACME, 'calls');
    hub.hinted(TENANT, ACME, { before: 0n, sequence: 1n });
    expect(await mailbox.take()).not.toBeNull();
    for (let i = 0; i < microtasks; i++) await Promise.resolve();
    world.use(ACME, 'calls');
    hub.hinted(TENANT, ACME, { before: 1n, sequence: 2n });
    expect(await spell(mailbox)).toContain('calls 2@2');
  });

  it('tells who watches the tenant of every customer, hinted ones too', async () => {
    const { world, hub } = openHub();
    const mailbox = hub.watchTenant(TENANT);
    hub.moved(world.use(ACME, 'calls'));
    expect(await spellLive(mailbox)).toBe('calls 1@1');
    world.use(ACME, 'storage', 'storage');
    hub.hinted(TENANT, ACME, { before: 1n, sequence: 3n });
    expect(await spellLive(mailbox)).toBe('storage 2@3'); // and not of meters that have not moved
    hub.watchCustomer(TENANT, ACME);
    world.use(ACME, 'exports');
    world.use(ACME, 'calls');
    hub.hinted(TENANT, ACME, { before: 3n, sequence: 4n });
    hub.hinted(TENANT, ACME, { before: 4n, sequence: 5n });
    expect(await spellLive(mailbox)).toBe('calls 2@5, exports 1@5');
    hub.hinted(TENANT, ACME, null); // its limits may be others: all of them
    expect(await spellLive(mailbox)).toBe('calls 2@5, storage 2@5, exports 1@5');
  });

  it('tells who watches the tenant of every meter that a batch has changed without naming it', async () => {
    const { world, hub, watch } = openHub();
    const mailbox = hub.watchTenant(TENANT);
    hub.moved(world.use(ACME, 'storage'));
    expect(await spellLive(mailbox)).toBe('storage 1@1');
    hub.moved(world.topUp(ACME)); // nobody watches the customer itself
    expect(await spellLive(mailbox)).toBe('calls 0@2, storage 1@2, exports 0@2');
    expect(hub.customersWatched).toBe(0);
    await watch();
    hub.moved(world.topUp(ACME));
    expect(await spellLive(mailbox)).toBe('calls 0@3, storage 1@3, exports 0@3');
  });

  it('keeps nothing of who has left', async () => {
    const { world, hub, watch } = openHub();
    const mailboxes = [await watch(), await watch(), await watch()];
    expect(hub.customersWatched).toBe(1);
    for (const mailbox of mailboxes) hub.leaveCustomer(ACME, mailbox);
    expect(hub.customersWatched).toBe(0);
    hub.moved(world.use(ACME, 'calls'));
    for (const mailbox of mailboxes) expect(await mailbox.take()).toBeNull();
  });

  it('ends everybody when it closes, also who comes later', async () => {
    const { hub, watch } = openHub();
    const [watching, tenant] = [await watch(), hub.watchTenant(TENANT)];
    hub.close();
    expect(await watching.take()).toBeNull();
    expect(await tenant.take()).toBeNull();
    expect(await hub.watchCustomer(TENANT, ACME).take()).toBeNull();
    expect(await hub.watchTenant(TENANT).take()).toBeNull();
  });
});

async function spellLive(mailbox: Mailbox<Usage>): Promise<string> {
  await settled();
  return ((await mailbox.take()) ?? []).map(spellUsage).join(', ');
}
