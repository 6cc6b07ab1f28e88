/**
 * Goal: so many calls in a window and no more, by every rule at once; a refusal by one leaves the others untouched.
 * Method: tables of instants and windows, and a model that keeps every call.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admitAll, type RateRule, type RateWindows, rateKey } from './rate-limit.ts';

const NONE: RateWindows = new Map();
const rule = (limit: number, windowMs: number, scope = ''): RateRule => ({ scope, limit, windowMs });

/** What is said to a call at each instant, e.g. `5: passes` and `5: not before 10, by " 10"`. */
function answers(rules: readonly RateRule[], instants: readonly number[]): string[] {
  let windows = NONE;
  return instants.map((atMs) => {
    const verdict = admitAll(rules, windows, atMs);
    if (!verdict.passes) return `${atMs}: not before ${verdict.retryAtMs}, by "${rateKey(verdict.rule)}"`;
    windows = verdict.windows;
    return `${atMs}: passes`;
  });
}

const told = (windows: RateWindows): Record<string, string> =>
  Object.fromEntries([...windows].map(([key, { startMs, calls }]) => [key, `${calls} since ${startMs}`]));

const windowsOf = (entries: Record<string, readonly [startMs: number, calls: number]>): RateWindows =>
  new Map(Object.entries(entries).map(([key, [startMs, calls]]) => [key, { startMs, calls }]));

it('lets through 3 a minute, tells the 4th when to come back, and opens anew with the first call after', () => {
  expect(answers([rule(3, 60_000)], [1_000, 1_000, 30_000, 60_999, 61_000, 61_001, 121_000])).toEqual([
    '1000: passes',
    '1000: passes',
    '30000: passes',
    '60999: not before 61000, by " 60000"',
    '61000: passes',
    '61001: passes',
    '121000: passes',
  ]);
});

it('with several rules all must pass, and who is refused by two hears of the later', () => {
  expect(answers([rule(1, 10), rule(2, 100), rule(9, 100, 'calls')], [0, 5, 10, 15, 20, 100])).toEqual([
    '0: passes',
    '5: not before 10, by " 10"',
    '10: passes',
    '15: not before 100, by " 100"', // refused until 20 by the first rule, too
    '20: not before 100, by " 100"',
    '100: passes',
  ]);
});

describe('the windows after a call', () => {
  const both = [rule(5, 60), rule(2, 60, 'calls')];

  it.each([
    // before                                        at   after
    [{}, 7, { ' 60': '1 since 7', 'calls 60': '1 since 7' }],
    [{ ' 60': [0, 4] }, 59, { ' 60': '5 since 0', 'calls 60': '1 since 59' }], // each opens with its own first call
    [{ ' 60': [0, 5] }, 60, { ' 60': '1 since 60', 'calls 60': '1 since 60' }],
    [{ ' 60': [0, 1], 'calls 60': [0, 2] }, 59, 'not before 60, by "calls 60"'],
    [{ ' 60': [9, 5], 'calls 60': [0, 2] }, 59, 'not before 69, by " 60"'],
    [{ ' 60': [0, 9] }, 59, 'not before 60, by " 60"'], // the limit was lowered below what had passed
    [{ ' 10': [0, 3] }, 9, { ' 10': '3 since 0', ' 60': '1 since 9', 'calls 60': '1 since 9' }], // was in force before
    [{ ' 10': [0, 3] }, 10, { ' 60': '1 since 10', 'calls 60': '1 since 10' }], // over, and nobody's: dropped
    [
      { 'seats 9': [0, 1], 'gone 9': [5, 1] },
      9,
      { 'gone 9': '1 since 5', ' 60': '1 since 9', 'calls 60': '1 since 9' },
    ],
  ] as const)('%j at %d: %j', (before, atMs, after) => {
    const windows = windowsOf(before);
    const verdict = admitAll(both, windows, atMs);
    const said = verdict.passes
      ? told(verdict.windows)
      : `not before ${verdict.retryAtMs}, by "${rateKey(verdict.rule)}"`;
    expect(said).toEqual(after);
    expect(windows).toEqual(windowsOf(before));
  });

  it('without a rule are the same map', () => {
    const windows = windowsOf({ ' 60': [0, 9] });
    const verdict = admitAll([], windows, 1_000);
    expect(verdict.passes && verdict.windows).toBe(windows);
  });

  it('count a call once for two rules that share one', () => {
    const verdict = admitAll([rule(5, 60), rule(3, 60)], windowsOf({ ' 60': [0, 1] }), 1);
    expect(verdict.passes && told(verdict.windows)).toEqual({ ' 60': '2 since 0' });
  });
});

describe('laws', () => {
  const scope = fc.constantFrom('', 'calls', 'api calls');
  const anyRule = fc.record({
    scope,
    limit: fc.integer({ min: 1, max: 5 }),
    windowMs: fc.integer({ min: 1, max: 50 }),
  });
  const someRules = fc.array(anyRule, { minLength: 1, maxLength: 4 });
  const instants = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 }).map((pausesMs) => {
    let atMs = 0;
    return pausesMs.map((pauseMs) => (atMs += pauseMs));
  });

  it('calls at one instant: as many pass as the strictest rule lets through', () => {
    fc.assert(
      fc.property(someRules, fc.integer({ min: 0, max: 8 }), (rules, calls) => {
        const passed = answers(rules, Array<number>(calls).fill(7)).filter((said) => said.endsWith('passes'));
        expect(passed).toHaveLength(Math.min(calls, ...rules.map(({ limit }) => limit)));
      }),
    );
  });

  it('a call passes if each rule by itself would let it, given all that passed before', () => {
    fc.assert(
      fc.property(someRules, instants, (rules, allMs) => {
        const passedMs: number[] = [];
        const expected = allMs.map((atMs) => {
          const passes = rules.every((one) => callsInWindow(one, passedMs, atMs) < one.limit);
          if (passes) passedMs.push(atMs);
          return passes;
        });
        expect(answers(rules, allMs).map((said) => said.endsWith('passes'))).toEqual(expected);
      }),
    );
  });

  it('a refused call passes when it was told to, and not a moment sooner', () => {
    fc.assert(
      fc.property(someRules, instants, (rules, allMs) => {
        let windows = NONE;
        for (const atMs of allMs) {
          const verdict = admitAll(rules, windows, atMs);
          if (verdict.passes) windows = verdict.windows;
          else {
            expect(verdict.retryAtMs).toBeGreaterThan(atMs);
            expect(admitAll(rules, windows, verdict.retryAtMs - 1).passes).toBe(false);
            expect(admitAll(rules, windows, verdict.retryAtMs).passes).toBe(true);
          }
        }
      }),
    );
  });

  it('whatever rules come and go, only windows that are open or in force are kept', () => {
    const visits = fc.array(fc.tuple(someRules, fc.integer({ min: 0, max: 30 })), { maxLength: 30 });
    fc.assert(
      fc.property(visits, (calls) => {
        let windows = NONE;
        let atMs = 0;
        for (const [rules, pauseMs] of calls) {
          atMs += pauseMs;
          const verdict = admitAll(rules, windows, atMs);
          if (!verdict.passes) continue;
          windows = verdict.windows;
          for (const [key, { startMs }] of windows) {
            expect(atMs - startMs).toBeLessThan(Number(key.split(' ').at(-1)));
          }
        }
      }),
    );
  });

  /** The model: finds the windows anew from all calls that ever passed. */
  function callsInWindow({ windowMs }: RateRule, passedMs: readonly number[], atMs: number): number {
    let startMs = Number.NEGATIVE_INFINITY;
    let calls = 0;
    for (const callMs of passedMs) {
      if (callMs >= startMs + windowMs) {
        startMs = callMs;
        calls = 0;
      }
      calls += 1;
    }
    return atMs < startMs + windowMs ? calls : 0;
  }
});
