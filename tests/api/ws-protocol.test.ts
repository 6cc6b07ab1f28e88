/** Goal: the WebSocket door keeps to graphql-transport-ws, whatever comes, and each end has its code. */
import { connect } from 'node:net';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN_KEY } from '../support/gateway.ts';
import { CONSUME, makeKey, makeToken, openRig, type Rig, revokeKey, use, WATCH } from './rig.ts';

const LISTED = 'https://app.example';
const SECRETLESS = ADMIN_KEY.replace(/.$/, 'x');

let rig: Rig;

beforeAll(async () => {
  rig = await openRig({ corsOrigins: [LISTED], socketLimits: { initMsMax: 300 } });
});

describe('what is no protocol of ours', () => {
  it.each([
    ['no subprotocol', undefined],
    ['another subprotocol', 'graphql-ws'],
  ])('%s: 4406, or no handshake', async (_, protocol) => {
    const socket = new WebSocket(rig.graphqlUrl.replace('http', 'ws'), protocol);
    const code = await new Promise((resolve) => {
      socket.on('error', () => resolve('no handshake')); // the client's own refusal of a server that chose no protocol
      socket.on('close', (closeCode) => resolve(closeCode));
    });
    expect([4406, 'no handshake']).toContain(code);
  });

  it('no init in time: 4408', async () => {
    const client = await rig.openWs();
    expect(await client.waitForClose()).toMatchObject({ code: 4408 });
  });

  it.each<[what: string, messages: readonly (string | Buffer | Record<string, unknown>)[], code: number]>([
    ['a second init', [{ type: 'connection_init' }], 4429],
    ['no JSON', ['not json'], 4400],
    ['JSON that is no message', ['[]'], 4400],
    ['null', ['null'], 4400],
    ['bytes that are no text', [Buffer.from([0xff, 0xfe])], 4400],
    ['an unknown type', [{ type: 'start', id: '1', payload: {} }], 4400],
    ['what only a server says', [{ type: 'connection_ack' }], 4400],
    ['a next from a client', [{ type: 'next', id: '1', payload: { data: {} } }], 4400],
    ['a subscribe without an id', [{ type: 'subscribe', payload: { query: '{ __typename }' } }], 4400],
    ['a subscribe without a query', [{ type: 'subscribe', id: '1', payload: {} }], 4400],
    ['a query that is no text', [{ type: 'subscribe', id: '1', payload: { query: 1 } }], 4400],
    ['the same id twice', [watch('1'), watch('1')], 4409],
    ['a frame of more than 256 KiB', [JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(262_144) } })], 1009],
  ])('%s ends the socket', async (_, messages, code) => {
    const client = await rig.openWs(ADMIN_KEY);
    for (const message of messages) {
      client.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
    }
    expect(await client.waitForClose()).toMatchObject({ code });
  });

  it('an operation before the init: 4401', async () => {
    const client = await rig.openWs();
    client.subscribe('1', '{ __typename }');
    expect(await client.waitForClose()).toMatchObject({ code: 4401 });
  });

  it('the socket of another client hears nothing of all that', async () => {
    const [good, bad] = [await rig.openWs(ADMIN_KEY), await rig.openWs(ADMIN_KEY)];
    bad.send('not json');
    await bad.waitForClose();
    good.subscribe('1', '{ __typename }');
    expect(await good.waitForNext('1')).toEqual({ data: { __typename: 'Query' } });
    await good.close();
  });
});

describe('who asks', () => {
  it.each<[what: string, authorization: unknown]>([
    ['an unknown key', `Bearer mg_live_Nobody00_${'0'.repeat(32)}`],
    ['a wrong secret', `Bearer ${SECRETLESS}`],
    ['no scheme', ADMIN_KEY],
    ['another scheme', `Basic ${ADMIN_KEY}`],
    ['a forged token', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhY21lIn0.'],
    ['a number', 5],
    ['an object', { toString: 'x' }],
    ['a list', ['Bearer', ADMIN_KEY]],
  ])('%s: 4401', async (_, authorization) => {
    const client = await rig.openWs();
    client.send({ type: 'connection_init', payload: { authorization } });
    expect(await client.waitForClose()).toMatchObject({ code: 4401 });
  });

  it('nobody may connect, and is told what to send', async () => {
    const client = await rig.openWs();
    await client.init();
    client.subscribe('1', WATCH, { referenceId: 'acme' });
    const answer = await client.waitForMessage((message) => message.id === '1');
    expect(JSON.stringify(answer)).toMatch(/UNAUTHENTICATED/);
    await client.close();
  });

  it('an expired token at connect: 4403, so that the client comes back with another', async () => {
    const token = await makeToken(rig);
    rig.clock.advance(901_000);
    const client = await rig.openWs();
    client.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    expect(await client.waitForClose()).toEqual({ code: 4403, reason: 'Token expired' });
  });

  it('a token that expires in the middle: 4403', async () => {
    const token = await makeToken(rig, { ttlSeconds: 60 });
    const client = await rig.openWs(token);
    client.subscribe('1', WATCH);
    expect(await client.waitForNext('1')).toMatchObject({ data: { usageChanged: { __typename: 'UsageSnapshot' } } });
    rig.clock.advance(59_000);
    await rig.data(CONSUME, use());
    expect(await client.waitForNext('1')).toMatchObject({ data: { usageChanged: { __typename: 'UsageDelta' } } });
    rig.clock.advance(1_000);
    expect(await client.waitForClose()).toEqual({ code: 4403, reason: 'Token expired' });
  });

  it('a key that expires in the middle: 4403', async () => {
    const { secret } = await makeKey(rig, ['read'], rig.clock.now() + 60_000);
    const client = await rig.openWs(secret);
    rig.clock.advance(60_000);
    expect(await client.waitForClose()).toMatchObject({ code: 4403 });
  });

  it('a key that is revoked: 4403 within 10 s, and others stay', async () => {
    const [gone, stays] = [await makeKey(rig, ['read']), await makeKey(rig, ['read'])];
    const [client, other] = [await rig.openWs(gone.secret), await rig.openWs(stays.secret)];
    await revokeKey(rig, gone.keyId);
    rig.clock.advance(10_000);
    expect(await client.waitForClose()).toEqual({ code: 4403, reason: 'API key revoked' });
    other.subscribe('1', '{ viewer { apiKey { keyId } } }');
    expect(await other.waitForNext('1')).toEqual({ data: { viewer: { apiKey: { keyId: stays.keyId } } } });
    await other.close();
  });

  it('whoever was told to go and stays is cut off', async () => {
    const { secret, keyId } = await makeKey(rig, ['read']);
    const client = await rig.openWs(secret);
    client.subscribe('1', WATCH, { referenceId: 'acme' });
    await client.waitForNext('1');
    client.pause(); // it does not read the close frame, and so never answers it
    await revokeKey(rig, keyId);
    rig.clock.advance(10_000);
    await vi.waitUntil(() => rig.gateway.services.streams.openStreams === 0, { timeout: 8_000 });
    client.terminate();
  });
});

describe('an operation over a socket', () => {
  it.each<[what: string, query: string, variables: Record<string, unknown>]>([
    ['a query', '{ viewer { tenant { name } } }', {}],
    ['a query that fails in part', '{ usage(referenceId: "nobody", featureKey: "api_calls") { used } }', {}],
    ['a mutation that is refused', CONSUME, use({ featureKey: 'api_cals' })],
    ['a mutation that does not fit', CONSUME, use({ amount: 'NaN' })],
  ])('%s is answered as over HTTP', async (_, query, variables) => {
    const client = await rig.openWs(ADMIN_KEY);
    client.subscribe('1', query, variables);
    const { text } = await rig.post(query, variables);
    expect(await client.waitForNext('1')).toEqual(JSON.parse(text));
    await client.waitForMessage('complete');
    await client.close();
  });

  it.each<[what: string, query: string, variables: Record<string, unknown>]>([
    ['an unknown field', '{ nope }', {}],
    ['a document that does not parse', '{ viewer', {}],
    ['a variable that does not fit', CONSUME, { input: { referenceId: 5 } }],
    ['101 aliases', `{ ${Array.from({ length: 101 }, (__, i) => `a${i}: __typename`).join(' ')} }`, {}],
    ['two operations', 'query A { __typename } query B { __typename }', {}],
  ])('%s is refused in the same words', async (_, query, variables) => {
    const client = await rig.openWs(ADMIN_KEY);
    client.subscribe('1', query, variables);
    const message = await client.waitForMessage(({ id }) => id === '1');
    const errors = message.type === 'error' ? message.payload : (message.payload as { errors: unknown }).errors;
    const { errors: overHttp } = await rig.post(query, variables);
    expect(errors).toEqual(overHttp);
    expect(JSON.stringify(message)).not.toContain('"http"');
    client.subscribe('2', '{ __typename }');
    expect(await client.waitForNext('2')).toEqual({ data: { __typename: 'Query' } });
    await client.close();
  });

  it('that may not be done says so as over HTTP', async () => {
    const token = await makeToken(rig);
    const client = await rig.openWs(token);
    client.subscribe('1', CONSUME, use());
    const { text } = await rig.as(token).post(CONSUME, use());
    expect(await client.waitForNext('1')).toEqual(JSON.parse(text));
    await client.close();
  });

  it('counts, and its consequence is heard on the same socket', async () => {
    const client = await rig.openWs(ADMIN_KEY);
    client.subscribe('watch', WATCH, { referenceId: 'other' });
    await client.waitForNext('watch');
    client.subscribe('use', CONSUME, use({ referenceId: 'other' }));
    expect(await client.waitForNext('use')).toMatchObject({ data: { consume: { allowed: true } } });
    expect(await client.waitForNext('watch')).toMatchObject({ data: { usageChanged: { __typename: 'UsageDelta' } } });
    client.send({ type: 'complete', id: 'watch' });
    await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(0);
    await client.close();
  });

  it('ends with its socket, however that ends', async () => {
    const client = await rig.openWs(ADMIN_KEY);
    for (const id of ['1', '2', '3']) client.subscribe(id, WATCH, { referenceId: 'acme' });
    await Promise.all(['1', '2', '3'].map((id) => client.waitForNext(id)));
    expect(rig.gateway.services.streams.openStreams).toBe(3);
    client.terminate();
    await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(0);
  });

  it('a ping is answered', async () => {
    const client = await rig.openWs(ADMIN_KEY);
    client.send({ type: 'ping', payload: { n: 1 } } as never); // the protocol lets pings carry anything
    expect(await client.waitForMessage('pong')).toEqual({ type: 'pong', payload: { n: 1 } });
    await client.close();
  });
});

describe('an upgrade', () => {
  const handshake = (headers: string, path = '/graphql') =>
    `GET ${path} HTTP/1.1\r\nHost: ${new URL(rig.url).host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n${headers}\r\n`;

  it.each(['https://evil.example', 'null', 'not an origin', 'https://app.example.evil.example'])(
    'from %s, which is not listed, is refused',
    async (origin) => {
      await expect(rig.openWs(undefined, { headers: { origin } })).rejects.toThrow('403');
    },
  );

  it.each([LISTED, 'our own'])('from %s is let in', async (origin) => {
    const client = await rig.openWs(ADMIN_KEY, { headers: { origin: origin === LISTED ? LISTED : rig.url } });
    await client.close();
  });

  it('elsewhere is refused with 404', async () => {
    expect(await answerTo(rig, handshake('', '/elsewhere'))).toMatch(/^HTTP\/1.1 404 /);
  });

  it('by a peer that vanishes at once harms nobody', async () => {
    const { port } = new URL(rig.url);
    for (const text of [handshake('Origin: https://evil.example\r\n'), handshake('', '/elsewhere'), handshake('')]) {
      for (let i = 0; i < 20; i += 1) {
        await new Promise<void>((resolve) => {
          const socket = connect(Number(port), '127.0.0.1', () => socket.write(text, () => socket.resetAndDestroy()));
          socket.on('error', () => {});
          socket.on('close', () => resolve());
        });
      }
    }
    expect(await rig.data('{ __typename }')).toEqual({ __typename: 'Query' });
    await expect.poll(() => rig.gateway.metrics.text()).toMatch(/^metergraph_open_sockets 0$/m);
  });
});

function answerTo({ url }: Rig, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    socket.once('data', (data) => {
      resolve(String(data));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

function watch(id: string) {
  return { type: 'subscribe', id, payload: { query: WATCH, variables: { referenceId: 'acme' } } };
}
