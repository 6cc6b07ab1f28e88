/**
 * Goal: what a subscription entitles to, in every status, and what a customer becomes by it. Method: tables over statuses
 * and times, and a law: however a life is looked at, as often and as late as one likes, the customer ends the same.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Customer, currentPlanOf } from './customer.ts';
import type { Catalog, Plan } from './plan.ts';
import {
  type FoundSubscription,
  follow,
  governing,
  isRunning,
  keptOf,
  type Subscription,
  standingOf,
} from './subscription.ts';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-01-10T09:00:00Z');
const GRACE = 7 * DAY;

const plan = (key: string, version = 1): Plan => ({
  tenantId: 't',
  key,
  displayName: key,
  version,
  prices: [],
  rateLimits: [],
  spendLimit: null,
  wallet: null,
  features: new Map(),
  archivedAtMs: null,
});
const catalogWith = (defaultPlanKey: string | null): Catalog => ({
  version: 1,
  features: new Map(),
  plans: new Map([plan('free', 3), plan('pro', 2), plan('team')].map((one) => [one.key, one])),
  planVersions: new Map(),
  defaultPlanKey,
});
const CATALOG = catalogWith('free');

const CUSTOMER: Customer = {
  id: 'c',
  tenantId: 't',
  referenceId: 'acme',
  referenceType: 'user',
  name: null,
  email: null,
  planKey: 'free',
  planVersion: 3,
  pendingPlan: null,
  timeZone: 'UTC',
  anchorAtMs: START - 90 * DAY,
  anchorTimeZone: null,
  metadata: null,
  overrides: new Map(),
  mutes: [],
  sequence: 0n,
  createdAtMs: START - 90 * DAY,
};

const SUBSCRIPTION: FoundSubscription = {
  id: 'sub_1',
  status: 'active',
  planKey: 'pro',
  interval: 'month',
  currency: 'usd',
  anchorAtMs: START,
  periodStartMs: START,
  periodEndMs: START + 31 * DAY,
  cancelsAtMs: null,
  endedAtMs: null,
  pastDueSinceMs: null,
  createdAtMs: START,
};
const found = (fields: Partial<FoundSubscription> = {}): FoundSubscription => ({ ...SUBSCRIPTION, ...fields });
const known = (fields: Partial<FoundSubscription> = {}): Subscription => keptOf(null, found(fields), at(0));

/** As `pro`, `pro → free 20d`: the plan now, and what comes when. */
function spell({ pendingPlan, ...customer }: Customer, nowMs: number): string {
  const { planKey, planVersion } = currentPlanOf({ ...customer, pendingPlan }, nowMs);
  const pending = pendingPlan && pendingPlan.atMs > nowMs ? pendingPlan : null;
  return `${planKey}@${planVersion}${pending ? ` → ${pending.planKey} ${(pending.atMs - START) / DAY}d` : ''}`;
}

const at = (days: number) => ({ nowMs: START + days * DAY, graceMs: GRACE });

describe('a subscription that is found', () => {
  it.each([
    // status             since  cancels  at   the customer has
    ['incomplete', null, null, 1, 'free@3'],
    ['incomplete_expired', null, null, 1, 'free@3'],
    ['trialing', null, null, 1, 'pro@2'],
    ['active', null, null, 1, 'pro@2'],
    ['active', null, 20, 1, 'pro@2 → free 20d'],
    ['active', null, 20, 20, 'free@3'],
    ['past_due', null, null, 1, 'pro@2 → free 8d'],
    ['past_due', 1, null, 5, 'pro@2 → free 8d'],
    ['past_due', 1, null, 8, 'free@3'],
    ['past_due', 1, 4, 2, 'pro@2 → free 4d'],
    ['past_due', 1, 20, 2, 'pro@2 → free 8d'],
    ['unpaid', null, null, 1, 'free@3'],
    ['paused', null, null, 1, 'free@3'],
    ['canceled', null, null, 1, 'free@3'],
  ] as const)(
    '%s, past due since day %s, called off for day %s, looked at on day %s: %s',
    (status, since, cancels, days, has) => {
      const dated = (day: number | null) => (day === null ? null : START + day * DAY);
      const subscription = found({ status, pastDueSinceMs: dated(since), cancelsAtMs: dated(cancels) });
      const { customer } = follow(CUSTOMER, null, subscription, CATALOG, at(days));
      expect(spell(customer, at(days).nowMs)).toBe(has);
      const isSomething = !status.startsWith('incomplete');
      expect(customer.anchorAtMs).toBe(isSomething ? START : CUSTOMER.anchorAtMs);
    },
  );

  it('changes nothing where it is as it was known, also on a plan given by hand', () => {
    const byHand = { ...CUSTOMER, planKey: 'team', planVersion: 1, anchorAtMs: START };
    expect(follow(byHand, known(), found({ periodStartMs: START + 31 * DAY }), CATALOG, at(31)).customer).toBe(byHand);
  });

  it.each([
    ['another plan', known(), found({ planKey: 'team' }), 'team@1'],
    ['called off', known(), found({ cancelsAtMs: START + 31 * DAY }), 'pro@1 → free 31d'],
    ['not called off after all', known({ cancelsAtMs: START + 31 * DAY }), found(), 'pro@1'],
    ['paid late', known({ status: 'past_due' }), found(), 'pro@1'],
    ['gone', known(), found({ status: 'canceled', endedAtMs: START + DAY }), 'free@3'],
    ['another subscription after one that ended', known({ status: 'canceled' }), found({ id: 'sub_2' }), 'pro@1'],
  ] as const)('follows: %s', (_what, before, now, has) => {
    const onPro = { ...CUSTOMER, planKey: 'pro', planVersion: 1, pendingPlan: null };
    expect(spell(follow(onPro, before, now, CATALOG, at(2)).customer, at(2).nowMs)).toBe(has);
  });

  it('keeps the plan where there is none to fall back to', () => {
    const onPro = { ...CUSTOMER, planKey: 'pro', planVersion: 2 };
    for (const defaultPlanKey of [null, 'gone']) {
      const ended = follow(onPro, known(), found({ status: 'canceled' }), catalogWith(defaultPlanKey), at(2));
      expect(ended.customer).toEqual(onPro);
      expect(ended.subscription?.status).toBe('canceled');
    }
  });

  it('waits where there is no such plan, and follows as soon as there is', () => {
    const stray = found({ planKey: 'stray' });
    const waiting = follow(CUSTOMER, null, stray, CATALOG, at(1));
    expect(spell(waiting.customer, at(1).nowMs)).toBe('free@3');
    expect(waiting.subscription).toMatchObject({ planKey: 'stray', isFollowed: false });
    const plans = new Map([...CATALOG.plans, ['stray', plan('stray', 4)] as const]);
    const there = follow(waiting.customer, waiting.subscription, stray, { ...CATALOG, plans }, at(2));
    expect(spell(there.customer, at(2).nowMs)).toBe('stray@4');
    expect(there.subscription).toMatchObject({ isFollowed: true });
    const ended = follow(CUSTOMER, waiting.subscription, { ...stray, status: 'canceled' }, CATALOG, at(2));
    expect(ended.subscription).toMatchObject({ isFollowed: true }); // there is nothing left to wait for
  });

  it('keeps the plan that it has where it is changed to one that is not there', () => {
    const onPro = { ...CUSTOMER, planKey: 'pro', planVersion: 1 };
    const moved = follow(onPro, known(), found({ planKey: 'stray' }), CATALOG, at(2));
    expect([spell(moved.customer, at(2).nowMs), moved.subscription?.isFollowed]).toEqual(['pro@1', false]);
    const back = follow(moved.customer, moved.subscription, found(), CATALOG, at(3));
    expect([spell(back.customer, at(3).nowMs), back.subscription?.isFollowed]).toEqual(['pro@1', true]);
  });

  it.each([
    ['active', 'free@3', 'canceled'],
    ['past_due', 'free@3', 'canceled'],
    ['unpaid', 'pro@1', 'canceled'], // it had fallen back: this one was given by hand since
    ['incomplete', 'pro@1', 'incomplete'], // it never was anything
    ['canceled', 'pro@1', 'canceled'], // and on a plan that was given by hand since
  ] as const)('that was %s and is gone: %s', (status, has, is) => {
    const onPro = { ...CUSTOMER, planKey: 'pro', planVersion: 1 };
    const { customer, subscription } = follow(onPro, known({ status }), null, CATALOG, at(2));
    expect([spell(customer, at(2).nowMs), subscription?.status]).toEqual([has, is]);
  });

  it.each([
    ['new', null, found(), 0],
    ['new, and in its second period', null, found({ periodStartMs: START + DAY }), 1],
    ['another after one that ended', known({ status: 'canceled' }), found({ id: 'sub_2' }), 0],
    ['the same, on another plan', known(), found({ planKey: 'team' }), 3],
    ['of a time to come', null, found({ periodStartMs: START + 9 * DAY }), 3],
    ['over', known(), found({ status: 'canceled' }), 3],
  ] as const)('%s: its plan is paid from the start of it', (_what, before, now, since) => {
    expect(follow(CUSTOMER, before, now, CATALOG, at(3)).planSinceMs).toBe(START + since * DAY);
  });

  it('is past due since it was first seen so, or since before that', () => {
    const seen = keptOf(null, found({ status: 'past_due' }), at(3));
    expect(seen.pastDueSinceMs).toBe(START + 3 * DAY);
    expect(keptOf(seen, found({ status: 'past_due' }), at(5)).pastDueSinceMs).toBe(START + 3 * DAY);
    const told = found({ status: 'past_due', pastDueSinceMs: START + DAY });
    const again = found({ status: 'past_due', pastDueSinceMs: START + 4 * DAY }); // paid in between, and nobody saw it
    expect(keptOf(seen, again, at(5))).toMatchObject({
      pastDueSinceMs: START + 4 * DAY,
      graceEndsAtMs: START + 11 * DAY,
    });
    expect(keptOf(seen, told, at(5)).pastDueSinceMs).toBe(START + DAY);
    expect(keptOf(seen, found(), at(5))).toMatchObject({ pastDueSinceMs: null, graceEndsAtMs: null });
  });

  it('falls back at another time when the grace is another', () => {
    const late = found({ status: 'past_due', pastDueSinceMs: START });
    const before = follow(CUSTOMER, null, late, CATALOG, at(1));
    expect(spell(before.customer, at(1).nowMs)).toBe('pro@2 → free 7d');
    const longer = follow(before.customer, before.subscription, late, CATALOG, { ...at(1), graceMs: 9 * DAY });
    expect(spell(longer.customer, at(1).nowMs)).toBe('pro@2 → free 9d');
  });
});

describe('of several subscriptions', () => {
  it.each([
    ['the one that runs', ['canceled 5', 'active 1', 'incomplete 9'], 'active 1'],
    ['the newest that entitles', ['active 1', 'past_due 3'], 'past_due 3'],
    ['one that is paid, before a newer one whose grace is over', ['active 1', 'past_due 2'], 'active 1'],
    ['one whose grace is over, before one that has ended', ['past_due 2', 'canceled 3'], 'past_due 2'],
    ['one that may go on, before one that has ended', ['unpaid 1', 'canceled 2'], 'unpaid 1'],
    ['one that has ended, before one that never began', ['incomplete_expired 3', 'canceled 2'], 'canceled 2'],
  ] as const)('%s counts', (_what, all, counts) => {
    const subscriptions = all.map((text) => {
      const [status = '', day = ''] = text.split(' ');
      const createdAtMs = START + Number(day) * DAY; // and not paid since, where it is past due: 9 days are looked at
      const pastDueSinceMs = status === 'past_due' ? createdAtMs : null;
      return found({ id: text, status: status as Subscription['status'], createdAtMs, pastDueSinceMs });
    });
    fc.assert(
      fc.property(fc.shuffledSubarray(subscriptions, { minLength: subscriptions.length }), (shuffled) => {
        expect(governing(shuffled, null, at(9))?.id).toBe(counts);
      }),
      { numRuns: 20 },
    );
  });

  it('is none of none', () => expect(governing([], null, at(0))).toBeNull());

  it('says which would be paid twice beside another', () => {
    const running = ['trialing', 'active', 'past_due', 'unpaid', 'paused'];
    for (const status of ['incomplete', 'incomplete_expired', 'canceled', ...running] as Subscription['status'][])
      expect(isRunning({ status })).toBe(running.includes(status));
  });
});

describe('a life that is looked at', () => {
  const stage = fc.record({
    status: fc.constantFrom('trialing', 'active', 'past_due', 'unpaid', 'paused', 'incomplete') as fc.Arbitrary<
      Subscription['status']
    >,
    planKey: fc.constantFrom('pro', 'team'),
    cancelsAtMs: fc.constantFrom(null, START + 20 * DAY, START + 40 * DAY),
  });
  const LAST = at(60);

  it('ends the same, whatever was seen of it in between', () => {
    fc.assert(
      fc.property(
        fc.array(stage, { maxLength: 6 }),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        fc.constantFrom('active', 'canceled', 'unpaid') as fc.Arbitrary<Subscription['status']>,
        (stages, isSeen, status) => {
          const end = found({ status, planKey: 'team', endedAtMs: status === 'canceled' ? LAST.nowMs : null });
          const look = (seen: readonly FoundSubscription[]) =>
            seen.reduce(
              (so, one, i) => follow(so.customer, so.subscription, one, CATALOG, i === seen.length - 1 ? LAST : at(i)),
              { customer: CUSTOMER, subscription: null as Subscription | null },
            );
          const lives = stages.map((fields) => found(fields));
          const partly = look([...lives.filter((_, i) => isSeen[i]), end, end]);
          const only = look([end]);
          expect(spell(partly.customer, LAST.nowMs)).toBe(spell(only.customer, LAST.nowMs));
          expect(partly.subscription).toEqual(only.subscription);
          expect(standingOf(partly.subscription, LAST.nowMs)).toEqual(standingOf(only.subscription, LAST.nowMs));
        },
      ),
    );
  });
});
