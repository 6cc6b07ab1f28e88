/**
 * Goal: what is asked for is refused in words that help, or becomes exactly that grant.
 * Method: it is noon on 15 January 2026 (UTC); vary the request.
 */
import { describe, expect, it } from 'vitest';
import { GRANT_PRIORITY } from './credit-rule.ts';
import { type GrantAsked, newGrant, problemOfGrant } from './new-grant.ts';
import { periodsIn } from './testing/grants.ts';
import { unitsOf } from './units.ts';

const NOW_MS = Date.parse('2026-01-15T12:00Z');
const atMs = (day: string): number => Date.parse(`2026-${day}T00:00Z`);
const asked = (changed: Partial<GrantAsked> = {}): GrantAsked => ({
  id: '00000000-0000-4000-8000-000000000001',
  featureKey: 'tokens',
  source: 'purchase',
  amount: unitsOf('100'),
  priority: null,
  effectiveFromMs: null,
  expiresAtMs: null,
  recurring: null,
  ...changed,
});

describe('refused', () => {
  const rollover = { max: null, maxFraction: null, expiresAfter: null };
  // biome-ignore format: a table
  it.each([
    // field                  sentence                                                                            asked
    ['amount', 'is 0; grant more than 0 units', { amount: 0n }],
    ['amount', 'is -0.5; grant more than 0 units', { amount: unitsOf('-0.5') }],
    ['priority', 'is -1; a priority is a whole number from 0 (burns first) to 1000000', { priority: -1 }],
    ['priority', 'is 1.5; a priority is a whole number from 0 (burns first) to 1000000', { priority: 1.5 }],
    ['priority', 'is 1000001; a priority is a whole number from 0 (burns first) to 1000000', { priority: 1_000_001 }],
    ['expiresAt', 'is 2026-01-15T12:00:00.000Z, which has passed; give a later instant, or null for never', { expiresAtMs: NOW_MS }],
    ['expiresAt', 'is 2026-02-01T00:00:00.000Z, not after effectiveFrom, 2026-02-01T00:00:00.000Z; a grant lives in between', { effectiveFromMs: atMs('02-01'), expiresAtMs: atMs('02-01') }],
    ['recurring.reset', 'is "never"; leave recurring out for a grant that comes once', { recurring: { reset: 'never', onRenewal: 'add' } }],
    ['recurring.reset', 'is "every 0 day"; an interval is a whole number of days, from 1 to 10000', { recurring: { reset: 'every 0 day', onRenewal: 'add' } }],
    ['recurring.onRenewal.rollover.max', 'is 0; a cap is above 0, or left out', { recurring: { reset: 'daily', onRenewal: { ...rollover, max: 0n } } }],
  ] as const)('%s %s', (path, sentence, changed) => {
    expect(problemOfGrant(asked(changed), NOW_MS)).toEqual({ path: path.split('.'), sentence });
  });

  it.each([
    [{ priority: 0 }],
    [{ priority: 1_000_000 }],
    [{ amount: 1n }],
    [{ expiresAtMs: NOW_MS + 1 }],
    [{ effectiveFromMs: atMs('01-01'), expiresAtMs: atMs('02-01') }],
    [{ recurring: { reset: 'every 6 hour', onRenewal: rollover }, expiresAtMs: atMs('02-01') }],
  ] as const)('%# is not', (changed) => expect(problemOfGrant(asked(changed), NOW_MS)).toBeNull());
});

describe('made', () => {
  it('of what is asked, from now on and for good', () => {
    expect(made()).toEqual({
      grant: {
        id: '00000000-0000-4000-8000-000000000001',
        featureKey: 'tokens',
        source: 'purchase',
        amount: unitsOf('100'),
        remaining: unitsOf('100'),
        priority: GRANT_PRIORITY,
        effectiveFromMs: NOW_MS,
        expiresAtMs: null,
        createdAtMs: NOW_MS,
        state: 'live',
        renewal: null,
        renewsAtMs: null,
        originId: null,
        rolledOver: false,
      },
      isNew: true,
      movements: [{ kind: 'granted', units: unitsOf('100') }],
    });
  });

  // biome-ignore format: a table
  it.each([
    // asked                                                      made
    [{ priority: 7 },                                             { priority: 7 }],
    [{ effectiveFromMs: atMs('01-01') },                          { effectiveFromMs: NOW_MS, state: 'live' }],
    [{ effectiveFromMs: atMs('03-05') },                          { effectiveFromMs: atMs('03-05'), state: 'pending' }],
    [{ expiresAtMs: atMs('03-05') },                              { expiresAtMs: atMs('03-05'), renewsAtMs: null }],
    [{ recurring: { reset: 'monthly', onRenewal: 'reset' } },     { expiresAtMs: atMs('02-01'), renewsAtMs: atMs('02-01') }],
    [{ recurring: { reset: 'monthly', onRenewal: 'add' } },       { expiresAtMs: null, renewsAtMs: atMs('02-01') }],
    [{ recurring: { reset: 'weekly', onRenewal: 'reset' }, effectiveFromMs: atMs('03-05') }, { renewsAtMs: atMs('03-09'), state: 'pending' }],
    // With an end of the repetition: nothing renews then or later, and nothing lives on.
    [{ recurring: { reset: 'monthly', onRenewal: 'reset' }, expiresAtMs: atMs('05-01') }, { expiresAtMs: atMs('02-01'), renewsAtMs: atMs('02-01') }],
    [{ recurring: { reset: 'monthly', onRenewal: 'add' }, expiresAtMs: atMs('05-01') },   { expiresAtMs: atMs('05-01'), renewsAtMs: atMs('02-01') }],
    [{ recurring: { reset: 'monthly', onRenewal: 'reset' }, expiresAtMs: atMs('01-20') }, { expiresAtMs: atMs('01-20'), renewsAtMs: null }],
    [{ recurring: { reset: 'monthly', onRenewal: 'reset' }, expiresAtMs: atMs('02-01') }, { expiresAtMs: atMs('02-01'), renewsAtMs: null }],
  ] as const)('%#', (changed, expected) => expect(made(changed).grant).toMatchObject(expected));
});

const made = (changed: Partial<GrantAsked> = {}) =>
  newGrant(asked(changed), { periodAt: periodsIn('UTC', 'daily'), featureReset: 'daily', nowMs: NOW_MS });
