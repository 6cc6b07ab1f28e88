/**
 * Goal: whatever policies, funds and calls come, and in whatever order, `decide` keeps the promises of a meter. Method:
 * random lives of one meter, each call compared with the model beside this file, and each promise asked of every answer.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Counter, emptyCounter, taken } from '../../server/domain/counter.ts';
import { type Decision, decide, splitOf } from '../../server/domain/decision.ts';
import { featureOf } from '../../server/domain/definitions.ts';
import { AGGREGATIONS, ENFORCEMENTS } from '../../server/domain/feature.ts';
import type { Draw } from '../../server/domain/grant.ts';
import { CONSUME_MODES, type MeterState, type UsageRequest } from '../../server/domain/meter-state.ts';
import { type Payment, pay } from '../../server/domain/payment.ts';
import { mergePolicy } from '../../server/domain/policy.ts';
import { minUnits, ONE, UNITS_MAX } from '../../server/domain/units.ts';
import { opinionOn, type Parts } from './decision-model.ts';
import { DAY_MS, fundsAfter, life, live, type Moment, PERIOD, START_MS } from './meter-life.ts';

/** Asks something of every moment of many lives. */
const always = (says: (moment: Moment) => void, numRuns = 300): void =>
  fc.assert(
    fc.property(life, (run) => {
      for (const moment of live(run)) says(moment);
    }),
    { numRuns },
  );

describe('a life of one meter', () => {
  it('goes as the model says, answer by answer', () => {
    always(({ state, request, atMs, decision }) => {
      expect(summary(decision)).toEqual(opinionOn(state, request, atMs));
    }, 3_000);
  });

  it('amounts add up to the counter, and so does all that paid for them', () => {
    fc.assert(
      fc.property(life, (run) => {
        let expected = emptyCounter(PERIOD);
        for (const { state, request, decision } of live(run)) {
          expect(totalsOf(state.counter)).toEqual(totalsOf(expected));
          if (decision.outcome !== 'allowed') continue;
          expected = summed(expected, decision, request.purpose === 'hold' ? 'held' : 'used');
          expect(totalsOf(decision.counter)).toEqual(totalsOf(expected));
          for (const part of ['held', 'credits', 'wallet', 'overage'] as const) {
            expect(decision.counter[part]).toBeGreaterThanOrEqual(0n);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never goes over a hard limit, an entity’s own, or what can be paid, unless it has happened already', () => {
    always(({ state, request, decision }) => {
      if (decision.outcome !== 'allowed' || decision.amount <= 0n) return;
      if (request.mode === 'OVERFLOW' || request.purpose === 'record') return;
      const { policy, entity, funds } = state;
      const { counter, payment } = decision;
      if (policy.enforcement === 'hard') {
        expect(policy.limit === null || taken(counter) <= policy.limit).toBe(true);
        const own = (entity?.taken ?? 0n) + decision.amount;
        expect(entity === null || policy.entityLimit === null || own <= policy.entityLimit).toBe(true);
        expect(policy.price !== null || payment.overage === 0n).toBe(true);
      }
      const isOwed = policy.price !== null && payment.cost > payment.walletCharge;
      expect(policy.billing === 'postpaid' || !isOwed).toBe(true);
      const [own, ofAll] = [policy.spendLimit, funds.spending];
      expect(own === null || payment.cost === 0n || counter.cost <= own).toBe(true);
      expect(ofAll === null || payment.cost === 0n || ofAll.spent + payment.cost <= ofAll.limit).toBe(true);
    });
  });

  it('takes no more from a grant than it holds, and no wallet below its floor, whatever happens', () => {
    always(({ state, decision }) => {
      if (decision.outcome !== 'allowed') return;
      const { grants, wallet } = fundsAfter(state.funds, decision.payment);
      for (const { remaining, amount } of grants) {
        expect(remaining).toBeGreaterThanOrEqual(0n);
        expect(remaining).toBeLessThanOrEqual(amount);
      }
      if (wallet && decision.payment.walletCharge > 0n) expect(wallet.balance).toBeGreaterThanOrEqual(wallet.floor);
    });
  });

  it('spares the wallet while there are credits, and the bill while there is money for a whole unit', () => {
    always(({ state, decision }) => {
      if (decision.outcome !== 'allowed' || decision.amount <= 0n) return;
      const { payment, counter } = decision;
      const { credits, wallet } = fundsAfter(state.funds, payment);
      if (payment.wallet + payment.overage > 0n) expect(credits).toBe(0n);
      if (payment.overage < ONE || wallet === null || state.policy.price === null) return;
      const oneMore = pay(
        state.policy,
        { ...counter, overage: counter.overage - payment.overage },
        { ...state.funds, credits: 0n, grants: [], wallet },
        ONE,
      );
      expect(oneMore.wallet).toBe(0n);
    });
  });

  it('never goes below the floor by giving back', () => {
    always(({ state, decision }) => {
      if (decision.outcome !== 'allowed' || decision.amount >= 0n) return;
      const { used, gauge } = decision.counter;
      const level = state.aggregation === 'weighted_sum' ? (gauge?.level ?? 0n) : used;
      expect(level >= (state.policy.minLimit ?? 0n)).toBe(true);
    });
  });

  it('the split adds up to what was taken, and has its sign', () => {
    always(({ state, decision }) => {
      if (decision.outcome !== 'allowed') return;
      const { included, credits, wallet, overage, overageCost, walletCharge } = splitOf(state.policy, decision.payment);
      expect(included + credits + wallet + overage).toBe(decision.amount);
      for (const part of [included, credits, wallet, overage]) expect(part * decision.amount >= 0n).toBe(true);
      expect(overageCost.amount + walletCharge.amount).toBe(decision.payment.cost);
      if (decision.amount > 0n) expect(overageCost.amount).toBeGreaterThanOrEqual(0n);
      expect(decision.payment.draws.reduce((sum, { units }) => sum + units, 0n)).toBe(credits);
    });
  });

  it('raises each threshold once, and remembers it', () => {
    fc.assert(
      fc.property(life, (run) => {
        const raised = new Set<string>();
        for (const { decision } of live(run)) {
          if (decision.outcome !== 'allowed') continue;
          for (const { mark } of decision.raised) {
            expect(raised).not.toContain(mark);
            raised.add(mark);
          }
          const isStep = (mark: string) => mark.includes('#'); // of these the highest stands for all
          const known = [...decision.counter.raised];
          expect(known.filter((mark) => !isStep(mark)).sort()).toEqual([...raised].filter((m) => !isStep(m)).sort());
          for (const mark of known) expect(raised).toContain(mark);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('one call', () => {
  it('REJECT takes all or nothing, OVERFLOW too, and CLAMP no whole unit less than REJECT would let through', () => {
    always(({ state, request, atMs, decision }) => {
      if (decision.outcome !== 'allowed' || request.purpose === 'record') return;
      const whole = decide(state, { ...request, mode: 'OVERFLOW' }, atMs);
      if (whole.outcome !== 'allowed') return;
      if (request.mode !== 'CLAMP' || decision.amount === whole.amount) {
        expect(decision.amount).toBe(whole.amount);
        return;
      }
      const alone = (units: bigint) => decide(state, asking(state, request, units), atMs).outcome;
      expect(alone(decision.amount)).toBe('allowed');
      expect(alone(minUnits(decision.amount + ONE, whole.amount))).toBe('denied');
    });
  });

  it('is answered alike each time, and leaves what it was handed as it was', () => {
    always(({ state, request, atMs, decision }) => {
      const before = structuredClone(state);
      expect(decide(state, request, atMs)).toEqual(decision);
      expect(state).toEqual(before);
    }, 100);
  });

  it('that is told when to come back passes then; one that is not would not pass by waiting', () => {
    always(({ state, request, decision }) => {
      if (decision.outcome !== 'denied') return;
      const { reason, retryAtMs } = decision.denial;
      if (reason === 'RATE_LIMITED') {
        const then = decide(state, request, retryAtMs ?? Number.NaN);
        expect(then.outcome === 'denied' && then.denial.reason === 'RATE_LIMITED').toBe(false);
      }
      if (reason !== 'LIMIT_REACHED' && reason !== 'SPEND_LIMIT_REACHED' && reason !== 'INSUFFICIENT_FUNDS') return;
      const ends = [state.funds.spending?.endMs ?? PERIOD.endMs, PERIOD.endMs].sort((a, b) => a - b);
      const passes = (then: number) =>
        decide(later(state, then), { ...request, atMs: then }, then).outcome === 'allowed';
      expect(retryAtMs).toBe(ends.find(passes) ?? null);
    }, 1_000);
  });

  it('with any numbers at all gets an answer that can be stored', () => {
    const any = fc.bigInt({ min: -UNITS_MAX, max: UNITS_MAX });
    const positive = fc.bigInt({ min: 0n, max: UNITS_MAX });
    const states = fc.record({
      limit: fc.option(positive),
      included: fc.option(positive),
      minLimit: fc.option(any),
      unitAmount: fc.option(positive),
      spendLimit: fc.option(positive),
      balance: fc.option(any),
      used: any,
      overage: positive,
      enforcement: fc.constantFrom(...ENFORCEMENTS),
      aggregation: fc.constantFrom(...AGGREGATIONS),
    });
    const requests = fc.record({
      amount: any,
      mode: fc.constantFrom(...CONSUME_MODES),
      purpose: fc.constantFrom('use', 'record', 'hold'),
      isNewValue: fc.boolean(),
      atMs: fc.constant(START_MS),
    });
    fc.assert(
      fc.property(states, requests, ({ unitAmount, used, overage, balance, aggregation, ...of }, request) => {
        const price =
          unitAmount === null
            ? null
            : { model: 'per_unit' as const, unitAmount, currency: 'usd', minimumSpend: null, maximumSpend: null };
        const counter = { ...emptyCounter(PERIOD), used, overage };
        const policy = { ...POLICY, ...of, price };
        const wallet = balance === null ? null : { currency: 'usd', balance, floor: 0n };
        const state = { ...STATE, aggregation, policy, counter, funds: { ...STATE.funds, wallet } };
        const decision = decide(state, request, START_MS);
        if (decision.outcome === 'allowed') {
          const { used: after, held, overage: billed, cost, walletCharge, gauge } = decision.counter;
          for (const stored of [after, held, billed, cost, walletCharge, gauge?.level ?? 0n]) {
            expect(stored <= UNITS_MAX && stored >= -UNITS_MAX).toBe(true);
          }
        }
        const sentence =
          decision.outcome === 'denied'
            ? decision.denial.message
            : decision.outcome === 'invalid'
              ? decision.problem
              : '';
        expect(sentence.length).toBeLessThan(500);
      }),
      { numRuns: 2_000 },
    );
  });
});

const POLICY: MeterState['policy'] = {
  ...mergePolicy(featureOf('tenant', { key: 'calls' }), null, undefined),
  thresholds: [],
};

const STATE: MeterState = {
  featureKey: 'api_calls',
  aggregation: 'sum',
  policy: POLICY,
  planKey: null,
  entitled: true,
  rateRules: [],
  rateWindows: new Map(),
  counter: emptyCounter(PERIOD),
  entity: null,
  funds: { credits: 0n, grants: [], wallet: null, spending: null },
  paid: { credits: 0n, wallet: 0n, overage: 0n, walletCharge: 0n, draws: [] },
};

/** The call for exactly so many units, all or nothing: of a level, for the level that is so much higher. */
function asking({ aggregation, counter }: MeterState, request: UsageRequest, units: bigint): UsageRequest {
  const isLevel = aggregation === 'latest' || aggregation === 'max';
  return { ...request, mode: 'REJECT', amount: isLevel ? counter.used + units : units };
}

/** The same meter when nothing has happened until then. Of a period that ended, a level that is kept goes on. */
function later(state: MeterState, atMs: number): MeterState {
  const { aggregation, counter, entity } = state;
  const { spending } = state.funds;
  const funds = spending && spending.endMs <= atMs ? { ...state.funds, spending: null } : state.funds;
  if (atMs < PERIOD.endMs) return { ...state, funds, rateRules: [] };
  const anew: MeterState = {
    ...state,
    counter: emptyCounter({ startMs: atMs, endMs: atMs + 30 * DAY_MS }),
    rateRules: [],
    entity: entity && { ...entity, taken: 0n },
    funds,
    paid: STATE.paid,
  };
  const level = counter.gauge?.level ?? 0n;
  if (level === 0n || (aggregation !== 'latest' && aggregation !== 'weighted_sum')) return anew;
  const policy = { ...state.policy, minLimit: level };
  const kept = decide(
    { ...anew, policy, entitled: true },
    { amount: level, mode: 'OVERFLOW', purpose: 'record', isNewValue: false, atMs },
    atMs,
  );
  if (kept.outcome !== 'allowed') throw new Error('a level is kept, whatever it costs');
  // Whether keeping it counts as spending of the month is not known to who asks before.
  return { ...anew, counter: kept.counter, funds: { ...fundsAfter(funds, kept.payment), spending: funds.spending } };
}

type Allowed = Extract<Decision, { outcome: 'allowed' }>;

/** A counter with one more payment, added up part by part. */
const summed = (counter: Counter, { amount, payment }: Allowed, into: 'used' | 'held'): Counter => ({
  ...counter,
  [into]: counter[into] + amount,
  credits: counter.credits + payment.credits,
  wallet: counter.wallet + payment.wallet,
  overage: counter.overage + payment.overage,
  cost: counter.cost + payment.cost,
  walletCharge: counter.walletCharge + payment.walletCharge,
});

const totalsOf = ({ used, held, credits, wallet, overage, cost, walletCharge }: Counter) => ({
  used,
  held,
  credits,
  wallet,
  overage,
  cost,
  walletCharge,
});

/** A decision in the model's words. */
function summary(decision: Decision) {
  if (decision.outcome === 'invalid') return { says: 'invalid' };
  if (decision.outcome === 'denied') return { says: decision.denial.reason };
  const { amount, payment, counter, raised } = decision;
  const { used, held } = counter;
  return {
    says: 'allowed',
    taken: amount,
    used,
    held,
    parts: partsOf(payment),
    raised: raised.map(({ mark }) => mark),
  };
}

const partsOf = ({ draws, ...parts }: Payment): Parts => ({ ...parts, draws: byGrant(draws) });

function byGrant(draws: readonly Draw[]): Record<string, bigint> {
  const sums: Record<string, bigint> = {};
  for (const { grantId, units } of draws) sums[grantId] = (sums[grantId] ?? 0n) + units;
  return sums;
}
