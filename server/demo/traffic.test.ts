/** Goal: the demo's calls are gentle, go on after a failure, and end at once. Method: fake timers, an engine of our own. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { featureOf } from '../domain/definitions.ts';
import { mergePolicy } from '../domain/policy.ts';
import { unitsOf } from '../domain/units.ts';
import { usageOf } from '../domain/usage.ts';
import type { ConsumeRequest, Consumption } from '../metering/requests.ts';
import { DEMO_COMPANIES } from './customers.ts';
import type { DemoMeter } from './meters.ts';
import { pick, seededRandom } from './random.ts';
import { startTraffic } from './traffic.ts';

function unlimitedMeter(): DemoMeter {
  const feature = featureOf('tenant', { key: 'exports', aggregation: 'count' });
  const identity = { tenantId: 'tenant', customerId: 'customer', referenceId: 'acme', planKey: null, entitled: true };
  const usage = usageOf(
    { ...identity, feature, policy: mergePolicy(feature, null, undefined), sequence: 1n, catalogVersion: 1, atMs: 0 },
    {
      period: { startMs: 0, endMs: null },
      used: unitsOf('1'),
      held: 0n,
      credits: 0n,
      wallet: null,
      overage: 0n,
      cost: 0n,
      walletCharge: 0n,
      currency: null,
    },
  );
  return { company: pick(() => 0, DEMO_COMPANIES), usage };
}

/** All of an answer that the traffic reads. */
const answer = () => ({ usage: unlimitedMeter().usage }) as Consumption;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function traffic(consumeOne: (request: ConsumeRequest) => Promise<Consumption>, isWatched = () => true) {
  const meters = [unlimitedMeter()];
  const consume = vi.fn(consumeOne);
  const onError = vi.fn();
  const clock = { now: () => Date.now() };
  const running = startTraffic({ engine: { consume }, clock, meters, random: seededRandom(1), isWatched, onError });
  return { consume, onError, running };
}

describe('the traffic', () => {
  it('calls about every second and a half while somebody watches, and seldom while nobody does', async () => {
    let watched = true;
    const { consume, running } = traffic(
      async () => answer(),
      () => watched,
    );
    await vi.advanceTimersByTimeAsync(60_000);
    expect(consume.mock.calls.length).toBeGreaterThan(30);
    expect(consume.mock.calls.length).toBeLessThanOrEqual(60);
    watched = false;
    consume.mockClear();
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(consume.mock.calls.length).toBeGreaterThan(15);
    expect(consume.mock.calls.length).toBeLessThanOrEqual(42);
    await running.stop();
  });

  it('goes on after a call that failed', async () => {
    const { consume, onError, running } = traffic(async () => Promise.reject(new Error('no')));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(onError.mock.calls.length).toBe(consume.mock.calls.length);
    expect(consume.mock.calls.length).toBeGreaterThan(3);
    await running.stop();
  });

  it('ends when its last call is answered, and makes no other', async () => {
    let answerLast: (answer: Consumption) => void = () => {};
    const { consume, running } = traffic(
      () =>
        new Promise((resolve) => {
          answerLast = resolve;
        }),
    );
    await vi.advanceTimersByTimeAsync(2_000);
    expect(consume).toHaveBeenCalledTimes(1);
    let stopped = false;
    const stopping = running.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(stopped).toBe(false);
    answerLast(answer());
    await stopping;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(consume).toHaveBeenCalledTimes(1);
  });
});
