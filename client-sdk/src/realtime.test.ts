import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createMetergraphRealtime, type MetergraphRealtime } from './realtime.ts';
import { anAlert, aUsage, type GatewayOptions, startGateway, type TestGateway } from './testing/gateway.ts';
import { heldClock } from './testing/held-clock.ts';
import { type Recorder, recorder, recording } from './testing/recorder.ts';
import type { RealtimeOptions } from './types.ts';

/** Goal: never a gap, never a double, whatever happens to the wire. Method: a real gateway that is cut and silenced. */
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function gatewayOf(options?: GatewayOptions): Promise<TestGateway> {
  const gateway = await startGateway(options);
  cleanups.push(() => gateway.stop());
  return gateway;
}

/** Waits between tries are none: `random` is 0. */
function listenTo({ url }: TestGateway, options: Partial<RealtimeOptions> = {}): MetergraphRealtime {
  const credentials = options.getToken ? { getToken: options.getToken } : { apiKey: 'mg_test' };
  const { apiKey: _, getToken: __, ...rest } = options;
  const realtime = createMetergraphRealtime({
    url,
    random: () => 0,
    webSocketImpl: WebSocket,
    ...rest,
    ...credentials,
  });
  cleanups.push(() => realtime.close());
  return realtime;
}

const ways = [
  ['WebSocket', {}],
  ['server-sent events', { webSocketImpl: null }],
] as const;

/** Tells `answered` when the client has heard the answer to a query, as opposed to items of a stream. */
function watching(way: { webSocketImpl?: null }, { push }: Recorder): Partial<RealtimeOptions> {
  if (way.webSocketImpl === null) {
    return {
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        const transform = (chunk: Uint8Array, out: TransformStreamDefaultController<Uint8Array>) => {
          if (new TextDecoder().decode(chunk).includes('event: complete')) push('answered');
          out.enqueue(chunk);
        };
        return new Response(response.body?.pipeThrough(new TransformStream({ transform })) ?? null, response);
      },
    };
  }
  const construct = (target: typeof WebSocket, [url, protocols]: [string, string[]]) =>
    new target(url, protocols).on('message', (data) => String(data).includes('"alerts"') && push('answered'));
  return { webSocketImpl: new Proxy(WebSocket, { construct }) };
}

describe.each(ways)('onUsage over %s', (_, way) => {
  it('tells the snapshot, then each change', async () => {
    const gateway = await gatewayOf();
    gateway.publish('usage', aUsage('api_calls', '1'));
    const { told, entries, handlers } = recording();
    listenTo(gateway, way).onUsage({}, handlers);
    await told('api_calls=1');
    gateway.publish('usage', aUsage('storage', '5'));
    await told('api_calls=1 storage=5');
    expect(entries).toEqual(['connecting', 'live', 'api_calls=1', 'api_calls=1 storage=5']);
  });

  it('resumes with the newest cursor after a cut, and misses nothing', async () => {
    const gateway = await gatewayOf();
    gateway.publish('usage', aUsage('api_calls', '1'));
    const { told, entries, handlers } = recording();
    listenTo(gateway, way).onUsage({}, handlers);
    await told('api_calls=1');
    gateway.publish('usage', aUsage('api_calls', '2'));
    await told('api_calls=2');
    gateway.cut();
    gateway.publish('usage', aUsage('storage', '7'));
    await told('api_calls=2 storage=7');
    gateway.cut();
    gateway.publish('usage', aUsage('api_calls', '3'));
    await told('api_calls=3 storage=7');
    expect(gateway.state.openings.map(({ after }) => after ?? 'start')).toEqual(['start', '2', '3']);
    expect(entries.filter((entry) => entry.startsWith('api_calls'))).toHaveLength(4);
    expect(entries.filter((entry) => entry === 'reconnecting' || entry === 'live')).toEqual(
      ['live', 'reconnecting', 'live', 'reconnecting', 'live'], // in turns
    );
  });

  it('drops what it knows when its cursor has expired', async () => {
    const gateway = await gatewayOf();
    gateway.publish('usage', aUsage('api_calls', '1'));
    const { told, entries, handlers } = recording();
    listenTo(gateway, way).onUsage({}, handlers);
    await told('api_calls=1');
    gateway.state.log.length = 0;
    gateway.state.log.push({ topic: 'usage', item: aUsage('storage', '9') });
    gateway.publish('usage', 'expired');
    await told('storage=9');
    expect(entries).toEqual(['connecting', 'live', 'api_calls=1', 'storage=9']);
  });

  it('asks for a new token when the old one was refused', async () => {
    const gateway = await gatewayOf();
    gateway.accepted.add('Bearer token 2');
    let asked = 0;
    const { told, entries, handlers } = recording();
    listenTo(gateway, { ...way, getToken: () => `token ${++asked}` }).onUsage({}, handlers);
    await told('live');
    expect(entries).not.toContain('error UNAUTHENTICATED (goes on)'); // a token that runs out is no failure
    expect(asked).toBe(2);
  });

  it('gives up on a credential that is refused again and again', async () => {
    const gateway = await gatewayOf();
    gateway.accepted.add('Bearer of another');
    const { told, entries, handlers } = recording();
    listenTo(gateway, way).onUsage({}, handlers);
    await told('closed');
    expect(entries.slice(-2)).toEqual(['error UNAUTHENTICATED', 'closed']);
    expect(gateway.credentials).toHaveLength(3);
  });

  it('ends with what is wrong with it, and leaves the others alone', async () => {
    const gateway = await gatewayOf();
    const realtime = listenTo(gateway, way);
    const good = recording();
    realtime.onUsage({}, good.handlers);
    await good.told('live');
    await gateway.state.asked('usage');
    gateway.state.refusals.push({ code: 'CUSTOMER_NOT_FOUND' });
    const bad = recording();
    realtime.onUsage({ referenceId: 'nobody' }, bad.handlers);
    await bad.told('closed');
    expect(bad.entries).toContain('error CUSTOMER_NOT_FOUND');
    gateway.publish('usage', aUsage('api_calls', '1'));
    await good.told('api_calls=1');
    expect(good.entries).not.toContain('reconnecting');
  });

  it('goes on by itself after an error that passes', async () => {
    const gateway = await gatewayOf();
    gateway.state.refusals.push({ code: 'OVERLOADED', retryable: true }, { code: 'INTERNAL_SERVER_ERROR' });
    const { told, handlers } = recording();
    listenTo(gateway, way).onUsage({}, handlers);
    gateway.publish('usage', aUsage('api_calls', '1'));
    await told('api_calls=1');
  });

  it('says nothing more once unsubscribed', async () => {
    const gateway = await gatewayOf();
    const realtime = listenTo(gateway, way);
    const [gone, staying] = [recording(), recording()];
    const stop = realtime.onUsage({}, gone.handlers);
    realtime.onUsage({}, staying.handlers);
    await Promise.all([gone.told('live'), staying.told('live')]);
    gateway.publish('usage', aUsage('api_calls', '1'));
    await gone.told('api_calls=1');
    stop();
    stop();
    gateway.publish('usage', aUsage('api_calls', '2'));
    await staying.told('api_calls=2');
    expect(gone.entries.at(-1)).toBe('api_calls=1');
  });

  it('says nothing more once unsubscribed by one of its own handlers', async () => {
    const gateway = await gatewayOf();
    const { told, entries, handlers } = recording();
    const stop = listenTo(gateway, way).onUsage(
      {},
      {
        ...handlers,
        onStatus: (status) => {
          handlers.onStatus(status);
          if (status === 'reconnecting') stop();
        },
      },
    );
    await told('');
    gateway.cut();
    await told('reconnecting');
    expect(entries.at(-1)).toBe('reconnecting');
  });

  it('close ends everything, and what comes later is closed from the start', async () => {
    const gateway = await gatewayOf();
    const realtime = listenTo(gateway, way);
    const [first, late] = [recording(), recording()];
    realtime.onUsage({}, first.handlers);
    await first.told('live');
    realtime.close();
    realtime.onUsage({}, late.handlers);
    expect([first.entries.at(-1), late.entries]).toEqual(['closed', ['connecting', 'closed']]);
  });
});

describe.each(ways)('onAlert over %s', (_, way) => {
  it('tells every alert once, also those raised while cut off', async () => {
    const gateway = await gatewayOf();
    const { told, entries, handlers } = recording();
    listenTo(gateway, way).onAlert({ after: '0' }, handlers);
    gateway.publish('alert', anAlert('a'));
    await told('a');
    gateway.cut();
    gateway.publish('alert', anAlert('b'));
    await told('b');
    expect(gateway.state.openings.map(({ after }) => after)).toEqual(['0', '1']);
    gateway.publish('alert', anAlert('b')); // told twice by the gateway
    gateway.publish('alert', anAlert('c'));
    await told('c');
    expect(entries.filter((entry) => entry.length === 1)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['when there was none before', []],
    ['when there were some', ['x', 'y']],
  ])('misses no first alert while cut off, %s', async (_when, before) => {
    const gateway = await gatewayOf();
    for (const id of before) gateway.publish('alert', anAlert(id));
    const { told, entries, handlers } = recording();
    const seen = recorder();
    listenTo(gateway, { ...way, ...watching(way, seen) }).onAlert({}, handlers);
    await seen.told('answered');
    gateway.cut();
    gateway.publish('alert', anAlert('a'));
    gateway.publish('alert', anAlert('b'));
    await told('b');
    expect(entries.filter((entry) => entry.length === 1)).toEqual(['a', 'b']);
  });

  it('tells of a gap', async () => {
    const gateway = await gatewayOf();
    const { told, handlers } = recording();
    listenTo(gateway, way).onAlert({ after: '0' }, handlers);
    gateway.publish('alert', 'expired');
    await told('gap: too old');
    gateway.publish('alert', anAlert('a'));
    await told('a');
  });
});

describe('onLiveUsage', () => {
  it('tells what the tenant does', async () => {
    const gateway = await gatewayOf();
    const live = recorder();
    listenTo(gateway).onLiveUsage({
      onStatus: live.push,
      onUsage: ({ usages }) => live.push(usages.map(({ used }) => used).join()),
    });
    await live.told('live');
    await gateway.state.asked('live');
    gateway.publish('live', aUsage('api_calls', '4'));
    await live.told('4');
  });
});

describe('the connection', () => {
  it('is one socket for all, opened with the first and closed after the last', async () => {
    const gateway = await gatewayOf();
    const realtime = listenTo(gateway, { lingerMs: 0 });
    expect(gateway.credentials).toEqual([]);
    const meters = Array.from({ length: 5 }, () => recording());
    const stops = meters.map(({ handlers }) => realtime.onUsage({}, handlers));
    await Promise.all(meters.map(({ told }) => told('live')));
    expect(gateway.credentials).toHaveLength(1);
    const gone = gateway.socketGone();
    for (const stop of stops) stop();
    await gone;
    expect(gateway.openSockets()).toBe(0);
  });

  it('is kept for who comes back in time', async () => {
    const gateway = await gatewayOf();
    const { clock, held } = heldClock((ms) => ms === 7);
    const realtime = listenTo(gateway, { clock, lingerMs: 7 });
    const [first, second] = [recording(), recording()];
    const stop = realtime.onUsage({}, first.handlers);
    await first.told('live');
    stop();
    const timeIsUp = await held(1);
    realtime.onUsage({}, second.handlers);
    timeIsUp();
    await second.told('live');
    gateway.publish('usage', aUsage('api_calls', '1'));
    await second.told('api_calls=1');
    expect([gateway.credentials.length, second.entries.includes('reconnecting')]).toEqual([1, false]);
  });

  it('opens a stream once, when it and its link failed at the same time', async () => {
    const gateway = await gatewayOf();
    gateway.state.refusals.push({ code: 'OVERLOADED', retryable: true });
    const { clock, held } = heldClock((ms) => ms === 0);
    const { told, handlers } = recording();
    listenTo(gateway, { clock }).onUsage({}, handlers);
    const streamAgain = await held(1);
    gateway.cut();
    const linkAgain = await held(2);
    linkAgain();
    await told('live', 2);
    streamAgain();
    gateway.publish('usage', aUsage('api_calls', '1'));
    await told('api_calls=1');
    expect(gateway.state.openings).toHaveLength(2);
  });

  it('is tried at once when the browser is online again', async () => {
    const browser = new EventTarget();
    vi.stubGlobal('window', browser);
    cleanups.push(() => vi.unstubAllGlobals());
    const gateway = await gatewayOf();
    const { clock, held } = heldClock((ms) => ms === 0);
    const { told, handlers } = recording();
    listenTo(gateway, { clock }).onUsage({}, handlers);
    await told('live');
    gateway.cut();
    await held(1);
    browser.dispatchEvent(new Event('online'));
    await told('live', 2);
  });

  it('is given up when it is not made in time, and tried again', async () => {
    const gateway = await gatewayOf({ webSockets: 'ignore' });
    const { clock, held } = heldClock((ms) => ms === 10_000);
    const { told, handlers } = recording();
    listenTo(gateway, { clock }).onUsage({}, handlers);
    await gateway.upgrades.told('asked');
    (await held(2))(); // the first is for the token
    await told('error NETWORK (goes on)');
    await gateway.upgrades.told('asked', 2);
  });

  it('returns with a new token after 4403', async () => {
    const gateway = await gatewayOf();
    let asked = 0;
    const { told, entries, handlers } = recording();
    listenTo(gateway, { getToken: async () => `token ${++asked}` }).onUsage({}, handlers);
    await told('live');
    gateway.closeSockets(4403, 'token expired');
    await told('live', 2);
    expect(gateway.credentials).toEqual(['Bearer token 1', 'Bearer token 2']);
    expect(entries.filter((entry) => entry.startsWith('error'))).toEqual([]);
  });

  it.each([
    [1001, 'live'],
    [1012, 'live'],
    [4500, 'live'],
    [4400, 'closed'],
    [4429, 'closed'],
  ])('after %s is %s again', async (code, status) => {
    const gateway = await gatewayOf();
    const { told, handlers } = recording();
    listenTo(gateway).onUsage({}, handlers);
    await told('live');
    gateway.closeSockets(code, 'why');
    await told(status, status === 'live' ? 2 : 1);
  });

  it('notices that the other side has fallen silent', async () => {
    const gateway = await gatewayOf();
    const { told, handlers } = recording();
    listenTo(gateway, { heartbeatMs: 40 }).onUsage({}, handlers);
    await told('live');
    gateway.silence();
    await told('live', 2);
    expect(gateway.credentials).toHaveLength(2);
  });

  it('survives a getToken that fails', async () => {
    const gateway = await gatewayOf();
    let asked = 0;
    const { told, entries, handlers } = recording();
    const getToken = async () => {
      if (++asked < 6) throw new Error('offline');
      return 'token';
    };
    listenTo(gateway, { getToken }).onUsage({}, handlers);
    await told('live');
    expect(entries).toContain('error UNAUTHENTICATED (goes on)');
  });

  it('waits for a gateway that is not there yet', async () => {
    const gateway = await gatewayOf();
    const { told, handlers } = recording();
    let tries = 0;
    const late = new Proxy(WebSocket, {
      construct: (target, [url, protocols]: [string, string[]]) =>
        new target(++tries < 3 ? 'ws://127.0.0.1:9/' : url, protocols),
    });
    listenTo(gateway, { webSocketImpl: late }).onUsage({}, handlers);
    await told('live');
    expect([tries, gateway.openSockets()]).toEqual([3, 1]);
  });

  it('falls back to server-sent events where WebSockets are blocked, and stays with them', async () => {
    const gateway = await gatewayOf({ webSockets: 'refuse' });
    const { told, handlers } = recording();
    listenTo(gateway).onUsage({}, handlers);
    await told('live');
    gateway.cut();
    await told('live', 2);
    expect([gateway.upgrades.entries.length, gateway.credentials.length]).toEqual([3, 2]);
  });

  it('falls back to server-sent events where a WebSocket cannot even be made', async () => {
    const gateway = await gatewayOf();
    const { told, handlers } = recording();
    const construct = () => {
      throw new Error('insecure');
    };
    listenTo(gateway, { webSocketImpl: new Proxy(WebSocket, { construct }) }).onUsage({}, handlers);
    await told('live');
    expect(gateway.upgrades.entries).toEqual([]);
  });

  it('uses server-sent events in a Node without WebSocket', async () => {
    const gateway = await gatewayOf();
    const { told, handlers } = recording();
    const realtime = createMetergraphRealtime({ url: gateway.url, apiKey: 'mg_test' });
    cleanups.push(() => realtime.close());
    realtime.onUsage({}, handlers);
    await told('live');
    expect([typeof globalThis.WebSocket, gateway.openSockets()]).toEqual(['undefined', 0]);
  });

  it('leaves nothing behind on the gateway', async () => {
    const gateway = await gatewayOf();
    for (const [, way] of ways) {
      const realtime = listenTo(gateway, way);
      const { told, handlers } = recording();
      realtime.onUsage({}, handlers);
      await told('live');
      await gateway.state.activeIs(1);
      realtime.close();
      await gateway.state.activeIs(0);
    }
  });
});
