/** Goal: two subscriptions however many meters, nothing missed, nothing left behind. Method: a gateway moved by hand. */
import { MetergraphError } from '@metergraph/client-sdk';
import { describe, expect, it } from 'vitest';
import { createFeed } from './feed.ts';
import { initialState, type MeterEvent, type MeterState, reduce } from './state.ts';
import { HandRealtime } from './testing/hand-realtime.ts';

const storage = { key: 'storage', displayName: 'Storage', unit: 'GB' };

/** A meter that only remembers. */
function meter() {
  let state: MeterState = initialState;
  const listener = (event: MeterEvent): void => {
    state = reduce(state, event);
  };
  const spell = (): string =>
    `${state.connection} ${state.usage?.used ?? '-'} ${state.problem ?? 'well'} ${state.alerts.map(({ id }) => id).join()}`;
  return { listener, spell };
}

describe('feed', () => {
  it('is two subscriptions for any number of meters, and none after the last', () => {
    const gateway = new HandRealtime();
    const feed = createFeed(gateway, undefined);
    const [calls, again, gigabytes] = [meter(), meter(), meter()];
    const stops = [feed.listen('api_calls', calls.listener), feed.listen('storage', gigabytes.listener)];
    gateway.status('live');
    gateway.usages({ used: '7' }, { feature: storage, used: '2.5' });
    gateway.alert('a', '0.8');
    stops.push(feed.listen('api_calls', again.listener)); // late, and told all the same
    expect([calls.spell(), gigabytes.spell(), again.spell()]).toEqual([
      'live 7 well a',
      'live 2.5 well ',
      'live 7 well a',
    ]);
    expect([gateway.open, gateway.subscribed]).toEqual([2, 2]);
    for (const stop of stops) stop();
    for (const stop of stops) stop();
    expect(gateway.open).toBe(0);
  });

  it('tells a meter only of changes to its own feature', () => {
    const gateway = new HandRealtime();
    const heard: string[] = [];
    createFeed(gateway, undefined).listen('api_calls', ({ type }) => heard.push(type));
    gateway.usages({ used: '7' });
    gateway.alert('b', '0.8', { featureKey: 'storage' });
    expect(heard).toEqual(['connection', 'usage']);
  });

  it('starts again after the last meter has gone, and from the last alert it heard', () => {
    const gateway = new HandRealtime();
    const feed = createFeed(gateway, undefined);
    const stop = feed.listen('api_calls', meter().listener);
    gateway.alert('a', '0.8');
    stop();
    const second = meter();
    feed.listen('api_calls', second.listener);
    expect(gateway.alertsAfter).toEqual([undefined, 'after a']);
    expect(second.spell()).toBe('connecting - well a');
  });

  it.each([
    ['FEATURE_NOT_FOUND', 'absent'],
    ['UNAUTHENTICATED', 'denied'],
    ['FORBIDDEN', 'denied'],
    ['CUSTOMER_NOT_FOUND', 'denied'],
    ['INTERNAL', 'failed'],
  ])('%s, for good, is %s even over numbers', (code, problem) => {
    const gateway = new HandRealtime();
    const { listener, spell } = meter();
    createFeed(gateway, undefined).listen('api_calls', listener);
    gateway.status('live');
    gateway.usages({ used: '7' });
    gateway.fail(new MetergraphError(code, 'no'));
    gateway.status('closed');
    expect(spell()).toBe(`live - ${problem} `);
  });

  it('keeps a first hiccup to itself, tells the second, and comes back with the numbers', () => {
    const gateway = new HandRealtime();
    const { listener, spell } = meter();
    createFeed(gateway, undefined).listen('api_calls', listener);
    const hiccup = new MetergraphError('NETWORK', 'no route', { retryable: true });
    gateway.fail(hiccup);
    expect(spell()).toBe('connecting - well ');
    gateway.fail(hiccup);
    expect(spell()).toBe('connecting - failed ');
    gateway.status('live');
    gateway.usages({ used: '7' });
    expect(spell()).toBe('live 7 well ');
    gateway.status('reconnecting');
    gateway.fail(hiccup);
    gateway.fail(hiccup);
    expect(spell()).toBe('reconnecting 7 well ');
  });

  it('a snapshot without the feature says that it is not in the plan; a later one may', () => {
    const gateway = new HandRealtime();
    const { listener, spell } = meter();
    createFeed(gateway, undefined).listen('storage', listener);
    gateway.status('live');
    gateway.usages({});
    expect(spell()).toBe('live - absent ');
    gateway.usages({}, { feature: storage, used: '1' });
    expect(spell()).toBe('live 1 well ');
  });

  it('tries again when asked to', () => {
    const gateway = new HandRealtime();
    const feed = createFeed(gateway, undefined);
    const { listener, spell } = meter();
    feed.listen('api_calls', listener);
    gateway.fail(new MetergraphError('UNAUTHENTICATED', 'expired'));
    expect(spell()).toBe('connecting - denied ');
    feed.retry();
    expect([spell(), gateway.open, gateway.subscribed]).toEqual(['connecting - well ', 2, 4]);
  });
});
