/** Goal: so many calls in a window, and no more. Method: a table of one window, and a model that keeps every call. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { admit, type RateLimit, type RateWindow } from './rate-limit.ts';

const RULE: RateLimit = { limit: 3, windowMs: 60_000 };

it('lets through 3 a minute, tells the 4th when to come back, and opens anew with the first call after', () => {
  const answers: string[] = [];
  let window: RateWindow | null = null;
  for (const atMs of [1_000, 1_000, 30_000, 60_999, 61_000, 61_001, 121_000]) {
    const verdict = admit(RULE, window, atMs);
    if (verdict.passes) window = verdict.window;
    answers.push(`${atMs}: ${verdict.passes ? 'passes' : `not before ${verdict.retryAtMs}`}`);
  }
  expect(answers).toEqual([
    '1000: passes',
    '1000: passes',
    '30000: passes',
    '60999: not before 61000',
    '61000: passes',
    '61001: passes',
    '121000: passes',
  ]);
});

it('without a rule everything passes, and the window that was open stays as it is', () => {
  const window = { startMs: 5, calls: 9 };
  expect(admit(null, window, 10)).toEqual({ passes: true, window });
  expect(admit(null, null, 10)).toEqual({ passes: true, window: null });
});

it('a rule that was lowered holds for the open window', () => {
  expect(admit({ limit: 2, windowMs: 60_000 }, { startMs: 0, calls: 2 }, 1)).toMatchObject({ passes: false });
});

it('a call that comes when it was told to passes, and no window of calls holds more than the rule says', () => {
  const rules = fc.record({ limit: fc.integer({ min: 1, max: 5 }), windowMs: fc.integer({ min: 1, max: 50 }) });
  const pauses = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 });
  fc.assert(
    fc.property(rules, pauses, (rule, pausesMs) => {
      const windows = new Map<number, number>();
      let window: RateWindow | null = null;
      let atMs = 0;
      for (const pauseMs of pausesMs) {
        atMs += pauseMs;
        const verdict = admit(rule, window, atMs);
        if (verdict.passes) {
          window = verdict.window;
          const startMs = window?.startMs ?? -1;
          windows.set(startMs, (windows.get(startMs) ?? 0) + 1);
          expect(startMs <= atMs && atMs < startMs + rule.windowMs).toBe(true);
        } else {
          expect(verdict.retryAtMs).toBeGreaterThan(atMs);
          expect(admit(rule, window, verdict.retryAtMs)).toMatchObject({ passes: true });
        }
      }
      for (const calls of windows.values()) expect(calls).toBeLessThanOrEqual(rule.limit);
      const starts = [...windows.keys()];
      for (const [i, startMs] of starts.slice(1).entries()) {
        expect(startMs - (starts[i] ?? 0)).toBeGreaterThanOrEqual(rule.windowMs);
      }
    }),
  );
});
