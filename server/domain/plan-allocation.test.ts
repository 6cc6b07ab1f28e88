/**
 * Goal: a plan's credits follow its rule: from the first touch on, through every change of it, until it is gone.
 * Method: January's 100, of which so much is left; vary the rule. Each row tells the live grants, and what moved.
 */
import { describe, expect, it } from 'vitest';
import { nextDueMs, settleCredits } from './credits.ts';
import { voidGrant } from './grant-change.ts';
import {
  CUSTOMER_ID,
  changedBy,
  grantOf,
  periodsIn,
  ruleOf,
  settled,
  spellLive,
  spellMoved,
} from './testing/grants.ts';
import { atMs, held, january, onRenewalOf, stored } from './testing/january.ts';
import { unitsOf } from './units.ts';

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
    ['plain',   '09-09', '03-07', '100 to 04-01'], // a clock that is behind
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
    ['70', ['none', 'weekly'],              '70 to 01-19',   'withdrawn 70, granted 100, withdrawn 30'],
    ['70', ['add'],                         '70',            ''],
    ['70', ['roll 50'],                     '70 to 02-01',   ''],
    ['70', ['weekly'],                      '70 to 01-19',   'withdrawn 70, granted 100, withdrawn 30'], // at once
    ['70', ['weekly', 'plain'],             '70 to 02-01',   'withdrawn 70, granted 100, withdrawn 30, withdrawn 70, granted 100, withdrawn 30'],
    ['70', ['once'],                        '70',            'withdrawn 70, granted 100, withdrawn 30'],
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

  it('loses by its end what the rule’s going away did not take', () => {
    const { grant } = january('plan', 'reset', '70');
    const { grants, changes } = settled(stored(grant), { nowMs: atMs('02-01') });
    expect(spellLive(grants)).toBe('');
    expect(spellMoved(changes)).toBe('expired 70');
  });

  it.each([
    ['01-15', ''],
    ['01-19', '100 to 02-01'],
  ] as const)('after none, on %s, counts what was drawn by another reset while that period runs: %s', (day, live) => {
    const weekly = { reset: 'weekly', onRenewal: 'reset', amount: unitsOf('100'), untilMs: null } as const;
    const { grant } = january('plan', 'reset', '0', { renewal: weekly, effectiveFromMs: atMs('01-12') });
    const { grants } = settled(stored(grant), { nowMs: atMs('01-15') });
    expect(spellLive(settled(grants, { nowMs: atMs(day), rule: ruleOf() }).grants)).toBe(live);
  });

  it('rolls over up to the cap that was said last', () => {
    const { grant } = january('plan', 'roll over 50', '70');
    const rule = ruleOf({ onRenewal: onRenewalOf('roll over 5') });
    const { grants } = settled(stored(grant), { nowMs: atMs('01-15'), rule });
    expect(spellLive(settled(grants, { nowMs: atMs('02-01'), rule }).grants)).toBe('100 to 03-01, 5 rolled');
  });

  it.each([null, 'monthly'] as const)('has the very periods of the counter by the reset %s', (reset) => {
    const counters = { startMs: atMs('01-10'), endMs: atMs('02-10') };
    const regular = periodsIn('UTC', 'monthly');
    const changes = settleCredits({
      customerId: CUSTOMER_ID,
      featureKey: 'tokens',
      featureReset: 'monthly',
      grants: [],
      rule: ruleOf({ reset }),
      periodAt: (of, at) => (of === null ? counters : regular(of, at)),
      timeZone: 'UTC',
      grantedFromMs: atMs('01-15'),
      nowMs: atMs('01-15'),
    });
    expect(spellLive(changedBy(new Map(), changes))).toBe('100 to 02-10');
  });

  it('follows the counter where the rule has no reset of its own', () => {
    const { grants } = settled(new Map(), { nowMs: atMs('01-15'), rule: ruleOf(), featureReset: 'daily' });
    expect(spellLive(grants)).toBe('100 to 01-16');
  });

  it('that is voided is this period’s alone: it neither comes back within the period nor stays away after it', () => {
    const { grant: planned, rule } = january('plan', 'reset', '70');
    const grants = changedBy(new Map(), [voidGrant(planned)]);
    expect(settled(grants, { nowMs: atMs('01-31'), rule }).changes).toEqual([]);
    const february = settled(grants, { nowMs: atMs('02-01'), rule }).grants;
    expect(spellLive(february)).toBe('100 to 03-01');
    expect(february.get(planned.id)).toMatchObject({ state: 'voided', renewsAtMs: null });
    expect(nextDueMs([...grants.values()][0] ?? planned)).toBe(atMs('02-01'));
  });
});
