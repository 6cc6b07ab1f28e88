/**
 * decision — may this customer use these units now, and what pays for them? Start reading here.
 *
 * `decide` is pure and total: it knows no database and no clock, and what it is handed is everything it needs.
 */
import { isAdditive, type Measured } from './aggregation.ts';
import { type Crossing, crossings, raisedAfter } from './alert.ts';
import { type Counter, taken } from './counter.ts';
import { type Denial, notInPlan, rateLimited, refused } from './denial.ts';
import { whatFits } from './fit.ts';
import type { MeterState, UsageRequest } from './meter-state.ts';
import { DEFAULT_CURRENCY, type Money } from './money.ts';
import { NO_PAYMENT, type Payment, paidInto, pay } from './payment.ts';
import type { LimitPolicy } from './policy.ts';
import { admitAll, type RateWindows } from './rate-limit.ts';
import { giveBack } from './refund.ts';
import { formatUnits, isCountable, ONE, type Units } from './units.ts';

/** What paid for the units. Sums to the amount taken; all parts are negative when units were given back. */
export type Split = {
  readonly included: Units;
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  readonly walletCharge: Money;
  readonly overageCost: Money;
};

export type Decision =
  | {
      readonly outcome: 'allowed';
      readonly amount: Units;
      readonly payment: Payment;
      /** The state after the call; what the caller must store. */
      readonly counter: Counter;
      readonly rateWindows: RateWindows;
      readonly raised: readonly Crossing[];
    }
  | { readonly outcome: 'denied'; readonly denial: Denial }
  /** The call makes no sense for this feature: an error of the caller, not an answer about the customer. */
  | { readonly outcome: 'invalid'; readonly problem: string };

export type Allowed = Extract<Decision, { outcome: 'allowed' }>;

/** The app's own last word: null lets the call pass, a sentence refuses it. */
export type Hook = (proposal: Allowed) => string | null;

/**
 * Decides one request against the state of one customer and feature.
 *
 * @param nowMs The server's instant, handed in. It must lie in the counter's period or before its end.
 * @returns `denied` is an answer, not a failure: nothing is thrown, and nothing may be stored but the answer itself.
 */
export function decide(state: MeterState, request: UsageRequest, nowMs: number, hook: Hook | null = null): Decision {
  const problem = invalidFor(state, request);
  if (problem !== null) return { outcome: 'invalid', problem };

  const rules = request.purpose === 'record' ? [] : state.rateRules;
  const rate = admitAll(rules, state.rateWindows, nowMs);
  if (!rate.passes) return denied(rateLimited(rate.rule, rate.retryAtMs));
  if (!state.entitled) return denied(notInPlan(state));

  const fit = whatFits(state, request);
  if (fit.refusal !== null) return denied(refused(state, request, fit.refusal));
  const proposal = allow(state, request, fit.measured, rate.windows);
  if (proposal.outcome !== 'allowed') return proposal;
  const refusal = hook === null ? null : hook(proposal);
  return refusal === null ? proposal : denied({ reason: 'REFUSED_BY_HOOK', message: refusal, retryAtMs: null });
}

/** What is wrong with the request whatever the customer's state. */
function invalidFor(state: MeterState, { amount, purpose }: UsageRequest): string | null {
  const { policy, aggregation, featureKey, counter, entity } = state;
  const shown = formatUnits(amount);
  if (amount === 0n && aggregation !== 'latest') return 'Amount 0 uses nothing; send another, or leave it out for 1.';
  if (amount < 0n && policy.minLimit === null && aggregation !== 'weighted_sum') {
    return `Amount ${shown} is negative, and use of "${featureKey}" can't be given back; set its minLimit to allow that.`;
  }
  if ((aggregation === 'count' || aggregation === 'unique') && amount !== ONE && amount !== -ONE) {
    const counted = aggregation === 'count' ? 'events' : 'distinct values';
    return `Amount ${shown} makes no sense for "${featureKey}", which counts ${counted}: leave the amount out, or send 1.`;
  }
  if (amount < 0n && (aggregation === 'max' || aggregation === 'unique')) {
    return `Amount ${shown} is negative; what "${featureKey}" has counted can't be given back before its period ends.`;
  }
  if (aggregation === 'weighted_sum' && counter.period.endMs === null) {
    return `"${featureKey}" weighs amounts by time and never resets; give it a reset, like monthly.`;
  }
  if (purpose === 'hold' && !(isAdditive(aggregation) && amount > 0n)) {
    return `Amount ${shown} of "${featureKey}" can't be reserved: only amounts above 0 that add up can (count, sum, duration).`;
  }
  if (entity !== null && !isAdditive(aggregation)) {
    return `"${featureKey}" is not counted by entity: only amounts that add up are (count, sum, duration).`;
  }
  return null;
}

function allow(state: MeterState, request: UsageRequest, measured: Measured, rateWindows: RateWindows): Decision {
  const { policy, counter } = state;
  const { taken: amount, gauge } = measured;
  const payment = paymentOf(state, amount);
  const paid = { ...paidInto(counter, payment, request.purpose === 'hold' ? 'held' : 'used'), gauge };
  if (
    !isCountable(paid.used) ||
    !isCountable(taken(paid)) ||
    !isCountable(paid.cost) ||
    !isCountable(gauge?.level ?? 0n)
  ) {
    return { outcome: 'invalid', problem: uncountable(state, amount) };
  }
  const raised = request.purpose === 'hold' ? [] : crossings(policy, counter, paid, counter.raised);
  const after = raised.length === 0 ? paid : { ...paid, raised: raisedAfter(counter.raised, raised) };
  return { outcome: 'allowed', amount, payment, counter: after, rateWindows, raised };
}

function paymentOf({ policy, counter, funds, paid }: MeterState, amount: Units): Payment {
  if (amount === 0n) return NO_PAYMENT;
  return amount > 0n ? pay(policy, counter, funds, amount) : giveBack(policy, counter, paid, -amount);
}

const uncountable = ({ featureKey, counter }: MeterState, amount: Units): string =>
  `Amount ${formatUnits(amount)} on top of ${formatUnits(counter.used)} is more than "${featureKey}" can count or charge for.`;

/** How a payment is told: with the currency of the feature's price. */
export function splitOf(policy: LimitPolicy, payment: Payment): Split {
  const { included, credits, wallet, overage, cost, walletCharge } = payment;
  const currency = policy.price?.currency ?? DEFAULT_CURRENCY;
  return {
    included,
    credits,
    wallet,
    overage,
    walletCharge: { amount: walletCharge, currency },
    overageCost: { amount: cost - walletCharge, currency },
  };
}

/** The split of a denied call: nothing was taken, so nothing paid. */
export const emptySplit = (policy: LimitPolicy): Split => splitOf(policy, NO_PAYMENT);

const denied = (denial: Denial): Decision => ({ outcome: 'denied', denial });
