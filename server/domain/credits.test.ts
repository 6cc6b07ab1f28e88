/**
 * Goal: credits come, renew, roll over and end as is promised, whenever somebody looks.
 * Method: 100 units a month given on 1 January 2026 (UTC), by a plan or as a purchase that comes again; vary what is left
 * and when it is settled. Each row tells the live grants afterwards, and what moved.
 */
import { describe, expect, it } from 'vitest';
import { nextDueMs } from './credits.ts';
import { derivedId } from './derived-id.ts';
import type { Grant, Renewal } from './grant.ts';
import { voidGrant } from './grant-change.ts';
import { MISSED_PERIODS_MAX } from './renewal.ts';
import {
  CUSTOMER_ID,
  changedBy,
  type Grants,
  grantOf,
  ruleOf,
  type SettledAt,
  settled,
  spellLive,
  spellMoved,
} from './testing/grants.ts';
import { atMs, held, january, onRenewalOf, stored, type Way } from './testing/january.ts';
import { formatUnits, unitsOf } from './units.ts';

const WAYS: readonly Way[] = ['plan', 'purchase'];

describe.each(WAYS)('renewal of a %s', (way) => {
  // biome-ignore format: a table
  it.each([
    // on renewal                     left   live                                   moved
    ['reset',                         '40',  '100 to 03-01',                        'expired 40, granted 100'],
    ['reset',                         '0',   '100 to 03-01',                        'granted 100'],
    ['add',                           '40',  '100, 40',                             'granted 100'],
    ['add',                           '0',   '100',                                 'granted 100'],
    ['roll over',                  '40',  '100 to 03-01, 40 rolled',             'rolled_over 40, granted 100'],
    ['roll over 30',                  '40',  '100 to 03-01, 30 rolled',             'rolled_over 30, expired 10, granted 100'],
    ['roll over 40',                  '40',  '100 to 03-01, 40 rolled',             'rolled_over 40, granted 100'],
    ['roll over 50%',                 '70',  '100 to 03-01, 50 rolled',             'rolled_over 50, expired 20, granted 100'],
    ['roll over 0.5%',                '70',  '0.5 rolled, 100 to 03-01',            'rolled_over 0.5, expired 69.5, granted 100'],
    ['roll over 50',                  '0',   '100 to 03-01',                        'granted 100'],
    ['roll over 50 for 3 month', '70',  '100 to 03-01, 50 rolled to 05-01',    'rolled_over 50, expired 20, granted 100'],
    ['roll over 50 for 1 week',  '70',  '100 to 03-01, 50 rolled to 02-08',    'rolled_over 50, expired 20, granted 100'],
  ] as const)('%j, %s left → %s', (onRenewal, left, live, moved) => {
    const { grant, rule } = january(way, onRenewal, left);
    const before = settled(stored(grant), { nowMs: atMs('02-01') - 1, rule });
    const after = settled(before.grants, { nowMs: atMs('02-01'), rule });
    expect(before.changes).toEqual([]);
    expect(spellLive(after.grants)).toBe(live);
    expect(spellMoved(after.changes)).toBe(moved);
  });

  // biome-ignore format: a table
  it.each([
    // cap     held from before           live                                                         why
    ['50',     [['30', null]],            '100 to 03-01, 20 rolled, 30 rolled',           'the cap is of all that is held'],
    ['50%',    [['30', '04-01']],         '100 to 03-01, 20 rolled, 30 rolled to 04-01',  'what expires later is held still'],
    ['50',     [['30', '02-01']],         '100 to 03-01, 50 rolled',                      'what expires now is not'],
    ['50',     [['60', null]],            '100 to 03-01, 60 rolled',                      'nothing fits, nothing is taken'],
    ['50',     [['20', null], ['20', null]], '10 rolled, 100 to 03-01, 20 rolled, 20 rolled', 'of two, both count'],
  ] as const)('up to %s, holding %j → %s: %s', (max, before, live, _why) => {
    const { grant, rule } = january(way, `roll over ${max}`, '70');
    const all = before.map(([units, until]) => held(grant, units, until)).map((g, i) => ({ ...g, id: `${g.id} ${i}` }));
    expect(spellLive(settled(stored(grant, ...all), { nowMs: atMs('02-01'), rule }).grants)).toBe(live);
  });

  // biome-ignore format: a table
  it.each([
    // on renewal                     settled first on   live
    ['reset',                         '05-20',           '100 to 06-01'],
    ['add',                           '03-31',           '100, 100, 40'],
    ['add',                           '05-20',           '100, 300, 40'], // February to April, and May
    ['roll over',                  '04-01',           '100 to 05-01, 200 rolled, 40 rolled'],
    ['roll over 50',                  '04-01',           '10 rolled, 100 to 05-01, 40 rolled'],
    ['roll over 50',                  '12-31',           '10 rolled, 100 to 01-01, 40 rolled'], // it changes no more
    ['roll over 30',                  '04-01',           '100 to 05-01, 30 rolled'],
    ['roll over 150%',                '05-01',           '100 to 06-01, 110 rolled, 40 rolled'],
    ['roll over 50 for 1 month', '04-01',           '100 to 05-01, 50 rolled to 05-01'], // each expires as the next comes
    ['roll over 50 for 2 month', '03-15',           '10 rolled to 05-01, 100 to 04-01, 40 rolled to 04-01'],
    ['roll over 50 for 2 month', '04-15',           '10 rolled to 05-01, 100 to 05-01, 40 rolled to 06-01'],
    ['roll over for 2 month', '04-15',           '100 rolled to 05-01, 100 rolled to 06-01, 100 to 05-01'],
  ] as const)('%j, nobody having looked until %s → %s', (onRenewal, day, live) => {
    const { grant, rule } = january(way, onRenewal, '40');
    expect(spellLive(settled(stored(grant), { nowMs: atMs(day), rule }).grants)).toBe(live);
  });

  it('makes the next one of the same kind, from the start of its period, by an id that follows from it', () => {
    const { grant, rule } = january(way, 'reset', '40');
    const [early, late] = ['02-01', '02-20'].map((day) =>
      settled(stored(grant), { nowMs: atMs(day), rule }).changes.find(({ isNew }) => isNew),
    );
    expect(early).toEqual(late);
    expect(early?.grant).toMatchObject({
      source: way,
      priority: grant.priority,
      originId: grant.id,
      effectiveFromMs: atMs('02-01'),
      createdAtMs: atMs('02-01'),
      renewsAtMs: atMs('03-01'),
      renewal: grant.renewal,
    });
  });

  it('makes up for so many missed periods at a time, and for the rest with the next settling', () => {
    const hour = 3_600_000;
    const renewal = { reset: 'hourly', onRenewal: 'add', amount: unitsOf('100'), untilMs: null } as const;
    const { grant } = january(way, 'add', '0', { renewal, renewsAtMs: atMs('01-01T01:00') });
    const rule = way === 'plan' ? ruleOf({ onRenewal: 'add', reset: 'hourly' }) : null;
    const at: SettledAt = { nowMs: atMs('01-01') + (MISSED_PERIODS_MAX + 501) * hour, rule };
    const once = settled(stored(grant), at);
    const twice = settled(once.grants, at);
    expect(sumLive(once.grants)).toBe(`${(MISSED_PERIODS_MAX + 1) * 100}`);
    expect(sumLive(twice.grants)).toBe(`${(MISSED_PERIODS_MAX + 501) * 100}`);
    expect(settled(twice.grants, at).changes).toEqual([]);
  });

  it('gives no whole allocation for the few hours that a changed time zone leaves', () => {
    const { grant, rule } = january(way, 'reset', '40'); // until midnight in UTC, 14 hours before it is in Honolulu
    const at = { nowMs: atMs('02-01'), rule, timeZone: 'Pacific/Honolulu' };
    expect(spellLive(settled(stored(grant), at).grants)).toBe('100 to 03-01T10:00');
  });
});

it('has a cap of its own for each repetition', () => {
  const { grant: a } = january('purchase', 'roll over 50', '70');
  const b = { ...a, id: derivedId(CUSTOMER_ID, 'another purchase') };
  const { grants } = settled(stored(a, b, held(a, '40', null)), { nowMs: atMs('02-01') });
  expect(spellLive(grants)).toBe('10 rolled, 100 to 03-01, 100 to 03-01, 40 rolled, 50 rolled');
});

describe('a purchase that comes again until a day', () => {
  // biome-ignore format: a table
  it.each([
    // on renewal                     until     settled on   live
    ['reset',                         '02-10',  '02-05',     '100 to 02-10'],
    ['reset',                         '02-10',  '02-10',     ''],
    ['reset',                         '02-10',  '06-01',     ''],
    ['add',                           '03-10',  '03-05',     '100 to 03-10, 100 to 03-10, 40 to 03-10'],
    ['add',                           '03-10',  '03-10',     ''],
    ['roll over',                  '02-10',  '02-05',     '100 to 02-10, 40 rolled to 02-10'],
    ['roll over',                  '02-10',  '02-10',     ''],
    ['roll over for 1 month', '03-10',  '02-05',     '100 to 03-01, 40 rolled to 03-01'],
  ] as const)('%j until %s, on %s → %s', (onRenewal, until, day, live) => {
    const renewal: Renewal = {
      reset: 'monthly',
      onRenewal: onRenewalOf(onRenewal),
      amount: unitsOf('100'),
      untilMs: atMs(until),
    };
    const expiry = onRenewal === 'add' ? { expiresAtMs: atMs(until) } : {};
    const { grant } = january('purchase', onRenewal, '40', { renewal, ...expiry });
    const first = settled(stored(grant), { nowMs: atMs('02-01') });
    for (const grants of [stored(grant), first.grants]) {
      expect(spellLive(settled(grants, { nowMs: atMs(day) }).grants)).toBe(live);
    }
  });
});

describe('becoming effective, and expiring', () => {
  const pending = grantOf({ state: 'pending', effectiveFromMs: atMs('01-10'), expiresAtMs: atMs('01-20') });
  const live: Grant = { ...pending, state: 'live' };
  const GRANTS = {
    pending,
    live,
    spent: { ...pending, state: 'spent', remaining: 0n },
    voided: { ...pending, state: 'voided', remaining: 0n },
    endless: grantOf(),
    'pending, and comes again,': january('purchase', 'reset', '100', {
      state: 'pending',
      effectiveFromMs: atMs('01-10'),
    }).grant,
  } as const satisfies Record<string, Grant>;

  it.each([
    // grant    settled on    is             moved
    ['pending', '01-09T23:59', 'pending 100', ''],
    ['pending', '01-10', 'live 100', ''],
    ['pending', '01-20', 'expired 0', 'expired 100'],
    ['live', '01-19T23:59', 'live 100', ''],
    ['live', '01-20', 'expired 0', 'expired 100'],
    ['spent', '01-20', 'expired 0', ''],
    ['voided', '01-20', 'voided 0', ''],
    ['endless', '12-31', 'live 100', ''],
    ['pending, and comes again,', '01-10', 'live 100', ''],
    ['pending, and comes again,', '02-01', 'expired 0', 'expired 100, granted 100'],
  ] as const)('one that is %s on %s: %s', (name, day, is, moved) => {
    const grant = GRANTS[name];
    const { grants, changes } = settled(stored(grant), { nowMs: atMs(day) });
    const now = grants.get(grant.id);
    expect(`${now?.state} ${formatUnits(now?.remaining ?? -1n)}`).toBe(is);
    expect(spellMoved(changes)).toBe(moved);
  });
});

describe('voiding', () => {
  const { grant: comesAgain } = january('purchase', 'add', '70');

  it.each([
    ['live', '70', 'voided', 'voided 70'],
    ['spent', '0', 'voided', ''],
    ['pending', '100', 'voided', 'voided 100'],
    ['voided', '0', 'voided', ''],
    ['expired', '0', 'expired', ''],
  ] as const)('%s with %s left is %s: "%s"', (state, remaining, becomes, moved) => {
    const change = voidGrant(grantOf({ state, remaining: unitsOf(remaining) }));
    expect(change.grant).toMatchObject({ state: becomes, remaining: 0n });
    expect(spellMoved([change])).toBe(moved);
  });

  it('ends a repetition', () => {
    const grants = changedBy(new Map(), [voidGrant(comesAgain)]);
    expect(settled(grants, { nowMs: atMs('05-01') }).changes).toEqual([]);
  });
});

describe('the next instant at which a grant needs settling', () => {
  it.each([
    // grant                                                             due
    [grantOf(), null],
    [grantOf({ expiresAtMs: 9 }), 9],
    [grantOf({ expiresAtMs: 9, renewsAtMs: 7 }), 7],
    [grantOf({ expiresAtMs: null, renewsAtMs: 7 }), 7],
    [grantOf({ state: 'pending', effectiveFromMs: 5, expiresAtMs: 9 }), 5],
    [grantOf({ state: 'spent', remaining: 0n, expiresAtMs: 9 }), 9], // so that a refund can't revive it after that
    [grantOf({ state: 'expired', remaining: 0n, expiresAtMs: 9 }), null],
    [grantOf({ state: 'voided', remaining: 0n, expiresAtMs: 9 }), null],
    [grantOf({ state: 'voided', remaining: 0n, renewsAtMs: 7 }), 7],
  ])('%# → %s', (grant, dueMs) => expect(nextDueMs(grant)).toBe(dueMs));
});

const sumLive = (grants: Grants): string =>
  formatUnits(
    [...grants.values()].reduce((sum, { state, remaining }) => (state === 'live' ? sum + remaining : sum), 0n),
  );
