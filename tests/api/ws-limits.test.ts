/** Goal: no client holds more of the WebSocket door than its share, and none holds it for nothing. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN_KEY, type TestGatewayOptions } from '../support/gateway.ts';
import type { WsClient } from '../support/ws-client.ts';
import { CONSUME, leavingNoTrace, makeToken, openRig, use, WATCH } from './rig.ts';

/** A gateway of its own for each test. */
const rigWith = (options: Pick<TestGatewayOptions, 'socketLimits'> = {}) => openRig(options);

const extensionsOf = ({ payload }: { readonly payload?: unknown }): unknown =>
  (payload as readonly { readonly extensions?: unknown }[])[0]?.extensions;

const subscribe = (client: WsClient, id: string) => client.subscribe(id, WATCH, { referenceId: 'acme' });

describe('operations of one socket', () => {
  it('are as many as it may have, also in one burst; the socket lives on', async () => {
    const rig = await rigWith({ socketLimits: { subscriptionsPerSocketMax: 3 } });
    const client = await rig.openWs(ADMIN_KEY);
    const ids = Array.from({ length: 20 }, (_, i) => `${i}`);
    for (const id of ids) subscribe(client, id);
    const first = await Promise.all(ids.map((id) => client.waitForMessage((message) => message.id === id)));
    expect(first.filter(({ type }) => type === 'next')).toHaveLength(3);
    const refused = first.filter(({ type }) => type === 'error');
    const why = { code: 'TOO_MANY_SUBSCRIPTIONS', retryable: true }; // as over HTTP
    expect(refused.map(extensionsOf)).toEqual(Array.from({ length: 17 }, () => why));
    expect(rig.gateway.services.streams.openStreams).toBe(3);
  });

  it('make room when they end, fail, or are refused', async () => {
    const rig = await rigWith({ socketLimits: { subscriptionsPerSocketMax: 2 } });
    const client = await rig.openWs(ADMIN_KEY);
    const ends = async (id: string, query: string, variables = {}) => {
      client.subscribe(id, query, variables);
      const last = await client.waitForMessage(({ type, id: of }) => of === id && type !== 'next');
      return last.type;
    };
    for (let i = 0; i < 5; i += 1) {
      expect(await ends(`query${i}`, '{ __typename }')).toBe('complete');
      expect(await ends(`mutation${i}`, CONSUME, use({ featureKey: 'nope' }))).toBe('complete');
      expect(await ends(`invalid${i}`, '{ nope }')).toBe('error');
      expect(await ends(`unparsed${i}`, '{')).toBe('error');
      expect(await ends(`unnamed${i}`, 'query A { __typename } query B { __typename }')).toBe('error');
      await ends(`failed${i}`, WATCH, { referenceId: 'nobody' });
      await ends(`cursor${i}`, WATCH, { referenceId: 'acme', after: 'nonsense' });
      subscribe(client, `stopped${i}`);
      await client.waitForNext(`stopped${i}`);
      client.send({ type: 'complete', id: `stopped${i}` });
      subscribe(client, `at once${i}`);
      client.send({ type: 'complete', id: `at once${i}` });
      await vi.waitUntil(() => rig.gateway.services.streams.openStreams === 0);
    }
    subscribe(client, 'a');
    subscribe(client, 'b');
    await Promise.all([client.waitForNext('a'), client.waitForNext('b')]);
  });
});

describe('sockets', () => {
  it('of one address are as many as they may be', async () => {
    const rig = await rigWith({ socketLimits: { socketsPerAddressMax: 2 } });
    const [first] = [await rig.openWs(), await rig.openWs()];
    await expect(rig.openWs()).rejects.toThrow('429');
    await first.close();
    await vi.waitUntil(async () => /^metergraph_open_sockets 1$/m.test(await rig.gateway.metrics.text()));
    await rig.openWs(ADMIN_KEY);
  });

  it('of one credential are as many as they may be; another has its own', async () => {
    const rig = await rigWith({ socketLimits: { socketsPerCredentialMax: 1 } });
    const first = await rig.openWs(ADMIN_KEY);
    const second = await rig.openWs();
    second.send({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } });
    expect(await second.waitForClose()).toMatchObject({ code: 4429 });
    await rig.openWs(await makeToken(rig));
    await first.close();
    const again = await rig.openWs(ADMIN_KEY);
    again.subscribe('1', '{ __typename }');
    expect(await again.waitForNext('1')).toEqual({ data: { __typename: 'Query' } });
  });

  it('that were told to go are heard no more, however long they stay', async () => {
    const rig = await rigWith({ socketLimits: { socketsPerCredentialMax: 0, closeMsMax: 700 } });
    const client = await rig.openWs();
    client.pause(); // it does not read the close frame, and so does not answer it
    await leavingNoTrace(rig, async () => {
      client.send({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } });
      const sender = setInterval(() => client.subscribe(randomUUID(), CONSUME, use()), 10);
      await vi.waitUntil(async () => /^metergraph_open_sockets 0$/m.test(await rig.gateway.metrics.text()), 8_000);
      clearInterval(sender);
    });
    client.terminate();
  });

  it('that nobody uses are closed; those with a subscription stay', async () => {
    const rig = await rigWith();
    const [idle, busy] = [await rig.openWs(ADMIN_KEY), await rig.openWs(ADMIN_KEY)];
    subscribe(busy, '1');
    await busy.waitForNext('1');
    rig.clock.advance(121_000);
    expect(await idle.waitForClose()).toEqual({ code: 1000, reason: 'Idle' });
    await rig.data(CONSUME, use());
    expect(await busy.waitForNext('1')).toMatchObject({ data: { usageChanged: { __typename: 'UsageDelta' } } });
  });

  it('of a peer that answers no ping are ended, and their streams with them', async () => {
    const rig = await rigWith({ socketLimits: { pingIntervalMs: 150 } });
    const [dead, alive] = [await rig.openWs(ADMIN_KEY), await rig.openWs(ADMIN_KEY)];
    subscribe(dead, '1');
    subscribe(alive, '1');
    await Promise.all([dead.waitForNext('1'), alive.waitForNext('1')]);
    dead.pause();
    await vi.waitUntil(() => rig.gateway.services.streams.openStreams === 1, 8_000);
    expect(alive.socket.readyState).toBe(WebSocket.OPEN);
    await rig.data(CONSUME, use());
    expect(await alive.waitForNext('1')).toMatchObject({ data: { usageChanged: { __typename: 'UsageDelta' } } });
    dead.terminate();
  });
});
