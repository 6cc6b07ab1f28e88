/**
 * Goal: whatever policies and calls come, and in whatever order, `decide` keeps the promises of a meter. Method: random
 * lives of one meter, each call compared with the model beside this file, and each promise asked of every answer.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONSUME_MODES,
  type Decision,
  decide,
  emptyCounter,
  type MeterState,
  type UsageRequest,
} from '../../server/domain/decision.ts';
import { AGGREGATIONS, ENFORCEMENTS, type Feature, type LimitFields } from '../../server/domain/feature.ts';
import type { Plan } from '../../server/domain/plan.ts';
import { isEntitled, mergePolicy } from '../../server/domain/policy.ts';
import type { RateLimit } from '../../server/domain/rate-limit.ts';
import { THRESHOLD_KINDS, thresholdKey } from '../../server/domain/threshold.ts';
import { multiplyUnits, UNITS_MAX } from '../../server/domain/units.ts';
import { HALF, opinionOn } from './decision-model.ts';

const START_MS = Date.parse('2026-03-01T00:00:00Z');
const PERIOD = { startMs: START_MS, endMs: START_MS + 31 * 86_400_000 };

const halves = (min: number, max: number) => fc.integer({ min, max }).map((count) => BigInt(count) * HALF);
const threshold = fc.record({ kind: fc.constantFrom(...THRESHOLD_KINDS), value: halves(0, 30) });
const fields: fc.Arbitrary<LimitFields> = fc.record(
  {
    limit: fc.option(halves(0, 20)),
    included: halves(0, 20),
    enforcement: fc.constantFrom(...ENFORCEMENTS),
    minLimit: halves(-4, 4),
    thresholds: fc.array(threshold, { maxLength: 3 }),
    price: fc.record({ unitAmount: halves(0, 5), currency: fc.constant('usd') }),
  },
  { requiredKeys: [] },
);
const rateLimit: fc.Arbitrary<RateLimit> = fc.record({
  limit: fc.integer({ min: 1, max: 4 }),
  windowMs: fc.integer({ min: 1, max: 100 }),
});

/** What a tenant has set up: a feature, two plans (the customer's own, and one for single calls) and an override. */
type World = {
  readonly feature: Feature;
  readonly plans: readonly (Plan | null)[];
  readonly override: LimitFields | undefined;
};
const world: fc.Arbitrary<World> = fc.record({
  feature: fc
    .tuple(fields, fc.constantFrom(...AGGREGATIONS))
    .map(([own, aggregation]) => ({ ...FEATURE, ...own, aggregation })),
  plans: fc.array(fc.option(fc.tuple(fc.option(fields), fc.option(rateLimit)).map(planOf), { freq: 5 }), {
    minLength: 2,
    maxLength: 2,
  }),
  override: fc.option(fields, { nil: undefined, freq: 2 }),
});

type Call = UsageRequest & { readonly afterMs: number; readonly withOtherPlan: boolean };
const call: fc.Arbitrary<Call> = fc.record({
  amount: fc
    .oneof({ weight: 3, arbitrary: halves(-8, 12) }, { weight: 2, arbitrary: fc.constantFrom(2n * HALF, -2n * HALF) })
    .filter((amount) => amount !== 0n),
  mode: fc.constantFrom(...CONSUME_MODES),
  afterMs: fc.integer({ min: 0, max: 60 }),
  withOtherPlan: fc.boolean(),
});
const life = fc.tuple(world, fc.array(call, { minLength: 1, maxLength: 25 }));

describe('a life of one meter', () => {
  it('goes as the model says, answer by answer', () => {
    fc.assert(
      fc.property(life, (run) => {
        for (const { state, request, atMs, decision } of live(run)) {
          expect(summary(decision)).toEqual(opinionOn(state, request, atMs));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('amounts add up to the counter, and so do the parts beyond what is included', () => {
    fc.assert(
      fc.property(life, (run) => {
        let used = 0n;
        let overage = 0n;
        for (const { state, decision } of live(run)) {
          expect(state.counter).toMatchObject({ used, overage });
          if (decision.outcome !== 'allowed') continue;
          used += decision.amount;
          overage += decision.split.overage;
          expect(decision.counter).toMatchObject({ period: PERIOD, used, overage });
          expect(overage).toBeGreaterThanOrEqual(0n);
        }
      }),
    );
  });

  it('never goes over a hard limit, nor beyond what is paid for, unless told to overflow', () => {
    fc.assert(
      fc.property(life, (run) => {
        for (const { state, request, decision } of live(run)) {
          if (decision.outcome !== 'allowed' || decision.amount < 0n) continue;
          if (request.mode === 'OVERFLOW' || state.policy.enforcement === 'soft') continue;
          const { limit, price } = state.policy;
          expect(limit === null || decision.counter.used <= limit).toBe(true);
          expect(price !== null || decision.split.overage === 0n).toBe(true);
        }
      }),
    );
  });

  it('never goes below the floor by giving back', () => {
    fc.assert(
      fc.property(life, (run) => {
        for (const { state, decision } of live(run)) {
          if (decision.outcome !== 'allowed' || decision.amount > 0n) continue;
          expect(decision.counter.used >= (state.policy.minLimit ?? Number.NaN)).toBe(true);
        }
      }),
    );
  });

  it('the split adds up to what was taken, and has its sign', () => {
    fc.assert(
      fc.property(life, (run) => {
        for (const { state, decision } of live(run)) {
          if (decision.outcome !== 'allowed') continue;
          const { included, credits, wallet, overage, overageCost, walletCharge } = decision.split;
          expect(included + credits + wallet + overage).toBe(decision.amount);
          for (const part of [included, credits, wallet, overage]) expect(part * decision.amount >= 0n).toBe(true);
          expect(overageCost.amount).toBe(multiplyUnits(overage, state.policy.price?.unitAmount ?? 0n));
          expect(walletCharge.amount).toBe(0n);
        }
      }),
    );
  });

  it('raises each threshold once, and only one that holds', () => {
    fc.assert(
      fc.property(life, (run) => {
        const raised = new Set<string>();
        for (const { decision } of live(run)) {
          if (decision.outcome !== 'allowed') continue;
          for (const key of decision.raised.map(thresholdKey)) {
            expect(raised).not.toContain(key);
            raised.add(key);
          }
          expect(decision.counter.raised).toEqual(raised);
        }
      }),
    );
  });
});

describe('one call', () => {
  it('REJECT takes all or nothing, OVERFLOW too, and CLAMP the most that REJECT would let through', () => {
    fc.assert(
      fc.property(life, (run) => {
        for (const { state, request, atMs, decision } of live(run)) {
          if (decision.outcome !== 'allowed') continue;
          if (request.mode !== 'CLAMP') {
            expect(decision.amount).toBe(request.amount);
            continue;
          }
          const alone = (amount: bigint) => decide(state, { amount, mode: 'REJECT' }, atMs).outcome;
          expect(alone(decision.amount)).toBe('allowed');
          const more = decision.amount + (request.amount < 0n ? -HALF : HALF);
          if (decision.amount !== request.amount) expect(alone(more)).toBe('denied');
        }
      }),
    );
  });

  it('is answered alike each time, and leaves what it was handed as it was', () => {
    fc.assert(
      fc.property(life, (run) => {
        for (const { state, request, atMs, decision } of live(run)) {
          const raised = [...state.counter.raised];
          expect(decide(state, request, atMs)).toEqual(decision);
          expect([...state.counter.raised]).toEqual(raised);
        }
      }),
    );
  });

  it('that is told when to come back passes then; one that is not would not pass by waiting', () => {
    fc.assert(
      fc.property(life, (run) => {
        for (const { state, request, decision } of live(run)) {
          if (decision.outcome !== 'denied') continue;
          const { reason, retryAtMs } = decision.denial;
          if (reason === 'RATE_LIMITED') {
            const then = decide(state, request, retryAtMs ?? Number.NaN);
            expect(then.outcome === 'denied' && then.denial.reason === 'RATE_LIMITED').toBe(false);
          }
          if (reason !== 'LIMIT_REACHED' && reason !== 'INSUFFICIENT_FUNDS') continue;
          const anew = decide({ ...state, rateLimit: null, counter: emptyCounter(PERIOD) }, request, PERIOD.endMs);
          expect(retryAtMs).toBe(anew.outcome === 'allowed' ? PERIOD.endMs : null);
        }
      }),
    );
  });

  it('with any numbers at all gets an answer that can be stored', () => {
    const any = fc.bigInt({ min: -UNITS_MAX, max: UNITS_MAX });
    const not = (zero: bigint) => (value: bigint) => value !== zero;
    const positive = fc.bigInt({ min: 0n, max: UNITS_MAX });
    const states = fc.record({
      limit: fc.option(positive),
      included: fc.option(positive),
      minLimit: fc.option(any),
      unitAmount: fc.option(positive),
      used: any,
      overage: positive,
      enforcement: fc.constantFrom(...ENFORCEMENTS),
      aggregation: fc.constantFrom(...AGGREGATIONS),
    });
    const requests = fc.record({ amount: any.filter(not(0n)), mode: fc.constantFrom(...CONSUME_MODES) });
    fc.assert(
      fc.property(states, requests, ({ unitAmount, used, overage, ...of }, request) => {
        const price = unitAmount === null ? null : { unitAmount, currency: 'usd' };
        const counter = { ...emptyCounter(PERIOD), used, overage };
        const policy = { ...of, price, thresholds: [] };
        const decision = decide({ ...STATE, aggregation: of.aggregation, policy, counter }, request, START_MS);
        if (decision.outcome === 'allowed') {
          for (const stored of [decision.counter.used, decision.counter.overage, decision.split.overageCost.amount]) {
            expect(stored <= UNITS_MAX && stored >= -UNITS_MAX).toBe(true);
          }
        }
        const sentence =
          decision.outcome === 'denied'
            ? decision.denial.message
            : decision.outcome === 'invalid'
              ? decision.problem
              : '';
        expect(sentence.length).toBeLessThan(400);
      }),
      { numRuns: 1_000 },
    );
  });
});

const FEATURE: Feature = {
  tenantId: '2ed6657d-e927-568b-95e1-2665a8aea6a2',
  key: 'api_calls',
  displayName: 'API Calls',
  unit: 'call',
  aggregation: 'sum',
  reset: 'monthly',
  details: [],
  archivedAtMs: null,
};

const STATE: Omit<MeterState, 'policy' | 'counter'> = {
  featureKey: 'api_calls',
  aggregation: 'sum',
  planKey: null,
  entitled: true,
  rateLimit: null,
  rateWindow: null,
};

function planOf([own, rule]: [LimitFields | null, RateLimit | null]): Plan {
  return {
    tenantId: FEATURE.tenantId,
    key: 'pro',
    displayName: 'Pro',
    version: 1,
    prices: [],
    rateLimit: rule,
    features: new Map(own ? [[FEATURE.key, own]] : []),
    archivedAtMs: null,
  };
}

/** Lets the calls of a life happen one after the other; what a denied or invalid one would change is not even looked at. */
function* live([{ feature, plans, override }, calls]: [World, readonly Call[]]) {
  let counter = emptyCounter(PERIOD);
  let rateWindow: MeterState['rateWindow'] = null;
  let atMs = START_MS;
  for (const { afterMs, withOtherPlan, ...request } of calls) {
    atMs += afterMs;
    const plan = plans[withOtherPlan ? 1 : 0] ?? null;
    const state: MeterState = {
      featureKey: feature.key,
      aggregation: feature.aggregation,
      policy: mergePolicy(feature, plan, override),
      planKey: plan?.key ?? null,
      entitled: isEntitled(feature.key, plan, override),
      rateLimit: plan?.rateLimit ?? null,
      rateWindow,
      counter,
    };
    const decision = decide(state, request, atMs);
    yield { state, request, atMs, decision };
    if (decision.outcome !== 'allowed') continue;
    counter = decision.counter;
    rateWindow = decision.rateWindow;
  }
}

/** A decision in the model's words. */
function summary(decision: Decision) {
  if (decision.outcome === 'invalid') return { says: 'invalid' };
  if (decision.outcome === 'denied') return { says: decision.denial.reason };
  const { amount: taken, split, counter, raised } = decision;
  return { says: 'allowed', taken, overage: split.overage, used: counter.used, raised: raised.map(thresholdKey) };
}
