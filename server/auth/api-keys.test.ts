/**
 * Goal: a key in steady use never waits for the database, a revocation is heard within 10 s whatever happens, and a
 * database that is away for a moment locks nobody out. Method: one key, read at 0 s; then the time and the database
 * change, and it is presented again.
 */
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../tests/support/clock.ts';
import type { Query, Row } from '../db/client.ts';
import { formatApiKey, secretHashOf } from '../domain/api-key.ts';
import { ApiKeys } from './api-keys.ts';

const SECRET = 'x'.repeat(32);
const KEY = formatApiKey({ mode: 'live', id: 'Billing0', secret: SECRET });
const ROW = {
  tenant_id: 'tenant',
  name: null,
  mode: 'live',
  secret_hash: secretHashOf(SECRET),
  scopes: ['read'],
  expires_at: null,
  revoked_at: null,
};

type State = 'sound' | 'revoked' | 'deleted' | 'away' | 'broken' | 'silent';
const ANSWERS: Readonly<Record<State, () => Promise<Row[]>>> = {
  sound: async () => [ROW],
  revoked: async () => [{ ...ROW, revoked_at: new Date(0) }],
  deleted: async () => [],
  away: async () => {
    throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  },
  broken: async () => {
    throw new Error('a bug');
  },
  silent: () => new Promise(() => {}),
};

function openKeys() {
  const clock = new ManualClock();
  let state: State = 'sound';
  let asked = 0;
  // The rows are the ones that the statement selects; nothing checks it of a real database either.
  let held: Promise<void> | null = null;
  const query = (async (_statement) => {
    asked += 1;
    const rows = ANSWERS[state]();
    const hold = held;
    held = null;
    await hold;
    return rows;
  }) as Query;
  const keys = new ApiKeys(query, clock);
  const says = (key = KEY): Promise<string> =>
    keys.verify(key).then(
      ({ keyId }) => keyId,
      (error: Error) => error.message,
    );
  return {
    clock,
    keys,
    become: (next: State) => {
      state = next;
    },
    /** Holds up the next question alone. @returns what lets its answer go. */
    hold: (): (() => void) => {
      let release = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    asked: () => asked,
    says,
  };
}

describe('a key that was read at 0 s', () => {
  it.each<[atMs: number, database: State, says: RegExp, asked: number]>([
    [3_999, 'revoked', /^Billing0$/, 0],
    [4_000, 'revoked', /^Billing0$/, 1], // read again meanwhile
    [4_000, 'silent', /^Billing0$/, 1],
    [4_000, 'broken', /^Billing0$/, 1],
    [4_999, 'away', /^Billing0$/, 1],
    [5_000, 'sound', /^Billing0$/, 1],
    [5_000, 'revoked', /was revoked/, 1],
    [5_000, 'deleted', /is not known here/, 1],
    [5_000, 'broken', /^a bug$/, 1],
    [5_000, 'away', /^Billing0$/, 1],
    [9_999, 'away', /^Billing0$/, 1],
    [9_999, 'revoked', /was revoked/, 1],
    [10_000, 'away', /ECONNREFUSED/, 1],
    [-1, 'revoked', /was revoked/, 1], // the clock was set back
    [-1, 'away', /ECONNREFUSED/, 1],
  ])('at %d ms, the database %s, says %s', async (atMs, database, says, asked) => {
    const rig = openKeys();
    await rig.keys.verify(KEY);
    rig.clock.advance(atMs);
    rig.become(database);
    const before = rig.asked();
    expect(await rig.says()).toMatch(says);
    expect(rig.asked() - before).toBe(asked);
  });

  it('and read again meanwhile, is refused as soon as that is done', async () => {
    const rig = openKeys();
    await rig.keys.verify(KEY);
    rig.become('revoked');
    rig.clock.advance(4_000);
    expect(await rig.says()).toBe('Billing0');
    await expect.poll(() => rig.says()).toMatch(/was revoked/);
    expect(rig.asked()).toBe(2);
  });

  it('is not good for longer because the database stays away', async () => {
    const rig = openKeys();
    await rig.keys.verify(KEY);
    rig.become('away');
    for (const atMs of [4_500, 6_000, 9_000]) {
      rig.clock.set(new Date('2026-03-15T12:00:00Z').getTime() + atMs);
      expect(await rig.says()).toBe('Billing0');
    }
    rig.clock.advance(1_000);
    expect(await rig.says()).toMatch(/ECONNREFUSED/);
  });
});

it('a look-up that hangs holds up nobody who comes 5 s later, and what it says in the end counts no more', async () => {
  const rig = openKeys();
  const release = rig.hold();
  const first = rig.says();
  rig.become('revoked');
  rig.clock.advance(5_000);
  expect(await rig.says()).toMatch(/was revoked/);
  release();
  expect(await first).toBe('Billing0');
  expect(await rig.says()).toMatch(/was revoked/);
});

it('calls that arrive together ask once', async () => {
  const rig = openKeys();
  await Promise.all(Array.from({ length: 100 }, () => rig.keys.verify(KEY)));
  expect(rig.asked()).toBe(1);
});

it('a key that is known is answered with the very viewer of before', async () => {
  const { keys } = openKeys();
  expect(await keys.verify(KEY)).toBe(await keys.verify(KEY));
});

it.each([
  ['secret', KEY.replace(/.$/, 'y')],
  ['mode', KEY.replace('live', 'test')],
])('a wrong %s is refused, also after the right one was seen', async (_, wrong) => {
  const { says } = openKeys();
  expect(await says(wrong)).toMatch(/is not known here/);
  expect(await says()).toBe('Billing0');
  expect(await says(wrong)).toMatch(/is not known here/);
});

it('an id that is unknown is asked for again: a key works as soon as it is made', async () => {
  const rig = openKeys();
  rig.become('deleted');
  expect(await rig.says()).toMatch(/is not known here/);
  rig.become('sound');
  expect(await rig.says()).toBe('Billing0');
});
