/** Goal: which alerts are told. Method: mutes of one feature and of all, before, at and after their end. */
import { expect, it } from 'vitest';
import { activeMutes, isMuted, type Mute, muted, unmuted } from './mute.ts';

const calls: Mute = { featureKey: 'calls', untilMs: 100 };
const storage: Mute = { featureKey: 'storage', untilMs: null };
const all: Mute = { featureKey: null, untilMs: 50 };

it.each([
  // mutes, of, at, muted
  [[], 'calls', 0, false],
  [[calls], 'calls', 99, true],
  [[calls], 'calls', 100, false], // the end is when they are told again
  [[calls], 'storage', 0, false],
  [[storage], 'storage', Number.MAX_SAFE_INTEGER, true],
  [[all], 'calls', 49, true],
  [[all], 'calls', 50, false],
  [[all, calls], 'calls', 50, true],
] as const)('%j, of %s at %i: %s', (mutes, featureKey, atMs, says) => {
  expect(isMuted(mutes, featureKey, atMs)).toBe(says);
});

it('says one thing of each feature, the newest, and forgets what has run out', () => {
  const longer = { featureKey: 'calls', untilMs: 200 };
  expect(muted([calls, storage], longer, 0)).toEqual([storage, longer]);
  expect(muted([all, calls], storage, 60)).toEqual([calls, storage]);
  expect(muted([calls, all], { featureKey: null, untilMs: null }, 0)).toEqual([
    calls,
    { featureKey: null, untilMs: null },
  ]);
});

it('is lifted feature by feature, or all at once', () => {
  expect(unmuted([calls, storage, all], 'calls', 0)).toEqual([storage, all]);
  expect(unmuted([calls, storage], 'other', 0)).toEqual([calls, storage]);
  expect(unmuted([calls, storage, all], null, 0)).toEqual([]);
  expect(activeMutes([calls, storage, all], 60)).toEqual([calls, storage]);
});
