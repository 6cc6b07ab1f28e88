/**
 * Goal: which way a change of plan goes, when it takes effect, and what a customer has and waits for in between.
 * Method: plans spelled by their base prices, and one customer whose billing months begin on the 15th.
 */
import { describe, expect, it } from 'vitest';
import { type Customer, currentPlanOf, pendingPlanOf } from './customer.ts';
import type { BillingInterval, Catalog, Plan } from './plan.ts';
import { directionOf, moveTo, renewalOf, withPlan } from './plan-change.ts';
import { unitsOf } from './units.ts';

const TENANT = '2ed6657d-e927-568b-95e1-2665a8aea6a2';
const at = (text: string): number => Date.parse(text);
const NOW = at('2026-03-20T12:00:00Z');
const RENEWAL = at('2026-04-15T00:00:00Z');

/** A plan by its base prices: `10 usd month`, several with `+` between them, `-` for none. */
function planOf(spelled: string, key = 'plan', version = 1): Plan {
  const prices = spelled === '-' ? [] : spelled.split(' + ').map(priceOf);
  return {
    tenantId: TENANT,
    key,
    displayName: key,
    version,
    prices,
    rateLimits: [],
    spendLimit: null,
    wallet: null,
    features: new Map(),
    archivedAtMs: null,
  };
}

function priceOf(spelled: string) {
  const [amount = '', currency = '', interval = ''] = spelled.split(' ');
  return { amount: unitsOf(amount), currency, interval: interval as BillingInterval }; // the tables spell no other
}

describe('the direction of a change', () => {
  it.each([
    // from                              to                                direction
    ['10 usd month', '20 usd month', 'upgrade'],
    ['20 usd month', '10 usd month', 'downgrade'],
    ['10 usd month', '10 usd month', 'equal'],
    ['10 usd month', '9.999999999 usd month', 'downgrade'],
    // Compared by the month, exactly.
    ['10 usd month', '120 usd year', 'equal'],
    ['10 usd month', '119.999999999 usd year', 'downgrade'],
    ['7 usd week', '1 usd day', 'equal'],
    ['1 usd day', '30 usd month', 'downgrade'], // a month has 30.436875 days
    ['1 usd day', '30.436875 usd month', 'equal'],
    ['1 usd week', '4.35 usd month', 'upgrade'],
    // Without a base price a plan costs nothing.
    ['-', '10 usd month', 'upgrade'],
    ['10 usd month', '-', 'downgrade'],
    ['-', '-', 'equal'],
    ['0 usd month', '-', 'equal'],
    // Of several prices: the customer's is the first; the other plan's is in its currency, for as long a time if it can be.
    ['10 usd month + 100 usd year', '9 usd month + 900 usd year', 'downgrade'],
    ['100 usd year', '1 usd month + 120 usd year', 'upgrade'],
    ['100 usd year', '9 usd month', 'upgrade'],
    ['10 eur month', '20 usd month + 5 eur month', 'downgrade'],
    // Currencies don't compare, unless it is nothing.
    ['10 usd month', '1 eur month', 'unknown'],
    ['0 usd month', '1 eur month', 'upgrade'],
    ['10 usd month', '0 eur month', 'downgrade'],
  ])('%s → %s: %s', (from, to, direction) => expect(directionOf(planOf(from), planOf(to))).toBe(direction));

  it('is unknown for a customer without a plan, who may use everything', () => {
    expect(directionOf(null, planOf('10 usd month'))).toBe('unknown');
    expect(directionOf(null, planOf('-'))).toBe('unknown');
  });
});

const customer: Customer = {
  id: '0d7ce1e0-3a5b-5a8e-9f6c-0d2a0f1f7a11',
  tenantId: TENANT,
  referenceId: 'acme',
  referenceType: 'user',
  name: null,
  email: null,
  planKey: 'pro',
  planVersion: 1,
  pendingPlan: null,
  timeZone: 'UTC',
  anchorAtMs: at('2026-01-15T00:00:00Z'),
  anchorTimeZone: null,
  metadata: null,
  overrides: new Map(),
  mutes: [],
  sequence: 0n,
  createdAtMs: at('2026-01-15T00:00:00Z'),
};

describe('the renewal', () => {
  it.each([
    ['10 usd month', '2026-04-15T00:00:00Z'],
    ['100 usd year', '2027-01-15T00:00:00Z'],
    ['1 usd week', '2026-03-26T00:00:00Z'], // 15 January was a Thursday
    ['1 usd day', '2026-03-21T00:00:00Z'],
    ['100 usd year + 10 usd month', '2027-01-15T00:00:00Z'],
    ['-', '2026-04-15T00:00:00Z'],
  ])('of a plan for %s is at %s', (prices, renewal) =>
    expect(new Date(renewalOf(customer, planOf(prices), NOW))).toEqual(new Date(renewal)),
  );

  it('of a customer without a plan is by the month', () => {
    expect(renewalOf(customer, null, NOW)).toBe(RENEWAL);
  });

  it('at the very end of a period is the end of the next one', () => {
    expect(renewalOf(customer, planOf('10 usd month'), RENEWAL)).toBe(at('2026-05-15T00:00:00Z'));
  });

  it('is in the time zone of the customer', () => {
    const berlin = { anchorAtMs: at('2026-01-14T23:00:00Z'), anchorTimeZone: null, timeZone: 'Europe/Berlin' }; // midnight there
    expect(new Date(renewalOf(berlin, planOf('10 usd month'), NOW))).toEqual(new Date('2026-04-14T22:00:00Z'));
  });
});

/** `pro` has two versions, of which the newest is cheaper; nobody was moved. */
const PLANS = [
  planOf('-', 'free'),
  planOf('20 usd month', 'pro', 1),
  planOf('15 usd month', 'pro', 2),
  planOf('90 usd month', 'scale'),
  planOf('90 eur month', 'euro'),
];

const catalog: Catalog = {
  version: 1,
  features: new Map(),
  plans: new Map(PLANS.map((plan) => [plan.key, plan])), // the last one of a key is the newest
  planVersions: new Map(
    PLANS.map(({ key }) => [
      key,
      { movedVersion: 1, byNumber: new Map(PLANS.filter((p) => p.key === key).map((p) => [p.version, p])) },
    ]),
  ),
  defaultPlanKey: null,
};

const newest = (key: string): Plan => {
  const plan = catalog.plans.get(key);
  if (!plan) throw new Error(`no plan ${key}`);
  return plan;
};

/** `pro 1 → free 1 2026-04-15`: what the customer has, and what it waits for. */
function spell(of: Customer): string {
  const pending = of.pendingPlan;
  const day = pending && new Date(pending.atMs).toISOString().slice(0, 10);
  return `${of.planKey} ${of.planVersion}${pending ? ` → ${pending.planKey} ${pending.planVersion} ${day}` : ''}`;
}

describe('a customer on pro 1', () => {
  it.each([
    ['scale', null, 'scale 1'],
    ['scale', 'at_renewal', 'pro 1 → scale 1 2026-04-15'],
    ['free', null, 'pro 1 → free 1 2026-04-15'],
    ['free', 'immediately', 'free 1'],
    ['free', 'at_renewal', 'pro 1 → free 1 2026-04-15'],
    ['euro', null, 'euro 1'], // not to be compared, so at once
    ['pro', null, 'pro 1 → pro 2 2026-04-15'], // its own plan has become cheaper
    ['pro', 'immediately', 'pro 2'],
  ] as const)('set to %s, effective %s: %s', (key, effective, says) =>
    expect(spell(withPlan(customer, catalog, newest(key), effective, NOW))).toBe(says),
  );

  const waiting = withPlan(customer, catalog, newest('free'), null, NOW);

  it('keeps it until the change is due, and has the other one from that instant on', () => {
    expect(currentPlanOf(waiting, RENEWAL - 1)).toEqual({ planKey: 'pro', planVersion: 1 });
    expect(pendingPlanOf(waiting, RENEWAL - 1)).toEqual({ planKey: 'free', planVersion: 1, atMs: RENEWAL });
    expect(currentPlanOf(waiting, RENEWAL)).toEqual({ planKey: 'free', planVersion: 1 });
    expect(pendingPlanOf(waiting, RENEWAL)).toBeNull();
  });

  it.each([
    ['scale', null, 'scale 1'],
    ['free', 'immediately', 'free 1'],
    ['scale', 'at_renewal', 'pro 1 → scale 1 2026-04-15'],
  ] as const)('waiting for free, then set to %s, effective %s: %s', (key, effective, says) =>
    expect(spell(withPlan(waiting, catalog, newest(key), effective, NOW + 1))).toBe(says),
  );

  it('waiting for free is back on what it had, also at renewal, where that is the newest', () => {
    const onNewest = withPlan({ ...customer, planVersion: 2 }, catalog, newest('free'), null, NOW);
    expect(spell(withPlan(onNewest, catalog, newest('pro'), 'at_renewal', NOW + 1))).toBe('pro 2');
  });

  it('whose change was due starts from the plan it has by now', () => {
    expect(spell(withPlan(waiting, catalog, newest('scale'), 'at_renewal', RENEWAL))).toBe(
      'free 1 → scale 1 2026-05-15',
    );
    expect(spell(withPlan(waiting, catalog, newest('free'), 'at_renewal', RENEWAL))).toBe('free 1');
  });
});

describe('the others', () => {
  it.each([
    ['without a plan', { planKey: null, planVersion: null }, 'free', null, 'free 1'],
    ['without a plan', { planKey: null, planVersion: null }, 'free', 'at_renewal', 'null null → free 1 2026-04-15'],
    ['on whatever is newest', { planKey: 'pro', planVersion: null }, 'pro', null, 'pro 2'],
    ['on whatever is newest', { planKey: 'pro', planVersion: null }, 'free', null, 'pro null → free 1 2026-04-15'],
    ['on a plan that costs nothing', { planKey: 'free', planVersion: 1 }, 'pro', null, 'pro 2'],
  ] as const)('%s %j, set to %s, effective %s: %s', (_who, held, key, effective, says) =>
    expect(spell(withPlan({ ...customer, ...held }, catalog, newest(key), effective, NOW))).toBe(says),
  );
});

describe('those who have a plan that is saved', () => {
  const [, , pro2 = planOf('-')] = PLANS;
  const movedTo = (movedVersion: number): Catalog => ({
    ...catalog,
    planVersions: new Map([['pro', { movedVersion, byNumber: new Map() }]]),
  });
  it.each([
    ['stay', 1, null],
    [undefined, 1, null],
    [null, 1, null],
    ['move', 1, 2],
    ['move', 2, null], // they have it already
  ] as const)('%s, moved to %s before: to %s', (existing, before, to) =>
    expect(moveTo(movedTo(before), pro2, existing)).toBe(to),
  );

  it('of a new plan are nobody', () => {
    expect(moveTo({ ...catalog, planVersions: new Map() }, planOf('-', 'new'), 'move')).toBeNull();
  });
});
