import { describe, expect, it } from 'vitest';
import { anAlert, aUsage } from './testing/gateway.ts';
import { gatewayOf, listenTo, ways } from './testing/peers.ts';
import { recorder, recording } from './testing/recorder.ts';

/** Goal: never a gap, never a double, whatever happens to the wire. Method: a real gateway that is cut and silenced. */

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
    expect(entries.filter((entry) => entry.length === 1)).toEqual(['a', 'b']);
  });

  it.each([
    ['when there was none before', []],
    ['when there were some', ['x', 'y']],
  ])('misses no first alert while cut off, %s', async (_when, before) => {
    const gateway = await gatewayOf();
    for (const id of before) gateway.publish('alert', anAlert(id));
    const { told, entries, handlers } = recording();
    listenTo(gateway, way).onAlert({}, handlers);
    await gateway.state.asked('alert');
    gateway.cut();
    const missed = Array.from({ length: 120 }, (_, i) => `alert ${i}`);
    for (const id of missed) gateway.publish('alert', anAlert(id));
    await told('alert 119');
    expect(entries.filter((entry) => !/^(connecting|live|reconnecting|error .*)$/.test(entry))).toEqual(missed);
  });

  it('asks again where to begin after an error that passes', async () => {
    const gateway = await gatewayOf();
    gateway.publish('alert', anAlert('x'));
    gateway.state.refusals.push({ code: 'OVERLOADED', retryable: true });
    const { told, entries, handlers } = recording();
    listenTo(gateway, way).onAlert({}, handlers);
    await gateway.state.asked('alert');
    expect(entries).toContain('error OVERLOADED (goes on)');
    expect(gateway.state.openings).toEqual([{ topic: 'alert', after: '1' }]);
    gateway.publish('alert', anAlert('a'));
    await told('a');
  });

  it('ends with what is wrong with it before it begins', async () => {
    const gateway = await gatewayOf();
    gateway.state.refusals.push({ code: 'FORBIDDEN' });
    const { told, entries, handlers } = recording();
    listenTo(gateway, way).onAlert({}, handlers);
    await told('closed');
    expect(entries).toEqual(['connecting', 'error FORBIDDEN', 'closed']);
    expect(gateway.state.openings).toEqual([]);
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
