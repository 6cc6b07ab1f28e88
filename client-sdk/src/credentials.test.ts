/** Goal: no answer of `getToken`, nor the lack of one, blocks the client for good. Method: a clock held by hand. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { credentialSource } from './credentials.ts';
import { heldClock } from './testing/held-clock.ts';

/** Answers what `answers` says, one after the other; the last one from then on. */
function asking(...answers: (() => string | Promise<string>)[]) {
  const { clock, held } = heldClock((ms) => ms === 8_000);
  let asked = 0;
  const getToken = () => (answers[asked++] ?? answers.at(-1) ?? (() => ''))();
  return { source: credentialSource({ getToken }, clock), timeIsUp: async (nth: number) => (await held(nth))() };
}

const never = () => new Promise<string>(() => {});
const offline = () => {
  throw new Error('offline');
};

afterEach(() => vi.useRealTimers());

describe('getToken', () => {
  it('that hangs is given up in time, for all who wait, and asked again', async () => {
    const { source, timeIsUp } = asking(never, () => 'token');
    const waiting = Promise.allSettled([source.current(), source.renew()]);
    await timeIsUp(1);
    const why = { code: 'UNAUTHENTICATED', retryable: true, message: 'getToken() failed: no answer within 8 s' };
    expect(await waiting).toMatchObject([{ reason: why }, { reason: why }]);
    await expect(source.current()).resolves.toBe('token');
  });

  it.each([
    ['throws', offline],
    ['rejects', async () => offline()],
    ['gives no token', () => ''],
  ])('that %s is asked again', async (_, fails) => {
    const { source } = asking(fails, () => 'token');
    await expect(source.current()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retryable: true });
    await expect(source.current()).resolves.toBe('token');
  });

  it('that answers too late is not heard: a newer token stays', async () => {
    let answer = (_token: string) => {};
    const late = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const { source, timeIsUp } = asking(
      () => late,
      () => 'newer',
    );
    const first = source.current();
    await timeIsUp(1);
    await expect(first).rejects.toThrow('no answer');
    await source.renew();
    answer('late');
    await late;
    await expect(source.current()).resolves.toBe('newer');
  });

  it('is called once for all who ask at the same time', async () => {
    const { source } = asking(
      () => 'first',
      () => 'second',
    );
    expect(await Promise.all([source.current(), source.current()])).toEqual(['first', 'first']);
    expect(await Promise.all([source.renew('first'), source.renew('first')])).toEqual(['second', 'second']);
    await expect(source.renew('first')).resolves.toBe('second');
  });

  it('leaves no timer behind when it has answered', async () => {
    vi.useFakeTimers();
    await credentialSource({ getToken: () => 'token' }, systemClock).current();
    expect(vi.getTimerCount()).toBe(0);
  });
});
