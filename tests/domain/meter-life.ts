/**
 * meter-life — random lives of one meter: what a tenant set up, what the customer has prepaid, and calls one after the
 * other, each decided on the state that the ones before it left.
 */
import fc from 'fast-check';
import { emptyCounter } from '../../server/domain/counter.ts';
import { type Decision, decide } from '../../server/domain/decision.ts';
import { featureOf, planOf } from '../../server/domain/definitions.ts';
import { AGGREGATIONS, BILLINGS, ENFORCEMENTS, type Feature, type LimitFields } from '../../server/domain/feature.ts';
import type { Draw, Grant } from '../../server/domain/grant.ts';
import { CONSUME_MODES, type MeterState, type UsageRequest } from '../../server/domain/meter-state.ts';
import type { Funds, Payment } from '../../server/domain/payment.ts';
import type { Plan } from '../../server/domain/plan.ts';
import { isEntitled, mergePolicy } from '../../server/domain/policy.ts';
import type { Price, Tier } from '../../server/domain/price.ts';
import type { RateLimit } from '../../server/domain/rate-limit.ts';
import type { Paid } from '../../server/domain/refund.ts';
import { canFall, THRESHOLD_KINDS, type Threshold } from '../../server/domain/threshold.ts';
import { HALF } from './decision-model.ts';

export const DAY_MS = 86_400_000;
export const START_MS = Date.parse('2026-03-01T00:00:00Z');
export const PERIOD = { startMs: START_MS, endMs: START_MS + 31 * DAY_MS };

/** The end of a month of spending that is over before the period is, and later than any life is long. */
const MONTH_END_MS = START_MS + 27 * DAY_MS;

const TENANT = '2ed6657d-e927-568b-95e1-2665a8aea6a2';
const FEATURE = featureOf(TENANT, { key: 'api_calls' });

/** Whole and half units, and money in as simple amounts. */
export const halves = (min: number, max: number) => fc.integer({ min, max }).map((count) => BigInt(count) * HALF);

const threshold: fc.Arbitrary<Threshold> = fc
  .tuple(fc.constantFrom(...THRESHOLD_KINDS), halves(0, 30), fc.boolean())
  .map(([kind, value, falls]) => (falls && canFall(kind) ? { kind, value, falling: true } : { kind, value }));

const terms = { currency: fc.constant('usd'), minimumSpend: fc.constant(null), maximumSpend: fc.option(halves(0, 40)) };
const tiers: fc.Arbitrary<readonly Tier[]> = fc
  .tuple(halves(1, 8), halves(1, 8), fc.array(halves(0, 6), { minLength: 3, maxLength: 3 }), halves(0, 4))
  .map(([first, more, rates, flatAmount]) =>
    [first, first + more, null].map((upTo, i) => ({ upTo, unitAmount: rates[i] ?? 0n, flatAmount })),
  );
const steps: fc.Arbitrary<readonly Tier[]> = tiers.map((all) =>
  all.map(({ upTo, flatAmount }, i) => ({ upTo, unitAmount: 0n, flatAmount: flatAmount * BigInt(i + 1) })),
);
/** Every model but `volume`: its total may fall with more units, so that there is no most that money pays for. */
const price: fc.Arbitrary<Price> = fc.oneof(
  fc.record({ model: fc.constant('per_unit' as const), unitAmount: halves(0, 5), ...terms }),
  fc.record({
    model: fc.constant('package' as const),
    packageAmount: halves(0, 9),
    packageSize: halves(1, 6),
    ...terms,
  }),
  fc.record({ model: fc.constant('percentage' as const), percent: halves(0, 200), ...terms }),
  fc.record({ model: fc.constant('graduated' as const), tiers, ...terms }),
  fc.record({ model: fc.constant('stairstep' as const), tiers: steps, ...terms }),
);

const rateLimits: fc.Arbitrary<readonly RateLimit[]> = fc.array(
  fc.record({ limit: fc.integer({ min: 1, max: 4 }), windowMs: fc.integer({ min: 1, max: 100 }) }),
  { maxLength: 2 },
);
const fields: fc.Arbitrary<LimitFields> = fc.record(
  {
    limit: fc.option(halves(0, 20)),
    included: halves(0, 20),
    enforcement: fc.constantFrom(...ENFORCEMENTS),
    minLimit: halves(-4, 4),
    thresholds: fc.array(threshold, { maxLength: 3 }),
    price,
    billing: fc.constantFrom(...BILLINGS),
    spendLimit: fc.option(halves(0, 40)),
    credits: fc.option(
      halves(1, 10).map((allocation) => ({ allocation, onRenewal: 'reset' as const, reset: null, priority: 0 })),
    ),
    rateLimits,
    entityLimit: fc.option(halves(0, 12)),
  },
  { requiredKeys: [] },
);

/** What a tenant has set up: a feature, two plans (the customer's own, and one for single calls) and an override. */
export type World = {
  readonly feature: Feature;
  readonly plans: readonly (Plan | null)[];
  readonly override: LimitFields | undefined;
  /** What the customer has prepaid and may spend when the life begins. */
  readonly funds: Funds;
};

const plan = fc
  .tuple(fc.option(fields), rateLimits)
  .map(([own, rules]) =>
    planOf(TENANT, { key: 'pro', rateLimits: rules, features: new Map(own ? [[FEATURE.key, own]] : []) }, null),
  );
const grants: fc.Arbitrary<readonly Grant[]> = fc
  .array(halves(1, 8), { maxLength: 3 })
  .map((amounts) => amounts.map((amount, i) => grantOf(`grant ${i}`, amount)));
const funds: fc.Arbitrary<Funds> = fc.record({
  grants,
  credits: fc.constant(0n), // what the grants have, see `live`
  wallet: fc.option(fc.record({ currency: fc.constant('usd'), balance: halves(-4, 40), floor: halves(-6, 4) })),
  spending: fc.option(
    fc.record({
      spent: halves(0, 10),
      limit: halves(0, 60),
      endMs: fc.constantFrom(MONTH_END_MS, PERIOD.endMs, PERIOD.endMs + 30 * DAY_MS),
    }),
    { freq: 2 },
  ),
});
const world: fc.Arbitrary<World> = fc.record({
  feature: fc
    .tuple(fields, fc.constantFrom(...AGGREGATIONS))
    .map(([own, aggregation]) => ({ ...FEATURE, ...own, aggregation })),
  plans: fc.array(fc.option(plan, { freq: 5 }), { minLength: 2, maxLength: 2 }),
  override: fc.option(fields, { nil: undefined, freq: 2 }),
  funds,
});

type Call = Omit<UsageRequest, 'atMs'> & {
  readonly afterMs: number;
  readonly withOtherPlan: boolean;
  readonly entityId: string | null;
};
const ones = fc.constantFrom(2n * HALF, -2n * HALF);
const call: fc.Arbitrary<Call> = fc.record({
  amount: fc.oneof({ weight: 3, arbitrary: halves(-8, 12) }, { weight: 2, arbitrary: ones }),
  isNewValue: fc.boolean(),
  mode: fc.constantFrom(...CONSUME_MODES),
  purpose: fc.constantFrom('use', 'use', 'use', 'hold', 'record'),
  afterMs: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) }, fc.constant(DAY_MS)),
  withOtherPlan: fc.boolean(),
  entityId: fc.constantFrom(null, null, null, 'anna', 'ben'),
});
export const life = fc.tuple(world, fc.array(call, { minLength: 1, maxLength: 25 }));
export type Life = readonly [World, readonly Call[]];

export type Moment = {
  readonly state: MeterState;
  readonly request: UsageRequest;
  readonly atMs: number;
  readonly decision: Decision;
};

/** Lets the calls of a life happen one after the other; what a denied or invalid one would change is not even looked at. */
export function* live([{ feature, plans, override, funds: atFirst }, calls]: Life): Generator<Moment> {
  let counter: MeterState['counter'] = emptyCounter(PERIOD);
  let rateWindows: MeterState['rateWindows'] = new Map();
  let funds: Funds = { ...atFirst, credits: unitsIn(atFirst.grants) };
  let atMs = START_MS;
  const entities = new Map<string, bigint>();
  const draws: Draw[] = [];
  const held: Payment[] = [];
  for (const { afterMs, withOtherPlan, entityId, ...said } of calls) {
    atMs = Math.min(atMs + afterMs, PERIOD.endMs - 1);
    const request = { ...said, atMs };
    const of = plans[withOtherPlan ? 1 : 0] ?? null;
    const policy = mergePolicy(feature, of, override);
    const state: MeterState = {
      featureKey: feature.key,
      aggregation: feature.aggregation,
      policy,
      planKey: of?.key ?? null,
      entitled: isEntitled(feature.key, of, override),
      rateRules: [
        ...(of?.rateLimits ?? []).map((rule) => ({ ...rule, scope: '' })),
        ...policy.rateLimits.map((rule) => ({ ...rule, scope: feature.key })),
      ],
      rateWindows,
      counter,
      entity: entityId === null ? null : { id: entityId, taken: entities.get(entityId) ?? 0n },
      funds,
      paid: paidOf(counter, held, draws),
    };
    const decision = decide(state, request, atMs);
    yield { state, request, atMs, decision };
    if (decision.outcome !== 'allowed') continue;
    counter = decision.counter;
    rateWindows = decision.rateWindows;
    funds = fundsAfter(funds, decision.payment);
    if (entityId !== null) entities.set(entityId, (entities.get(entityId) ?? 0n) + decision.amount);
    if (request.purpose === 'hold') held.push(decision.payment);
    else draws.push(...decision.payment.draws);
  }
}

/** What paid for use: what is held of it can't be given back. */
function paidOf(counter: MeterState['counter'], held: readonly Payment[], draws: readonly Draw[]): Paid {
  const less = (part: 'credits' | 'wallet' | 'overage' | 'walletCharge'): bigint =>
    held.reduce((rest, payment) => rest - payment[part], counter[part]);
  return {
    credits: less('credits'),
    wallet: less('wallet'),
    overage: less('overage'),
    walletCharge: less('walletCharge'),
    draws: [...draws],
  };
}

export function fundsAfter({ grants: before, wallet, spending }: Funds, payment: Payment): Funds {
  const after = before.map((grant) => ({
    ...grant,
    remaining: payment.draws.reduce(
      (left, { grantId, units }) => (grantId === grant.id ? left - units : left),
      grant.remaining,
    ),
  }));
  return {
    grants: after,
    credits: unitsIn(after),
    wallet: wallet && { ...wallet, balance: wallet.balance - payment.walletCharge },
    spending: spending && { ...spending, spent: spending.spent + payment.cost },
  };
}

const unitsIn = (all: readonly Grant[]): bigint => all.reduce((total, { remaining }) => total + remaining, 0n);

const grantOf = (id: string, amount: bigint): Grant => ({
  id,
  featureKey: FEATURE.key,
  source: 'purchase',
  amount,
  remaining: amount,
  priority: 100,
  effectiveFromMs: START_MS,
  expiresAtMs: null,
  createdAtMs: START_MS,
  state: 'live',
  renewal: null,
  renewsAtMs: null,
  originId: null,
  rolledOver: false,
});
