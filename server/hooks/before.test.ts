/**
 * Goal: a `before` hook refuses what it says it refuses, and whatever else it does, the failure policy answers: nobody
 * hears an error, nobody waits for longer than the deadline, and the operator is told what to change.
 * Method: tables of hooks, in both modes; timers and stopwatch are the test's.
 */
import { describe, expect, it } from 'vitest';
import type { BeforeCall, BeforeHook, HookFailure } from '../hooks.ts';
import { asyncBefore, syncBefore } from './before.ts';
import { CONTEXT, complaints, REQUEST, settled, Timers, USAGE } from './testing/rig.ts';
import { FAILED_REFUSAL } from './verdict.ts';

const DEADLINE_MS = 250;

const hooksWith = (mode: 'sync' | 'async', run: BeforeHook, onFailure: HookFailure = 'deny') => ({
  before: { run, mode, deadlineMs: DEADLINE_MS, onFailure },
});

const boom: BeforeHook = () => {
  throw new Error('the secret of the app');
};

const TOLD: BeforeCall = {
  call: 'consume',
  customer: { referenceId: 'acme', planKey: 'pro' },
  feature: { key: 'api_calls', displayName: 'API Calls', unit: 'call', aggregation: 'sum' },
  entityId: 'seat-1',
  amount: '3',
  usage: {
    used: '40',
    reserved: '2.5',
    limit: '100',
    remaining: '57.5',
    credits: '10',
    wallet: { amount: '500', currency: 'usd' },
    overage: '0',
    estimatedCost: null,
    period: { start: '2026-03-01T00:00:00.000Z', end: '2026-04-01T00:00:00.000Z' },
  },
  proposal: { amount: '3', split: { included: '1', credits: '2', wallet: '0', overage: '0' } },
  properties: { model: 'large' },
  idempotencyKey: 'key-1',
};

describe('a synchronous hook', () => {
  /** What the hook made of a call, and what was complained of. */
  function ask(run: BeforeHook, onFailure: HookFailure = 'deny', times: readonly number[] = [0, 0]) {
    const { heard, complain } = complaints();
    const stopwatch = times.values();
    const before = syncBefore(hooksWith('sync', run, onFailure), {
      complain,
      stopwatch: () => stopwatch.next().value ?? 0,
    });
    return { refusal: before?.(CONTEXT), heard };
  }

  it('is told the call, the exact totals without it, and what the decision is about to do', () => {
    const told: BeforeCall[] = [];
    ask((call) => {
      told.push(call);
    });
    expect(told).toEqual([TOLD]);
  });

  it.each([
    ['lets a call pass', () => undefined, null],
    ['refuses with a sentence', () => 'No.', 'No.'],
    ['refuses by the totals', ({ usage, amount }: BeforeCall) => `${usage.used} and ${amount}`, '40 and 3'],
  ] as const)('%s', (_, run, refusal) => expect(ask(run)).toEqual({ refusal, heard: [] }));

  it.each<readonly [string, BeforeHook, string, RegExp]>([
    ['throws', boom, 'threw', /threw an error/],
    ['returns a promise', async () => {}, 'promise', /declare it async/],
    ['returns a promise that fails', () => Promise.reject(new Error('no')), 'promise', /mode: "async"/],
  ])('that %s follows the policy, and says nothing of why', async (_, run, what, sentence) => {
    const expected = [{ what, sentence: expect.stringMatching(sentence) }];
    expect(ask(run, 'deny')).toEqual({ refusal: FAILED_REFUSAL, heard: expected });
    expect(ask(run, 'allow')).toEqual({ refusal: null, heard: expected });
    await settled(); // a rejection that nobody heard would end the process, and with it this test
  });

  it.each([
    [5, 0],
    [5.1, 1],
  ])('that takes %s ms is told as too slow %s times', (tookMs, times) => {
    const { refusal, heard } = ask(() => undefined, 'deny', [1_000, 1_000 + tookMs]);
    expect(refusal).toBeNull();
    expect(heard.map(({ what }) => what)).toEqual(Array(times).fill('slow'));
  });

  it('is of no concern to a config without one', () => {
    const { complain } = complaints();
    expect(syncBefore({ before: null }, { complain })).toBeNull();
    expect(
      syncBefore(
        hooksWith('async', async () => {}),
        { complain },
      ),
    ).toBeNull();
  });
});

describe('an asynchronous hook', () => {
  function asking(run: BeforeHook, onFailure: HookFailure = 'deny') {
    const { heard, complain } = complaints();
    const timers = new Timers();
    const before = asyncBefore(hooksWith('async', run, onFailure), { complain, schedule: timers.schedule });
    if (!before) throw new Error('there is a hook');
    return { answer: before({ request: REQUEST, usage: USAGE }), heard, timers };
  }

  it('is told the call and the totals as last committed', async () => {
    const told: BeforeCall[] = [];
    await asking(async (call) => {
      told.push(call);
    }).answer;
    expect(told).toEqual([{ ...TOLD, proposal: null }]);
  });

  it.each<readonly [string, BeforeHook, string | null]>([
    ['lets a call pass', async () => undefined, null],
    ['refuses with a sentence', async () => 'No.', 'No.'],
    ['need not be async in earnest', () => 'No.', 'No.'],
  ])('%s', async (_, run, message) => {
    const { answer, heard, timers } = asking(run);
    expect(await answer).toEqual(message && { reason: 'REFUSED_BY_HOOK', message });
    expect(heard).toEqual([]);
    await settled();
    expect(timers.waiting).toEqual([]);
  });

  it.each<readonly [string, BeforeHook]>([
    ['throws', boom],
    ['rejects', async () => boom(TOLD)],
  ])('that %s follows the policy, and says nothing of why', async (_, run) => {
    const denying = asking(run, 'deny');
    expect(await denying.answer).toEqual({ reason: 'REFUSED_BY_HOOK', message: FAILED_REFUSAL });
    expect(denying.heard).toEqual([{ what: 'threw', sentence: expect.stringContaining('onFailure: "deny"') }]);
    const allowing = asking(run, 'allow');
    expect(await allowing.answer).toBeNull();
    expect(allowing.heard).toEqual([{ what: 'threw', sentence: expect.stringContaining('onFailure: "allow"') }]);
  });

  it.each([
    ['deny', { reason: 'REFUSED_BY_HOOK', message: FAILED_REFUSAL }],
    ['allow', null],
  ] as const)('is waited for until its deadline, then the policy "%s" answers', async (onFailure, refusal) => {
    let answerLate = (_: string) => {};
    const { answer, heard, timers } = asking(() => new Promise<string>((resolve) => (answerLate = resolve)), onFailure);
    expect(await Promise.race([answer, settled().then(() => 'waiting')])).toBe('waiting');
    expect(timers.waiting).toEqual([DEADLINE_MS]);
    timers.ring(DEADLINE_MS);
    expect(await answer).toEqual(refusal);
    answerLate('No.'); // too late, and without effect
    expect(heard).toEqual([{ what: 'late', sentence: expect.stringContaining('within 250 ms') }]);
  });

  it('is not asked about a meter that is not there', async () => {
    const before = asyncBefore(
      hooksWith('async', async () => 'No.'),
      { complain: () => {} },
    );
    expect(await before?.({ request: REQUEST, usage: null })).toBeNull();
  });
});
