/**
 * Goal: however many listen, and however slow the database, the truth is asked for once at a time. Method: a world in
 * memory whose answers arrive when the test lets them; its questions are counted.
 */
import { describe, expect, it } from 'vitest';
import { customerIdOf } from '../domain/customer.ts';
import type { UsageStreamItem } from './stream-items.ts';
import { Streams, type UsageSelection } from './streams.ts';
import { ACME, settled, TENANT, World } from './testing/world.ts';
import type { Truth } from './truth.ts';

const REFERENCES = Array.from({ length: 50 }, (_, i) => `customer ${i}`);

function openStreams(adapt: (truth: Truth) => Truth = (truth) => truth) {
  const world = new World('acme', ...REFERENCES);
  const errors: unknown[] = [];
  const streams = new Streams({
    truth: adapt(world.truth),
    clock: world.clock,
    onDrop: () => {},
    onError: (error) => errors.push(error),
  });
  /** Opens a stream and reads its snapshot; whatever comes then, is already asked for. */
  const open = async (customerId: string, featureKeys: UsageSelection['featureKeys'] = null) => {
    const stream = streams.usageChanged({ tenantId: TENANT, customerId, featureKeys, after: null });
    await stream.next();
    return stream.next();
  };
  return { world, streams, errors, open };
}

const limitOf = ({ value }: IteratorResult<UsageStreamItem, undefined>): string =>
  value?.kind === 'delta' ? `${value.usage.feature.key} ${value.usage.policy.limit}` : `${value?.kind}`;

describe('a change to the catalog', () => {
  it('is read once for all the streams of the tenant', async () => {
    const { world, streams } = openStreams();
    const selections = REFERENCES.flatMap((reference) =>
      [null, null, ['calls', 'storage']].map((featureKeys) => ({
        tenantId: TENANT,
        customerId: customerIdOf(TENANT, reference),
        featureKeys,
        after: null,
      })),
    );
    const open = selections.map((selection) => streams.usageChanged(selection));
    await Promise.all(open.map((stream) => stream.next()));
    const next = Promise.all(open.map((stream) => stream.next()));
    await settled();
    world.readings = 0;
    world.saveFeature('calls', { limit: 5n });
    streams.heard({ kind: 'catalog', from: 'other', tenantId: TENANT });
    expect(new Set((await next).map(limitOf))).toEqual(new Set(['calls 5']));
    expect(world.readings).toBe(2); // the second is of those who follow other meters of the same customers
  });

  it('is read again for who hears of it while it is read', async () => {
    const { world, streams, errors } = openStreams();
    const stream = streams.usageChanged({ tenantId: TENANT, customerId: ACME, featureKeys: null, after: null });
    await stream.next();
    const next = stream.next();
    await settled();
    world.hold();
    world.saveFeature('calls', { limit: 5n });
    streams.heard({ kind: 'catalog', from: 'other', tenantId: TENANT });
    await settled();
    world.step(); // the first reading has the catalog of now
    await settled();
    const late = streams.usageChanged({ tenantId: TENANT, customerId: ACME, featureKeys: null, after: null });
    const snapshot = late.next();
    world.saveFeature('calls', { limit: 6n });
    streams.heard({ kind: 'catalog', from: 'other', tenantId: TENANT });
    world.release();
    expect(await next.then(limitOf)).toMatch(/^calls [56]$/);
    const { value } = await snapshot;
    expect(value?.kind === 'snapshot' && value.usages[0]?.policy.limit).toBe(6n);
    expect(errors).toEqual([]);
  });
});

describe('a reading that fails', () => {
  it('ends the streams that asked for it, and no other', async () => {
    const { world, streams, open } = openStreams();
    const following = open(ACME);
    await settled();
    world.failure = new Error('the database is away');
    const unlucky = streams.usageChanged({ tenantId: TENANT, customerId: ACME, featureKeys: null, after: null });
    await expect(unlucky.next()).rejects.toThrow('the database is away');
    world.failure = null;
    streams.committed({ moved: [world.use(ACME, 'calls')], alerts: [] });
    expect((await following).value?.kind).toBe('delta');
  });

  it('is of no customer who is not there alone', async () => {
    const { streams } = openStreams();
    const [known, unknown] = await Promise.allSettled(
      [ACME, customerIdOf(TENANT, 'nobody')].map((customerId) =>
        streams.usageChanged({ tenantId: TENANT, customerId, featureKeys: null, after: null }).next(),
      ),
    );
    expect(known?.status).toBe('fulfilled');
    expect(unknown).toMatchObject({ status: 'rejected', reason: { code: 'CUSTOMER_NOT_FOUND' } });
  });
});

describe('the poll', () => {
  /** A database that answers polls when it is told to. */
  function openSlowly() {
    const waiting: (() => void)[] = [];
    let polls = 0;
    const opened = openStreams((truth) => ({
      ...truth,
      customerSequences: async (ids) => {
        polls += 1;
        await new Promise<void>((go) => waiting.push(go));
        return truth.customerSequences(ids);
      },
    }));
    const answer = async () => {
      for (const go of waiting.splice(0)) go();
      await settled();
    };
    return { ...opened, answer, polls: () => polls };
  }

  it('never overlaps itself, and is repeated once for all who ask meanwhile', async () => {
    const { world, streams, open, answer, polls } = openSlowly();
    const next = open(ACME);
    await settled();
    const asked = [streams.poll(), streams.poll(), streams.poll()];
    await settled();
    expect(polls()).toBe(1);
    await answer();
    expect(polls()).toBe(2);
    world.use(ACME, 'calls'); // the second has not been answered yet
    await answer();
    await Promise.all(asked);
    expect((await next).value?.kind).toBe('delta');
    expect(polls()).toBe(2);
    void streams.poll();
    expect(polls()).toBe(3);
  });

  it('waits for no reading: alerts are looked for while meters are read', async () => {
    const { world, streams, open } = openStreams();
    const next = open(ACME);
    await settled();
    world.use(ACME, 'calls');
    world.hold();
    await streams.poll();
    world.release();
    expect((await next).value?.kind).toBe('delta');
  });
});
