import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createMetergraphRealtime } from './realtime.ts';
import { aUsage } from './testing/gateway.ts';
import { heldClock } from './testing/held-clock.ts';
import { afterTest, gatewayOf, listenTo, ways } from './testing/peers.ts';
import { recording } from './testing/recorder.ts';

/** Goal: one connection that comes back by itself, by one hand. Method: a real gateway that is cut and silenced. */
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
    afterTest(() => vi.unstubAllGlobals());
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

  it('stops listening to the window it listened to, also when that is the global window no more', async () => {
    const browser = new EventTarget();
    const stopped = vi.spyOn(browser, 'removeEventListener');
    vi.stubGlobal('window', browser);
    afterTest(() => vi.unstubAllGlobals());
    const gateway = await gatewayOf();
    const { told, handlers } = recording();
    const live = listenTo(gateway);
    live.onUsage({}, handlers);
    await told('live');
    vi.unstubAllGlobals();
    live.close();
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledWith('online', expect.any(Function)));
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

  it('survives a getToken that hangs', async () => {
    const gateway = await gatewayOf();
    const { clock, held } = heldClock((ms) => ms === 8_000);
    let asked = 0;
    const { told, entries, handlers } = recording();
    const getToken = () => (++asked === 1 ? new Promise<string>(() => {}) : 'token');
    listenTo(gateway, { clock, getToken }).onUsage({}, handlers);
    (await held(1))();
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
    afterTest(() => realtime.close());
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
