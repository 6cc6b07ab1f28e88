/**
 * decision — may this customer use these units now, and what pays for them? Start reading here.
 *
 * `decide` is pure and total: it knows no database and no clock, and what it is handed is everything it needs.
 */
import { newlyReached } from './alert.ts';
import type { Aggregation } from './feature.ts';
import { DEFAULT_CURRENCY, type Money } from './money.ts';
import type { Period } from './period.ts';
import type { LimitPolicy } from './policy.ts';
import { admit, type RateLimit, type RateWindow } from './rate-limit.ts';
import { type Threshold, thresholdKey } from './threshold.ts';
import { formatUnits, maxUnits, minUnits, multiplyUnits, ONE, UNITS_MAX, type Units } from './units.ts';

/** In order of precedence: the first that holds is the one reported, here, in the SDL, in tests and docs. */
export const DENIAL_REASONS = [
  'NOT_AUTHORIZED',
  'RATE_LIMITED',
  'FEATURE_NOT_IN_PLAN',
  'LIMIT_REACHED',
  'SPEND_LIMIT_REACHED',
  'INSUFFICIENT_FUNDS',
  'BELOW_MINIMUM',
  'REFUSED_BY_HOOK',
] as const;
export type DenialReason = (typeof DENIAL_REASONS)[number];

export const CONSUME_MODES = ['REJECT', 'CLAMP', 'OVERFLOW'] as const;
/** `REJECT`: all or nothing. `CLAMP`: what fits. `OVERFLOW`: all, even past a hard limit. */
export type ConsumeMode = (typeof CONSUME_MODES)[number];

/** The running total of one customer, feature and period. */
export type Counter = {
  readonly period: Period;
  readonly used: Units;
  /** The part of `used` that what is included did not cover. */
  readonly overage: Units;
  /** Keys of the thresholds already raised in this period. */
  readonly raised: ReadonlySet<string>;
};

export const emptyCounter = (period: Period): Counter => ({ period, used: 0n, overage: 0n, raised: new Set() });

/** All that one decision depends on: the customer's state as far as this feature is concerned. */
export type MeterState = {
  readonly featureKey: string;
  readonly aggregation: Aggregation;
  readonly policy: LimitPolicy;
  /** The plan that was looked at, for the sentence of a denial. */
  readonly planKey: string | null;
  /** Whether plan or override name the feature at all. */
  readonly entitled: boolean;
  readonly rateLimit: RateLimit | null;
  readonly rateWindow: RateWindow | null;
  readonly counter: Counter;
};

/** One call. `amount` is never 0; negative gives back. */
export type UsageRequest = { readonly amount: Units; readonly mode: ConsumeMode };

/** What paid for the units. Sums to the amount taken; all parts are negative when units were given back. */
export type Split = {
  readonly included: Units;
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  readonly walletCharge: Money;
  readonly overageCost: Money;
};

export type Denial = {
  readonly reason: DenialReason;
  /** What was found, what is allowed, what to do. */
  readonly message: string;
  /** When the same call may pass; null when time alone does not help. */
  readonly retryAtMs: number | null;
};

export type Decision =
  | {
      readonly outcome: 'allowed';
      readonly amount: Units;
      readonly split: Split;
      /** The state after the call; what the caller must store. */
      readonly counter: Counter;
      readonly rateWindow: RateWindow | null;
      readonly raised: readonly Threshold[];
    }
  | { readonly outcome: 'denied'; readonly denial: Denial }
  /** The call makes no sense for this feature: an error of the caller, not an answer about the customer. */
  | { readonly outcome: 'invalid'; readonly problem: string };

/**
 * Decides one request against the state of one customer and feature.
 *
 * @param nowMs The server's instant, handed in. It must lie in the counter's period or before its end.
 * @returns `denied` is an answer, not a failure: nothing is thrown, and nothing may be stored but the answer itself.
 */
export function decide(state: MeterState, request: UsageRequest, nowMs: number): Decision {
  const problem = invalidFor(state, request);
  if (problem !== null) return { outcome: 'invalid', problem };

  const rate = admit(state.rateLimit, state.rateWindow, nowMs);
  if (!rate.passes) return denied(rateLimited(rate.rule, rate.retryAtMs));
  if (!state.entitled) return denied(notInPlan(state));

  const { amount, bound } = whatFits(state, request);
  if (amount === 0n) return denied(exhausted(state, request, bound));
  return allowed(state, amount, rate.window);
}

/** What is wrong with the request whatever the customer's state. */
function invalidFor({ policy, aggregation, featureKey }: MeterState, { amount }: UsageRequest): string | null {
  if (amount < 0n && policy.minLimit === null) {
    return `Amount ${formatUnits(amount)} is negative, and use of "${featureKey}" can't be given back; set its minLimit to allow that.`;
  }
  if (aggregation === 'count' && amount !== ONE && amount !== -ONE) {
    return `Amount ${formatUnits(amount)} makes no sense for "${featureKey}", which counts events: leave the amount out, or send 1.`;
  }
  return null;
}

/** The bound that a request ran into, in terms of the refusal it leads to. */
type Bound = 'LIMIT_REACHED' | 'INSUFFICIENT_FUNDS' | 'BELOW_MINIMUM';

type Fit = { readonly amount: Units; readonly bound: Bound };

/** How much of the amount is taken (0: nothing), and the bound that holds the rest back. */
function whatFits(state: MeterState, request: UsageRequest): Fit {
  const { amount } = request;
  const isPartial = request.mode === 'CLAMP' && state.aggregation !== 'count'; // there is no part of an event
  const fits = amount < 0n ? whatCanBeGivenBack(state, amount) : whatCanBeTaken(state, request, isPartial);
  return fits.amount === amount || isPartial ? fits : { ...fits, amount: 0n };
}

function whatCanBeGivenBack({ counter, policy }: MeterState, amount: Units): Fit {
  const floor = policy.minLimit ?? 0n;
  const room = minUnits(floor - counter.used, 0n);
  return { amount: maxUnits(amount, room), bound: 'BELOW_MINIMUM' };
}

function whatCanBeTaken({ counter, policy }: MeterState, { amount, mode }: UsageRequest, isPartial: boolean): Fit {
  if (mode === 'OVERFLOW' || policy.enforcement === 'soft') return { amount, bound: 'LIMIT_REACHED' };
  const underLimit = policy.limit === null ? amount : minUnits(amount, maxUnits(policy.limit - counter.used, 0n));
  const limitRefuses = isPartial ? underLimit === 0n : underLimit < amount;
  const funded = policy.price === null ? includedLeft(policy, counter) : null; // a price lets overage pay the rest
  const bound: Bound = limitRefuses ? 'LIMIT_REACHED' : 'INSUFFICIENT_FUNDS';
  return { amount: funded === null ? underLimit : minUnits(underLimit, funded), bound };
}

/** Included units not used yet; null when there is no end to them. */
function includedLeft({ included }: LimitPolicy, { used, overage }: Counter): Units | null {
  return included === null ? null : maxUnits(included - (used - overage), 0n);
}

function allowed(state: MeterState, amount: Units, rateWindow: RateWindow | null): Decision {
  const { counter, policy } = state;
  const overage = amount < 0n ? overageGivenBack(counter, amount) : overageOf(policy, counter, amount);
  const used = counter.used + amount;
  const overageAfter = counter.overage + overage;
  if (!isCountable(used) || !isCountable(costOf(policy, overage)) || !isCountable(costOf(policy, overageAfter))) {
    return { outcome: 'invalid', problem: uncountable(state, amount) };
  }
  const raised = amount > 0n ? newlyReached(policy, used, counter.raised) : []; // giving back crosses nothing
  return {
    outcome: 'allowed',
    amount,
    split: splitOf(policy, amount, overage),
    counter: {
      period: counter.period,
      used,
      overage: overageAfter,
      raised: raised.length === 0 ? counter.raised : new Set([...counter.raised, ...raised.map(thresholdKey)]),
    },
    rateWindow,
    raised,
  };
}

/** Whether a total fits into 38 digits; both what is used and what it costs must. */
const isCountable = (units: Units): boolean => units <= UNITS_MAX && units >= -UNITS_MAX;

const uncountable = ({ featureKey, counter }: MeterState, amount: Units): string =>
  `Amount ${formatUnits(amount)} on top of ${formatUnits(counter.used)} is more than "${featureKey}" can count or charge for.`;

const costOf = ({ price }: LimitPolicy, overage: Units): Units => multiplyUnits(overage, price?.unitAmount ?? 0n);

/** What is beyond the included units. */
function overageOf(policy: LimitPolicy, counter: Counter, amount: Units): Units {
  const left = includedLeft(policy, counter);
  return left === null ? 0n : maxUnits(amount - left, 0n);
}

/** Last in, first out: overage is given back before included units are. */
const overageGivenBack = (counter: Counter, amount: Units): Units => -minUnits(counter.overage, -amount);

function splitOf(policy: LimitPolicy, amount: Units, overage: Units): Split {
  const currency = policy.price?.currency ?? DEFAULT_CURRENCY;
  return {
    included: amount - overage,
    credits: 0n,
    wallet: 0n,
    overage,
    walletCharge: { amount: 0n, currency },
    overageCost: { amount: costOf(policy, overage), currency },
  };
}

/** The split of a denied call: nothing was taken, so nothing paid. */
export const emptySplit = (policy: LimitPolicy): Split => splitOf(policy, 0n, 0n);

const denied = (denial: Denial): Decision => ({ outcome: 'denied', denial });

function rateLimited(rule: RateLimit, retryAtMs: number): Denial {
  const message = `All ${rule.limit} calls of this ${rule.windowMs / 1_000} s window are used; try again at ${iso(retryAtMs)}.`;
  return { reason: 'RATE_LIMITED', message, retryAtMs };
}

function notInPlan({ featureKey, planKey }: MeterState): Denial {
  const message = `Plan "${planKey}" does not include "${featureKey}"; choose a plan that does.`;
  return { reason: 'FEATURE_NOT_IN_PLAN', message, retryAtMs: null };
}

function exhausted(state: MeterState, request: UsageRequest, bound: Bound): Denial {
  const { policy, counter, featureKey } = state;
  const asked = formatUnits(request.amount);
  const used = formatUnits(counter.used);
  if (bound === 'BELOW_MINIMUM') {
    const floor = formatUnits(policy.minLimit ?? 0n);
    const message = `Giving back ${asked.slice(1)} of "${featureKey}" would leave less than the minimum of ${floor}; ${used} are in use.`;
    return { reason: bound, message, retryAtMs: null };
  }
  const endMs = counter.period.endMs;
  const fitsAnew = whatFits({ ...state, counter: emptyCounter(counter.period) }, request).amount !== 0n;
  const until =
    endMs === null
      ? 'It never resets.'
      : `It resets at ${iso(endMs)}${fitsAnew ? '' : ', which does not help this call'}.`;
  const ceiling =
    bound === 'LIMIT_REACHED'
      ? `the limit is ${formatUnits(policy.limit ?? 0n)}`
      : `${formatUnits(policy.included ?? 0n)} are included and nothing pays for more`;
  const message = `${used} of "${featureKey}" are used and ${asked} more were asked for, but ${ceiling}. ${until}`;
  return { reason: bound, message, retryAtMs: fitsAnew ? endMs : null };
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
