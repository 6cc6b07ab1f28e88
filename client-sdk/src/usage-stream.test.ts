import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aUsage } from './testing/gateway-schema.ts';
import { mergeUsage, type UsageItem } from './usage-stream.ts';

type Delta = Extract<UsageItem, { __typename: 'UsageDelta' }>;
const usage = (key: string, used: number): Delta['usage'] => {
  const { thresholds, feature, ...rest } = aUsage(key, String(used));
  return { ...rest, feature: { ...feature }, thresholds: [...thresholds] };
};
const delta = (key: string, used: number): UsageItem => ({
  __typename: 'UsageDelta',
  usage: usage(key, used),
  cursor: String(used),
});
const snapshot = (used: Record<string, number>, cursor: string): UsageItem => ({
  __typename: 'UsageSnapshot',
  usages: Object.entries(used).map(([key, count]) => usage(key, count)),
  cursor,
});
const expired: UsageItem = { __typename: 'CursorExpired', message: 'too old' };
const merged = (items: readonly UsageItem[]) => items.reduce(mergeUsage, null);
const spell = (items: readonly UsageItem[]) => {
  const state = merged(items);
  return state && [...state.usages.values()].map(({ feature, used }) => `${feature.key}=${used}`).join(' ');
};

/** Goal: the state always is the last snapshot and the newest delta of each feature. */
describe('mergeUsage', () => {
  it.each([
    ['a snapshot', [snapshot({ a: 1, b: 2 }, '2')], 'a=1 b=2'],
    ['then a delta', [snapshot({ a: 1, b: 2 }, '2'), delta('a', 3)], 'a=3 b=2'],
    ['of a feature not in it', [snapshot({ a: 1 }, '1'), delta('b', 2)], 'a=1 b=2'],
    ['a snapshot replaces all', [snapshot({ a: 1, b: 2 }, '2'), snapshot({ b: 3 }, '3')], 'b=3'],
    ['an expired cursor drops all', [snapshot({ a: 1 }, '1'), expired], null],
    ['until the next snapshot', [snapshot({ a: 1 }, '1'), expired, snapshot({ b: 5 }, '5')], 'b=5'],
  ])('%s → %s', (_, items, expected) => expect(spell(items)).toBe(expected));

  const anyItem = fc.oneof(
    fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(99)).map(([key, used]) => delta(key, used)),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(99)).map((used) => snapshot(used, 's')),
    fc.constant(expired),
  );

  it('told twice is told once, and what was handed out never changes', () => {
    fc.assert(
      fc.property(fc.array(anyItem), anyItem, (before, item) => {
        const state = merged(before);
        const held = state && new Map(state.usages);
        const once = mergeUsage(state, item);
        expect(mergeUsage(once, item)).toEqual(once);
        expect(state?.usages).toEqual(held ?? undefined);
      }),
    );
  });

  it('carries the cursor of the newest item', () => {
    fc.assert(
      fc.property(fc.array(anyItem, { minLength: 1 }), (items) => {
        const last = items.at(-1);
        expect(merged(items)?.cursor).toBe(last && 'cursor' in last ? last.cursor : undefined);
      }),
    );
  });
});
