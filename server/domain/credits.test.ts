/**
 * Goal: credits come, renew, roll over, end and follow their rule as is promised, whenever somebody looks.
 * Method: 100 units a month given on 1 January 2026 (UTC), by a plan or as a purchase that comes again; vary what is left,
 * the rule, and when it is settled. Each row tells the live grants afterwards, and what moved.
 */
import { describe, expect, it } from 'vitest';
import type { OnRenewal } from './credit-rule.ts';
import { nextDueMs } from './credits.ts';
import type { Grant, Renewal } from './grant.ts';
import { voidGrant } from './grant-change.ts';
import { intervalOf } from './period.ts';
import { MISSED_PERIODS_MAX } from './renewal.ts';
import {
  changedBy,
  type Grants,
  grantOf,
  ruleOf,
  type SettledAt,
  settled,
  spellLive,
  spellMoved,
} from './testing/grants.ts';
import { formatUnits, unitsOf } from './units.ts';

const atMs = (day: string): number => Date.parse(`2026-${day}${day.includes('T') ? '' : 'T00:00'}Z`);

/** Says what happens on renewal: `reset`, `add`, `roll over`, `roll over 50`, `roll over 50% for 3 month`. */
function onRenewalOf(text: string): OnRenewal {
  if (text === 'reset' || text === 'add') return text;
  const [, cap, percent, every, unit] = /^roll over(?: ([\d.]+)(%)?)?(?: for (\d+) (month|week))?$/.exec(text) ?? [];
  return {
    max: cap && !percent ? unitsOf(cap) : null,
    maxFraction: cap && percent ? unitsOf(cap) / 100n : null,
    expiresAfter: every ? intervalOf(Number(every), unit === 'week' ? 'week' : 'month') : null,
  };
}

/** January's 100, by the one or the other way of repeating; so much of it is left. */
type Way = 'plan' | 'purchase';
const WAYS: readonly Way[] = ['plan', 'purchase'];

function january(way: Way, renews: string, left: string, changed: Partial<Grant> = {}) {
  const onRenewal = onRenewalOf(renews);
  const priority = way === 'plan' ? 0 : 100;
  const grant = grantOf({
    id: way === 'plan' ? '00000000-0000-4000-8000-000000000001' : '00000000-0000-4000-8000-000000000002',
    source: way,
    priority,
    remaining: unitsOf(left),
    effectiveFromMs: atMs('01-01'),
    createdAtMs: atMs('01-01'),
    state: left === '0' ? 'spent' : 'live',
    renewal: { reset: 'monthly', onRenewal, amount: unitsOf('100'), untilMs: null },
    renewsAtMs: atMs('02-01'),
    expiresAtMs: onRenewal === 'add' ? null : atMs('02-01'),
    ...changed,
  });
  const rule = way === 'plan' ? ruleOf({ onRenewal }) : null;
  return { grant, rule };
}

const held = (of: Grant, units: string, until: string | null): Grant =>
  grantOf({
    ...of,
    id: `rolled ${units} ${until}`,
    amount: unitsOf(units),
    remaining: unitsOf(units),
    state: 'live',
    renewal: null,
    renewsAtMs: null,
    expiresAtMs: until === null ? null : atMs(until),
    originId: of.id,
    rolledOver: true,
  });

const stored = (...grants: readonly Grant[]): Grants => new Map(grants.map((grant) => [grant.id, grant]));

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

/** Rules of a plan: 100 a month, but for what the name says. */
const RULES = {
  none: null,
  plain: ruleOf(),
  monthly: ruleOf({ reset: 'monthly' }), // which is the counter's own
  weekly: ruleOf({ reset: 'weekly' }),
  once: ruleOf({ reset: 'never' }),
  200: ruleOf({ allocation: unitsOf('200') }),
  50: ruleOf({ allocation: unitsOf('50') }),
  add: ruleOf({ onRenewal: 'add' }),
  'roll 50': ruleOf({ onRenewal: onRenewalOf('roll over 50') }),
} as const;

describe('the allocation of a plan', () => {
  // biome-ignore format: a table
  it.each([
    // rule     since    touched  live
    ['plain',   '03-07', '03-07', '100 to 04-01'], // of the whole period
    ['weekly',  '03-07', '03-07', '100 to 03-09'],
    ['once',    '03-07', '03-07', '100'],
    ['plain',   '01-07', '03-07', '100 to 04-01'],
    ['add',     '01-07', '03-07', '100, 200'], // as if somebody had looked
    ['roll 50', '01-07', '03-07', '100 to 04-01, 50 rolled'],
    ['add',     '09-09', '03-07', '100'], // a clock that is behind
    ['none',    '01-07', '03-07', ''],
  ] as const)('%s since %s, first touched on %s → %s', (name, since, day, live) => {
    const at = { nowMs: atMs(day), rule: RULES[name], grantedFromMs: atMs(since) };
    expect(spellLive(settled(new Map(), at).grants)).toBe(live);
  });

  // biome-ignore format: a table
  it.each([
    // left  rules on 15 January            live             moved
    ['70', ['plain'],                       '70 to 02-01',   ''],
    ['70', ['monthly'],                     '70 to 02-01',   ''],
    ['70', ['200'],                         '170 to 02-01',  'granted 100'],
    ['70', ['200', 'plain'],                '70 to 02-01',   'granted 100, withdrawn 100'],
    ['70', ['50'],                          '20 to 02-01',   'withdrawn 50'],
    ['20', ['50'],                          '',              'withdrawn 20'], // 80 were drawn
    ['20', ['50', 'plain'],                 '20 to 02-01',   'withdrawn 20, granted 20'],
    ['20', ['50', '200'],                   '120 to 02-01',  'withdrawn 20, granted 120'],
    ['70', ['none'],                        '',              'withdrawn 70'],
    ['70', ['none', 'plain'],               '70 to 02-01',   'withdrawn 70, granted 70'], // what was drawn stays drawn
    ['70', ['none', '200'],                 '170 to 02-01',  'withdrawn 70, granted 170'],
    ['20', ['none', '50'],                  '',              'withdrawn 20'],
    ['70', ['none', 'weekly'],              '100 to 01-19',  'withdrawn 70, granted 100'],
    ['70', ['add'],                         '70',            ''],
    ['70', ['roll 50'],                     '70 to 02-01',   ''],
    ['70', ['weekly'],                      '100 to 01-19',  'expired 70, granted 100'], // at once
    ['70', ['weekly', 'plain'],             '100 to 02-01',  'expired 70, granted 100, expired 100, granted 100'],
    ['70', ['once'],                        '100',           'expired 70, granted 100'],
  ] as const)('%s left, then %j → %s', (left, names, live, says) => {
    const moved: string[] = [];
    let grants = stored(january('plan', 'reset', left).grant);
    for (const name of names) {
      const at = { nowMs: atMs('01-15'), rule: RULES[name] };
      const next = settled(grants, at);
      moved.push(spellMoved(next.changes));
      grants = next.grants;
      expect(settled(grants, at).changes).toEqual([]);
    }
    expect(spellLive(grants)).toBe(live);
    expect(moved.filter((text) => text !== '').join(', ')).toBe(says);
  });

  it('burns at the new rule’s priority from now on', () => {
    const { grant } = january('plan', 'reset', '70');
    const { grants, changes } = settled(stored(grant), { nowMs: atMs('01-15'), rule: ruleOf({ priority: 7 }) });
    expect(grants.get(grant.id)?.priority).toBe(7);
    expect(spellMoved(changes)).toBe('');
  });

  it('renews by the rule it was made under, into what the rule is now', () => {
    const { grant } = january('plan', 'roll over 50', '70');
    const { grants } = settled(stored(grant), { nowMs: atMs('02-03'), rule: RULES[200] });
    expect(spellLive(grants)).toBe('200 to 03-01, 50 rolled');
  });

  it('takes what rolled over and what added up along when the rule goes, and leaves purchases alone', () => {
    const { grant } = january('plan', 'add', '70');
    const older = { ...grant, id: 'older', renewsAtMs: null, effectiveFromMs: 0 };
    const all = stored(grant, older, held(grant, '30', null), grantOf({ id: 'bought' }));
    const { grants, changes } = settled(all, { nowMs: atMs('01-15') });
    expect(spellLive(grants)).toBe('100');
    expect(spellMoved(changes)).toBe('withdrawn 70, withdrawn 70, withdrawn 30');
    expect(grants.get('bought')?.state).toBe('live');
  });

  it('follows the counter where the rule has no reset of its own', () => {
    const { grants } = settled(new Map(), { nowMs: atMs('01-15'), rule: ruleOf(), featureReset: 'daily' });
    expect(spellLive(grants)).toBe('100 to 01-16');
  });
});

describe('voiding', () => {
  const { grant: planned, rule } = january('plan', 'reset', '70');
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

  it('takes this period’s allocation alone: it neither comes back within the period nor stays away after it', () => {
    const grants = changedBy(new Map(), [voidGrant(planned)]);
    expect(settled(grants, { nowMs: atMs('01-31'), rule }).changes).toEqual([]);
    expect(spellLive(settled(grants, { nowMs: atMs('02-01'), rule }).grants)).toBe('100 to 03-01');
    expect(nextDueMs([...grants.values()][0] ?? planned)).toBe(atMs('02-01'));
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
    [grantOf({ state: 'voided', remaining: 0n, renewsAtMs: 7, source: 'plan' }), 7],
  ])('%# → %s', (grant, dueMs) => expect(nextDueMs(grant)).toBe(dueMs));
});

const sumLive = (grants: Grants): string =>
  formatUnits(
    [...grants.values()].reduce((sum, { state, remaining }) => (state === 'live' ? sum + remaining : sum), 0n),
  );
