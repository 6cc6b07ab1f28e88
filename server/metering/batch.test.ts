/**
 * Goal: a batch decides as if its requests had come one by one. Method: one small catalog and three customers in
 * memory; random requests with everything that can be wrong with them; and the laws of a batch over those.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { featureOf, planOf } from '../domain/definitions.ts';
import type { Feature } from '../domain/feature.ts';
import { CONSUME_MODES } from '../domain/meter-state.ts';
import type { Catalog, Plan } from '../domain/plan.ts';
import type { Price } from '../domain/price.ts';
import { formatUnits, ONE, unitsOf } from '../domain/units.ts';
import { type BatchResult, decideBatch, type Outcome } from './batch.ts';
import type { ConsumeRequest, Consumption, Request } from './requests.ts';
import type { CustomerState } from './state.ts';
import { newConsume } from './testing/new-consume.ts';
import { newCustomer } from './testing/new-customer.ts';

const NOW = Date.parse('2026-03-15T12:00:00Z');
const TENANT = '2ed6657d-e927-568b-95e1-2665a8aea6a2';

const feature = (key: string, fields: Partial<Feature>): [string, Feature] => [
  key,
  { ...featureOf(TENANT, { key }), ...fields },
];
const plan = (key: string, fields: Partial<Plan>): [string, Plan] => [
  key,
  { ...planOf(TENANT, { key, features: new Map() }, null), ...fields },
];
const PLANS = new Map([
  plan('basic', {
    features: new Map([
      ['calls', {}],
      ['seats', {}],
      ['tokens', {}],
    ]),
  }),
  plan('slow', { features: new Map([['calls', { limit: null }]]), rateLimits: [{ limit: 2, windowMs: 60_000 }] }),
  plan('gone', { archivedAtMs: 1 }),
]);

const perUnit = (unitAmount: string): Price => ({
  model: 'per_unit',
  unitAmount: unitsOf(unitAmount),
  currency: 'usd',
  minimumSpend: null,
  maximumSpend: null,
});

const CATALOG: Catalog = {
  version: 3,
  defaultPlanKey: null,
  features: new Map([
    feature('calls', { limit: unitsOf('10') }),
    feature('seats', { aggregation: 'count', limit: unitsOf('3'), minLimit: 0n, reset: 'never' }),
    feature('tokens', {
      price: perUnit('0.5'),
      included: unitsOf('4'),
      reset: 'daily',
    }),
    feature('gone', { archivedAtMs: 1 }),
  ]),
  plans: PLANS,
  planVersions: new Map([...PLANS].map(([key, one]) => [key, { movedVersion: 1, byNumber: new Map([[1, one]]) }])),
};
const CATALOGS = new Map([[TENANT, CATALOG]]);

const customer = (id: string, planKey: string | null): CustomerState =>
  newCustomer({
    id,
    tenantId: TENANT,
    planKey,
    planVersion: planKey === null ? null : 1,
    createdAtMs: NOW - 1_000,
    sequence: 7n,
  });

type Customers = ReadonlyMap<string, CustomerState>;
const newCustomers = (): Customers =>
  new Map([customer('acme', 'basic'), customer('globex', 'slow'), customer('initech', null)].map((c) => [c.id, c]));

/** What the next transaction would load after this one was saved. */
const reloaded = (customers: Customers): Customers =>
  new Map(
    [...customers].map(([id, c]) => [
      id,
      { ...c, sequenceBefore: c.sequence, counters: new Map(c.counters), answers: new Map(c.answers) },
    ]),
  );

const BASE = newConsume({ tenantId: TENANT, customerId: 'acme', referenceId: 'acme' });

const request: fc.Arbitrary<ConsumeRequest> = fc
  .record({
    customerId: fc.constantFrom('acme', 'acme', 'globex', 'initech', 'nobody'),
    featureKey: fc.constantFrom('calls', 'calls', 'seats', 'tokens', 'gone', 'cals'),
    amount: fc.constantFrom(ONE, ONE, 3n * ONE, -ONE, unitsOf('0.5')),
    mode: fc.constantFrom(...CONSUME_MODES),
    overrideKey: fc.constantFrom(null, null, null, 'basic', 'slow', 'gone'),
    idempotencyKey: fc.constantFrom(null, null, 'a', 'b', 'c'),
    properties: fc.constantFrom(null, '{"a":1}'),
  })
  .map((fields) => ({ ...BASE, ...fields, referenceId: fields.customerId }));
const requests = fc.array(request, { maxLength: 30 });

const decideAll = (all: readonly ConsumeRequest[], customers = newCustomers()): BatchResult =>
  decideBatch(all, { customers, catalogs: CATALOGS, nowMs: NOW, before: null });

describe('laws', () => {
  it('a batch of many answers and leaves what as many batches of one do', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const together = newCustomers();
        const batch = decideAll(all, together);
        let customers = newCustomers();
        const singles = all.map((one) => {
          const single = decideAll([one], customers);
          customers = reloaded(customers);
          return single;
        });
        expect(batch.outcomes).toEqual(singles.flatMap(({ outcomes }) => outcomes));
        expect(written(batch)).toEqual(writtenInAll(singles));
        expect(reloaded(together)).toEqual(customers);
      }),
      { numRuns: 500 },
    );
  });

  it('what is wrong with one request does not disturb its neighbours', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const { outcomes, changes } = decideAll(all);
        const fine = all.filter((_, i) => outcomes[i]?.kind !== 'failed');
        const without = decideAll(fine);
        expect(without.outcomes).toEqual(outcomes.filter(({ kind }) => kind !== 'failed'));
        expect(written(without)).toEqual(written({ outcomes, changes }));
      }),
    );
  });

  it('each customer’s events follow their requests, and take every sequence from the first', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const customers = newCustomers();
        const { outcomes, changes } = decideAll(all, customers);
        for (const { id, sequence } of customers.values()) {
          const events = changes.events.filter((event) => event.customer.id === id);
          expect(events.map((event) => event.sequence)).toEqual(events.map((_, i) => 8n + BigInt(i)));
          expect(sequence).toBe(7n + BigInt(events.length));
          const taken = outcomes.flatMap((outcome, i) =>
            all[i]?.customerId === id && isAllowed(outcome) ? [consumptionOf(outcome).amount] : [],
          );
          expect(events.map((event) => event.amount)).toEqual(taken);
        }
        expect(new Set(changes.customers.map(({ id }) => id))).toEqual(
          new Set(changes.events.map((event) => event.customer.id)),
        );
      }),
    );
  });

  it('each counter is the sum of its events', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const { changes } = decideAll(all);
        for (const {
          customer: { id },
          featureKey,
          counter,
        } of changes.counters.values()) {
          const events = changes.events.filter((event) => event.customer.id === id && event.featureKey === featureKey);
          expect(events.reduce((sum, event) => sum + event.amount, 0n)).toBe(counter.used);
          expect(events.reduce((sum, event) => sum + event.payment.overage, 0n)).toBe(counter.overage);
          expect(events.at(-1)?.usedAfter).toBe(counter.used);
        }
      }),
    );
  });

  it('a denied request leaves its answer under its key, and nothing else', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const { outcomes, changes } = decideAll(all);
        expect(changes.events.length).toBe(outcomes.filter(isAllowed).length);
        const decidedKeys = all.flatMap((one, i) =>
          outcomes[i]?.kind === 'decided' && one.idempotencyKey ? [`${one.customerId} ${one.idempotencyKey}`] : [],
        );
        expect(changes.answers.map((answer) => `${answer.customer.id} ${answer.idempotencyKey}`)).toEqual(decidedKeys);
        expect(new Set(decidedKeys).size).toBe(decidedKeys.length);
      }),
    );
  });
});

describe('in order of arrival', () => {
  it('of 12 calls under a limit of 10, the first ten pass', () => {
    const { outcomes } = decideAll(Array.from({ length: 12 }, () => BASE));
    expect(outcomes.map(spell)).toEqual([
      ...Array.from({ length: 10 }, (_, i) => `took 1, ${i + 1} used`),
      'LIMIT_REACHED',
      'LIMIT_REACHED',
    ]);
  });

  it('units that are given back are there for the next', () => {
    const seat = { ...BASE, featureKey: 'seats' };
    const { outcomes } = decideAll([seat, seat, seat, seat, { ...seat, amount: -ONE }, seat]);
    expect(outcomes.map(spell)).toEqual([
      'took 1, 1 used',
      'took 1, 2 used',
      'took 1, 3 used',
      'LIMIT_REACHED',
      'took -1, 2 used',
      'took 1, 3 used',
    ]);
  });

  it('a rate limit counts over all features, and only calls that passed', () => {
    const slow = { ...BASE, customerId: 'globex', referenceId: 'globex' };
    const { outcomes } = decideAll([slow, { ...slow, featureKey: 'seats' }, slow, slow]);
    expect(outcomes.map(spell)).toEqual(['took 1, 1 used', 'FEATURE_NOT_IN_PLAN', 'took 1, 2 used', 'RATE_LIMITED']);
  });
});

describe('a feature that is paid in advance, by a customer without a wallet', () => {
  const images = feature('images', { price: perUnit('10'), billing: 'prepaid' });
  const credit = plan('credit', {
    wallet: { currency: 'usd', floor: unitsOf('-25'), autoTopUp: null },
    features: new Map([['images', {}]]),
  });
  const catalog = { ...CATALOG, features: new Map([images]), plans: new Map([credit]), planVersions: new Map() };
  const thrice = (planKey: string | null, prepaid: boolean) => {
    const acme = { ...customer('acme', planKey), planVersion: null, prepaid };
    const calls = Array.from({ length: 3 }, () => ({ ...BASE, featureKey: 'images' }));
    const state = {
      customers: new Map([['acme', acme]]),
      catalogs: new Map([[TENANT, catalog]]),
      nowMs: NOW,
      before: null,
    };
    return decideBatch(calls, state).outcomes.map(spell);
  };

  it('is refused, whether or not there are credits of another feature', () => {
    expect(thrice(null, false)).toEqual(['INSUFFICIENT_FUNDS', 'INSUFFICIENT_FUNDS', 'INSUFFICIENT_FUNDS']);
    expect(thrice(null, true)).toEqual(['INSUFFICIENT_FUNDS', 'INSUFFICIENT_FUNDS', 'INSUFFICIENT_FUNDS']);
  });

  it('passes as far as the plan lets a wallet go below zero', () => {
    expect(thrice('credit', false)).toEqual(['took 1, 1 used', 'took 1, 2 used', 'INSUFFICIENT_FUNDS']);
  });
});

describe('the same key', () => {
  const keyed = { ...BASE, idempotencyKey: 'k' };

  it('and the same content in one batch: decided once, then replayed', () => {
    const { outcomes, changes } = decideAll([keyed, keyed, { ...keyed }]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['decided', 'replayed', 'replayed']);
    expect(changes.events.length).toBe(1);
    expect(changes.answers.length).toBe(1);
  });

  it.each([
    ['amount', { amount: 2n * ONE }],
    ['feature', { featureKey: 'tokens' }],
    ['mode', { mode: 'CLAMP' as const }],
    ['plan', { overrideKey: 'slow' }],
    ['properties', { properties: '{}' }],
  ])('and another %s: a conflict, and nothing is written', (_, other) => {
    const { outcomes, changes } = decideAll([keyed, { ...keyed, ...other }]);
    expect(outcomes[1]).toMatchObject({ kind: 'failed', error: { code: 'IDEMPOTENCY_CONFLICT', retryable: false } });
    expect(changes.events.length).toBe(1);
  });

  it('of another customer is another key', () => {
    const { outcomes } = decideAll([
      keyed,
      { ...keyed, customerId: 'initech', referenceId: 'initech', amount: 2n * ONE },
    ]);
    expect(outcomes.map(spell)).toEqual(['took 1, 1 used', 'took 2, 2 used']);
  });

  it('of a call that failed is still free', () => {
    const { outcomes } = decideAll([{ ...keyed, featureKey: 'cals' }, keyed]);
    expect(outcomes.map(spell)).toEqual(['FEATURE_NOT_FOUND', 'took 1, 1 used']);
  });

  it('hears the denial again, though units have become free', () => {
    const seat = { ...BASE, featureKey: 'seats' };
    const denied = { ...seat, idempotencyKey: 'late' };
    const { outcomes } = decideAll([seat, seat, seat, denied, { ...seat, amount: -ONE }, denied]);
    expect(outcomes.slice(-3).map(spell)).toEqual(['LIMIT_REACHED', 'took -1, 2 used', 'replayed: LIMIT_REACHED']);
  });
});

it.each([
  [{ customerId: 'nobody', referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', null],
  [{ featureKey: 'cals' }, 'FEATURE_NOT_FOUND', 'calls'],
  [{ featureKey: 'gone' }, 'FEATURE_NOT_FOUND', null], // archived
  [{ overrideKey: 'basics' }, 'PLAN_NOT_FOUND', 'basic'],
  [{ overrideKey: 'gone' }, 'PLAN_NOT_FOUND', null],
  [{ amount: -ONE }, 'INVALID_AMOUNT', null],
  [{ featureKey: 'seats', amount: 2n * ONE }, 'INVALID_AMOUNT', null],
  // Of several, the first in this order: who, what, by which plan, how much.
  [{ customerId: 'nobody', featureKey: 'cals', overrideKey: 'gone' }, 'CUSTOMER_NOT_FOUND', null],
  [{ featureKey: 'cals', overrideKey: 'gone' }, 'FEATURE_NOT_FOUND', 'calls'],
])('%o: %s, and did you mean %s?', (fields, code, suggestion) => {
  const { outcomes, changes } = decideAll([{ ...BASE, ...fields }]);
  expect(outcomes).toMatchObject([{ kind: 'failed', error: { code, suggestion } }]);
  expect(written({ outcomes, changes })).toEqual({ events: [], answers: [], alerts: [], counters: [] });
});

it('an override key decides by that plan for this call alone', () => {
  const { outcomes } = decideAll([{ ...BASE, amount: 50n * ONE, overrideKey: 'slow' }, BASE]);
  expect(outcomes.map(spell)).toEqual(['took 50, 50 used', 'LIMIT_REACHED']);
});

it('late use of an entity, in a period that was ended by hand, makes nobody due for what nobody has read', () => {
  const customers = newCustomers();
  const { tenantId, customerId, referenceId, featureKey, idempotencyKey } = BASE;
  const reset: Request = { kind: 'reset', tenantId, customerId, referenceId, featureKey, idempotencyKey };
  const late: Request = { ...BASE, purpose: 'record', entityId: 'desk-1', occurredAtMs: NOW - 500 };
  const { outcomes } = decideBatch([reset, late], { customers, catalogs: CATALOGS, nowMs: NOW, before: null });
  expect(outcomes.map(({ kind }) => kind)).toEqual(['decided', 'decided']);
  expect(customers.get('acme')?.dueAtMs).toBeGreaterThan(NOW);
});

type Decided = Extract<Outcome, { kind: 'decided' }>;

const isAllowed = (outcome: Outcome): outcome is Decided =>
  outcome.kind === 'decided' && consumptionOf(outcome).allowed;

/** Only consumes are sent here, so only consumptions come back. */
function consumptionOf({ result }: Decided): Omit<Consumption, 'alerts'> {
  if (result.kind === 'consumption') return result;
  throw new Error(`a consume was answered with ${result.kind}`);
}

/** What a batch leaves to be stored, with customers by id. */
const written = ({ changes }: BatchResult) => ({
  events: changes.events.map((event) => ({ ...event, customer: event.customer.id })),
  answers: changes.answers.map((answer) => ({ ...answer, customer: answer.customer.id })),
  alerts: changes.alerts,
  counters: [...changes.counters.values()]
    .map(({ customer: { id }, featureKey, counter }) => ({ id, featureKey, counter }))
    .sort((a, b) => (`${a.id} ${a.featureKey}` < `${b.id} ${b.featureKey}` ? -1 : 1)),
});

/** The same of several batches: of a counter that several changed, the last state. */
function writtenInAll(batches: readonly BatchResult[]): ReturnType<typeof written> {
  const all = batches.map(written);
  const newest = new Map(all.flatMap(({ counters }) => counters).map((c) => [`${c.id} ${c.featureKey}`, c]));
  return {
    events: all.flatMap(({ events }) => events),
    answers: all.flatMap(({ answers }) => answers),
    alerts: all.flatMap(({ alerts }) => alerts),
    counters: [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counter]) => counter),
  };
}

function spell(outcome: Outcome): string {
  if (outcome.kind === 'failed') return outcome.error.code;
  if (outcome.kind === 'postponed') return outcome.kind;
  if (outcome.kind === 'replayed') {
    const { answer } = outcome;
    if (answer.kind !== 'consumption') throw new Error(`a consume was answered with ${answer.kind}`);
    return `replayed: ${answer.denial?.reason ?? `took ${answer.amount}`}`;
  }
  const { denial, amount, usage } = consumptionOf(outcome);
  return denial?.reason ?? `took ${formatUnits(amount)}, ${formatUnits(usage.used)} used`;
}
