/**
 * Goal: the `after` hook delays nobody and fails nothing: what waits for it is bounded, runs beside each other up to a
 * number, has its time and no more, and at the end what is left is told.
 * Method: hooks that the test resolves, and timers that it rings.
 */
import { describe, expect, it } from 'vitest';
import type { AfterCall } from '../hooks.ts';
import { AfterCalls, type AfterOptions } from './after.ts';
import { allowed, complaints, settled, Timers } from './testing/rig.ts';

function rig(hook: (call: AfterCall) => unknown, options: Partial<AfterOptions> = {}) {
  const { heard, complain } = complaints();
  const timers = new Timers();
  const outcomes: string[] = [];
  const deps = { complain, schedule: timers.schedule, onOutcome: (outcome: string) => outcomes.push(outcome) };
  return { after: new AfterCalls(hook, deps, options), heard, timers, outcomes };
}

/** A hook that ends when the test says so. */
function heldHook() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const hook = ({ idempotencyKey }: AfterCall) => {
    begun.push(idempotencyKey ?? '');
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  return { begun, hook, end: () => ends.shift()?.() };
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `call-${i + 1}`);

describe('the after hook', () => {
  it('is told what was taken, and the state with it', async () => {
    const told: AfterCall[] = [];
    const { after, outcomes } = rig((call) => told.push(call));
    after.tell(allowed('key-1'));
    expect(told).toEqual([]); // the caller is answered first
    await settled();
    expect(told).toMatchObject([
      {
        customer: { referenceId: 'acme', planKey: 'pro' },
        feature: { key: 'api_calls' },
        amount: '3',
        split: { included: '1', credits: '2', wallet: '0', overage: '0' },
        usage: { used: '40', remaining: '57.5' },
        idempotencyKey: 'key-1',
      },
    ]);
    expect(outcomes).toEqual(['told']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('no'))],
  ])('that %s is complained of, and the next is told', async (_, fail) => {
    const { after, heard, outcomes } = rig(({ idempotencyKey }) => idempotencyKey === 'call-1' && fail());
    for (const name of names(2)) after.tell(allowed(name));
    await settled();
    expect(outcomes.toSorted()).toEqual(['failed', 'told']);
    expect(heard).toEqual([{ what: 'after-threw', sentence: expect.stringContaining('stands') }]);
  });

  it('runs so many at once, in order, and the next when one ends', async () => {
    const { begun, hook, end } = heldHook();
    const { after } = rig(hook, { concurrencyMax: 2 });
    for (const name of names(4)) after.tell(allowed(name));
    await settled();
    expect(begun).toEqual(['call-1', 'call-2']);
    expect(after.queueLength).toBe(2);
    end();
    await settled();
    expect(begun).toEqual(['call-1', 'call-2', 'call-3']);
  });

  it('that never ends gives up its place after its time', async () => {
    const { begun, hook } = heldHook();
    const { after, timers, heard, outcomes } = rig(hook, { concurrencyMax: 1 });
    for (const name of names(2)) after.tell(allowed(name));
    await settled();
    expect(begun).toEqual(['call-1']);
    timers.ring(5_000);
    await settled();
    expect(begun).toEqual(['call-1', 'call-2']);
    expect(outcomes).toEqual(['late']);
    expect(heard).toEqual([{ what: 'after-late', sentence: expect.stringContaining('5000 ms') }]);
  });

  it('misses the oldest calls where too many wait', async () => {
    const told: (string | null)[] = [];
    const { after, heard, outcomes } = rig(({ idempotencyKey }) => told.push(idempotencyKey), { queueLengthMax: 3 });
    for (const name of names(5)) after.tell(allowed(name));
    await settled();
    expect(told).toEqual(['call-3', 'call-4', 'call-5']);
    expect(outcomes).toEqual(['dropped', 'dropped', 'told', 'told', 'told']);
    expect(heard.map(({ what }) => what)).toEqual(['after-dropped', 'after-dropped']);
  });
});

describe('at the end', () => {
  it('all is told that can be', async () => {
    const { begun, hook, end } = heldHook();
    const { after } = rig(hook, { concurrencyMax: 1 });
    for (const name of names(2)) after.tell(allowed(name));
    const drained = after.drain();
    await settled();
    end();
    await settled();
    end();
    expect(await drained).toBe(0);
    expect(begun).toEqual(names(2));
  });

  it('nobody waits where nothing does', async () => {
    const { after, timers } = rig(() => {});
    expect(await after.drain()).toBe(0);
    expect(timers.waiting).toEqual([]);
  });

  it('is not put off by a hook that never ends', async () => {
    const { hook } = heldHook();
    const { after, timers, heard, outcomes } = rig(hook, { concurrencyMax: 1 });
    for (const name of names(3)) after.tell(allowed(name));
    const drained = after.drain();
    await settled();
    timers.ring(2_000);
    expect(await drained).toBe(3);
    expect(outcomes).toEqual(['dropped', 'dropped', 'dropped']);
    expect(heard).toEqual([{ what: 'after-left', sentence: expect.stringContaining('3 calls were not told') }]);
  });
});
