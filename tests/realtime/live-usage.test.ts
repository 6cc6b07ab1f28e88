/** Goal: the feed of the whole tenant tells the newest state of every meter that moves, and no more often than eyes read. */
import { expect, it } from 'vitest';
import { describePostgres } from '../support/postgres.ts';
import { consume, consumeMany, type LiveItem, openLive, openPair, openRig, register, tokenOf, WAYS } from './rig.ts';

/** The newest of each meter. */
const newestOf = (items: readonly LiveItem[]) =>
  new Map(items.flatMap(({ usages }) => usages.map((u) => [`${u.referenceId} ${u.feature.key}`, u.used] as const)));

it.each(WAYS)('over %s, many changes are few items, and the last is the newest', async (way) => {
  const rig = await openRig();
  for (const referenceId of ['acme', 'globex']) await register(rig, referenceId);
  const stream = await openLive(rig, { way });
  await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(1);
  const startMs = performance.now();
  let calls = 0;
  // Many at once, so that they are many more than the items of that time, however slow the machine is.
  for (; performance.now() - startMs < 1_100; calls += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => consume(rig, i % 2 ? 'globex' : 'acme', 'api_calls')));
  }
  await consume(rig, 'acme', 'storage', { amount: 7 });
  const items: LiveItem[] = [];
  while (newestOf(items).get('acme storage') !== '7') items.push(await stream.next());
  const elapsedMs = performance.now() - startMs;
  expect(items.length).toBeLessThanOrEqual(1 + Math.ceil(elapsedMs / 250));
  expect(items.length).toBeLessThan(calls);
  expect(newestOf(items)).toEqual(
    new Map([
      ['acme api_calls', String(calls / 2)],
      ['globex api_calls', String(calls / 2)],
      ['acme storage', '7'],
    ]),
  );
});

it('tells one batch of many customers as one item', async () => {
  const rig = await openRig();
  const customers = Array.from({ length: 30 }, (_, i) => `customer ${i}`);
  for (const referenceId of customers) await register(rig, referenceId);
  const stream = await openLive(rig);
  await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(1);
  await consumeMany(
    rig,
    customers.map((referenceId) => ({ referenceId, featureKey: 'api_calls' })),
  );
  const { usages } = await stream.next();
  expect(usages.map(({ referenceId, used }) => `${referenceId}: ${used}`)).toEqual(customers.map((id) => `${id}: 1`));
});

it('is not for a customer', async () => {
  const rig = await openRig();
  await register(rig, 'acme');
  const stream = await openLive(rig, { key: await tokenOf(rig, 'acme') });
  await expect(stream.next()).rejects.toThrow('FORBIDDEN');
});

describePostgres('the feed of one gateway', () => {
  it('tells what another has counted', async () => {
    const { one, other } = await openPair();
    await register(one, 'acme');
    const stream = await openLive(other);
    await expect.poll(() => other.gateway.services.streams.openStreams).toBe(1);
    await consume(one, 'acme', 'api_calls', { amount: 3 });
    const { usages } = await stream.next();
    expect(usages.map(({ feature, used }) => `${feature.key} ${used}`)).toEqual(['api_calls 3']); // what moved, alone
  });

  it('tells of every customer in a batch of another, however many', async () => {
    const { one, other } = await openPair();
    const customers = Array.from({ length: 200 }, (_, i) => `customer ${i}`);
    await Promise.all(customers.map((referenceId) => register(one, referenceId)));
    const stream = await openLive(other);
    await expect.poll(() => other.gateway.services.streams.openStreams).toBe(1);
    await consumeMany(
      one,
      customers.map((referenceId) => ({ referenceId, featureKey: 'storage', amount: 3 })),
    );
    const items: LiveItem[] = [];
    while (newestOf(items).size < customers.length) items.push(await stream.next());
    expect(newestOf(items)).toEqual(new Map(customers.map((referenceId) => [`${referenceId} storage`, '3'])));
  });
});
