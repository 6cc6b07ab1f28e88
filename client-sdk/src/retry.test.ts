import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MetergraphError } from './errors.ts';
import type { Clock } from './option-types.ts';
import { fullJitterMs, type RetryPolicy, retrying, waitBeforeRetry } from './retry.ts';

const failure = (retryable: boolean, retryAfterMs?: number) =>
  new MetergraphError('NETWORK', 'no', { retryable, retryAfterMs });

/** Goal: every reason to try again or to stop. Method: 4 tries, waits of half of 200, 400, 800 ms. */
describe('waitBeforeRetry', () => {
  const policy = { maxAttempts: 4, backoff: { baseMs: 200, capMs: 5_000 }, random: () => 0.5 };
  it.each([
    // retryable  Retry-After  attempt  remaining  waits
    [true, undefined, 1, 30_000, 100],
    [true, undefined, 3, 30_000, 400],
    [true, undefined, 4, 30_000, null], // tries used up
    [false, undefined, 1, 30_000, null], // final
    [false, 10, 1, 30_000, null], // final, whatever the header says
    [true, 2_000, 1, 30_000, 2_000], // as asked
    [true, 10, 1, 30_000, 100], // never sooner than our own
    [true, 60_000, 1, 30_000, null], // not in time
    [true, undefined, 1, 100, null], // not in time
  ])('retryable %s, Retry-After %s, try %s, %s ms left → %s', (retryable, after, attempt, remaining, expected) =>
    expect(waitBeforeRetry(failure(retryable, after), attempt, remaining, policy)).toBe(expected),
  );
});

describe('fullJitterMs', () => {
  it('stays within its cap and grows with random', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
        const waitMs = fullJitterMs({ baseMs: 500, capMs: 10_000 }, failures, () => random);
        return waitMs >= 0 && waitMs < 10_000 && waitMs <= random * 500 * 2 ** failures;
      }),
    );
  });
});

/** A clock that jumps: whoever sleeps is woken at once, and it is later. */
function jumpingClock(): Clock & { readonly slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const done = () => resolve();
        signal?.addEventListener('abort', done);
        // Limits of a try are far off and cut short; waits between tries have no timer to cut.
        queueMicrotask(() =>
          queueMicrotask(() => {
            if (signal?.aborted || ms >= 10_000) return;
            now += ms;
            slept.push(ms);
            resolve();
          }),
        );
      }),
  };
}

describe('retrying', () => {
  const policyOf = (clock: Clock, signal = new AbortController().signal): RetryPolicy => ({
    maxAttempts: 4,
    timeoutMs: 30_000,
    attemptTimeoutMs: 10_000,
    backoff: { baseMs: 200, capMs: 5_000 },
    clock,
    random: () => 0.5,
    signal,
  });

  it('tries until it succeeds', async () => {
    const clock = jumpingClock();
    let tries = 0;
    const answer = await retrying(async () => {
      if (++tries < 3) throw failure(true);
      return 'yes';
    }, policyOf(clock));
    expect([answer, tries, clock.slept]).toEqual(['yes', 3, [100, 200]]);
  });

  it('throws the last failure when the tries are used up', async () => {
    let tries = 0;
    const call = retrying(async () => {
      throw new MetergraphError('NETWORK', `no ${++tries}`, { retryable: true });
    }, policyOf(jumpingClock()));
    await expect(call).rejects.toMatchObject({ message: 'no 4', retryable: true });
  });

  it('takes what is not a MetergraphError for a broken network', async () => {
    let tries = 0;
    const answer = retrying(async () => {
      if (++tries === 1) throw new TypeError('fetch failed');
      return tries;
    }, policyOf(jumpingClock()));
    await expect(answer).resolves.toBe(2);
  });

  it('ends a try that hangs, even when it ignores its signal', async () => {
    const clock = jumpingClock();
    const call = retrying(() => new Promise<never>(() => {}), { ...policyOf(clock), attemptTimeoutMs: 9_000 });
    await expect(call).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
    expect(clock.now()).toBeLessThanOrEqual(30_000);
  });

  it.each(['during a try', 'before the first'] as const)('throws the reason of its signal %s', async (when) => {
    const controller = new AbortController();
    const reason = new MetergraphError('CLOSED', 'closed');
    if (when === 'before the first') controller.abort(reason);
    const call = retrying(
      async () => {
        controller.abort(reason);
        return new Promise<never>(() => {});
      },
      policyOf(jumpingClock(), controller.signal),
    );
    await expect(call).rejects.toBe(reason);
  });
});
