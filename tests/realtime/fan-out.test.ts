/**
 * Goal: who is told the same shares the work, and nothing else: not another's numbers, credential, resume point or end.
 * Method: subscribers on a real gateway, over both ways; how often a document was executed is read from `/metrics`.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { addTenant } from '../api/rig.ts';
import type { TestGateway } from '../support/gateway.ts';
import {
  consume,
  consumeMany,
  cursorOf,
  merge,
  openAlerts,
  openLive,
  openRig,
  openUsage,
  type Rig,
  register,
  type Shown,
  spellAlert,
  spellItem,
  tokenOf,
} from './rig.ts';

async function metric({ url }: TestGateway, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^metergraph_${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

/** How often documents are executed while this is done. */
async function executionsOf(rig: Rig, work: () => Promise<unknown>): Promise<number> {
  const before = await metric(rig, 'subscription_executions_total');
  await work();
  return (await metric(rig, 'subscription_executions_total')) - before;
}

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
  for (const referenceId of ['acme', 'globex']) await register(rig, referenceId);
});

describe('one commit', () => {
  it('is executed once for all who see alike, over WebSocket and SSE, wherever they have resumed', async () => {
    const { usage } = await consume(rig, 'acme', 'exports');
    const ways = ['WebSocket', 'WebSocket', 'SSE', 'SSE'] as const;
    const streams = await Promise.all(
      ways.map(async (way, i) => {
        const after = i % 2 ? { after: usage.cursor } : {};
        return openUsage(rig, after, { way, key: await tokenOf(rig, 'acme') }); // a token each, as browsers have
      }),
    );
    await Promise.all([streams[0]?.next(), streams[2]?.next()]); // those who resume have missed nothing
    await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(4);
    await expect.poll(() => metric(rig, 'subscription_audiences')).toBe(1);
    const pushesBefore = await metric(rig, 'subscription_pushes_total');
    const executions = await executionsOf(rig, async () => {
      await consume(rig, 'acme', 'api_calls', { amount: 2 });
      const items = await Promise.all(streams.map((stream) => stream.next()));
      expect(items.map(spellItem)).toEqual(Array(4).fill('api_calls 2/∞'));
      expect(new Set(items.map(cursorOf)).size).toBe(1);
    });
    expect(executions).toBe(1);
    expect((await metric(rig, 'subscription_pushes_total')) - pushesBefore).toBe(4);
  });

  it('is executed once for all who watch everything', async () => {
    const streams = await Promise.all([openLive(rig), openLive(rig), openLive(rig, { way: 'SSE' })]);
    await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(3);
    const executions = await executionsOf(rig, async () => {
      await consume(rig, 'acme', 'api_calls');
      const items = await Promise.all(streams.map((stream) => stream.next()));
      expect(new Set(items.map((item) => JSON.stringify(item))).size).toBe(1);
    });
    expect(executions).toBe(1);
  });

  it('of one tenant, customer or feature reaches no other', async () => {
    const stranger = await addTenant(rig);
    const theirs = { ...rig, ...rig.as(stranger.key) };
    await register(theirs, 'acme'); // the same name, another customer
    const some = await tokenOf(rig, 'acme', { featureKeys: ['storage'] });
    const streams = {
      acme: await openUsage(rig, {}, { key: await tokenOf(rig, 'acme') }),
      'acme, storage': await openUsage(rig, {}, { key: some }),
      globex: await openUsage(rig, {}, { key: await tokenOf(rig, 'globex') }),
      'acme of another': await openUsage(theirs, { referenceId: 'acme' }, { key: stranger.key }),
      'acme, by key': await openUsage(rig, { referenceId: 'acme' }),
    };
    const heard: Record<string, string[]> = {};
    for (const stream of Object.values(streams)) await stream.next();
    expect(await metric(rig, 'subscription_audiences')).toBe(5);
    await consume(rig, 'acme', 'api_calls', { amount: 7 });
    await consume(theirs, 'acme', 'storage', { amount: 3 });
    await consume(rig, 'globex', 'storage', { amount: 4 });
    await consume(rig, 'acme', 'storage', { amount: 5 });
    for (const [name, stream] of Object.entries(streams)) {
      heard[name] = [];
      while (!heard[name].at(-1)?.startsWith('storage')) heard[name].push(spellItem(await stream.next()));
    }
    expect(heard).toEqual({
      acme: ['api_calls 7/∞', 'storage 5/100'],
      'acme, storage': ['storage 5/100'],
      globex: ['storage 4/100'],
      'acme of another': ['storage 3/100'],
      'acme, by key': ['api_calls 7/∞', 'storage 5/100'],
    });
  });
});

describe('of several who share', () => {
  it('each is closed when its own token expires, and the others go on', async () => {
    const [early, late] = [await tokenOf(rig, 'acme', { ttlSeconds: 60 }), await tokenOf(rig, 'acme')];
    const sockets = await Promise.all([early, late].map((token) => rig.openWs(token)));
    for (const socket of sockets) socket.subscribe('1', 'subscription { usageChanged { __typename } }');
    await Promise.all(sockets.map((socket) => socket.waitForNext('1')));
    expect(await metric(rig, 'subscription_audiences')).toBe(1);
    rig.clock.advance(61_000);
    expect((await sockets[0]?.waitForClose())?.code).toBe(4403);
    await consume(rig, 'acme', 'storage');
    expect(await sockets[1]?.waitForNext('1')).toEqual({ data: { usageChanged: { __typename: 'UsageDelta' } } });
    rig.clock.advance(900_000);
    expect((await sockets[1]?.waitForClose())?.code).toBe(4403);
    await expect.poll(() => metric(rig, 'subscription_audiences')).toBe(0);
  });

  it('the last to leave frees what they shared, however it goes', async () => {
    const key = await tokenOf(rig, 'acme');
    const streams = [
      await openUsage(rig, {}, { key }),
      await openUsage(rig, {}, { key, way: 'SSE' }),
      await openLive(rig),
      await openLive(rig, { way: 'SSE' }),
    ];
    const counts = () => Promise.all(['subscription_audiences', 'watched_topics'].map((name) => metric(rig, name)));
    await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(4);
    await expect.poll(counts).toEqual([2, 2]);
    for (const stream of streams.slice(0, 3)) stream.leave();
    await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(1);
    await expect.poll(counts).toEqual([1, 1]);
    streams[3]?.cut();
    await expect.poll(counts).toEqual([0, 0]);
  });

  it('whoever asks for what it may not is refused, and leaves nothing behind', async () => {
    const allowed = await openUsage(rig, { referenceId: 'acme' });
    await allowed.next();
    const refused = await openUsage(rig, { referenceId: 'acme', featureKeys: ['none'] });
    await expect(refused.next()).rejects.toThrow('FEATURE_NOT_FOUND');
    const lost = await openUsage(rig, { referenceId: 'acme', after: 'nonsense' });
    await expect(lost.next()).rejects.toThrow('INVALID_CURSOR');
    await consume(rig, 'acme', 'storage');
    expect(spellItem(await allowed.next())).toBe('storage 1/100');
    await expect.poll(() => metric(rig, 'subscription_audiences')).toBe(1);
  });
});

it('a meter that moves all the time is told ten times a second at most, the newest last, and alerts at once', async () => {
  const usage = await openUsage(rig, { referenceId: 'acme' });
  const alerts = await openAlerts(rig, { referenceId: 'acme' });
  let shown: ReadonlyMap<string, Shown> = merge(new Map(), await usage.next());
  await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(2);
  const beganMs = performance.now();
  let calls = 0;
  for (; performance.now() - beganMs < 1_500 || calls < 15; calls += 1) {
    await consumeMany(rig, [{ referenceId: 'acme', featureKey: 'api_calls' }]);
  }
  await consume(rig, 'acme', 'storage', { amount: 80 });
  expect(spellAlert(await alerts.next())).toBe('acme storage fraction 0.8');
  let items = 0;
  for (; shown.get('api_calls')?.used !== String(calls) || shown.get('storage')?.used !== '80'; items += 1) {
    shown = merge(shown, await usage.next());
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  expect(items).toBeLessThanOrEqual(Math.ceil(seconds) * 10 + 1); // and the storage
  expect(items).toBeLessThan(calls);
}, 120_000); // as many calls as it takes, also on a machine that is busy with others
