/**
 * decision — may this customer use these units now, and what pays for them? Start reading here.
 *
 * `decide` is pure and total: it knows no database and no clock, and what it is handed is everything it needs.
 */
import { isAdditive, isDivisible, type Measured, measure, type Report } from './aggregation.ts';
import { type Crossing, crossings } from './alert.ts';
import { type Counter, emptyCounter, taken } from './counter.ts';
import type { Aggregation } from './feature.ts';
import { DEFAULT_CURRENCY, type Money } from './money.ts';
import { type Funds, giveBack, NO_PAYMENT, type Paid, type Payment, paidInto, pay, payable } from './payment.ts';
import type { LimitPolicy } from './policy.ts';
import { admitAll, type RateLimit, type RateRule, type RateWindows } from './rate-limit.ts';
import { formatUnits, maxUnits, minUnits, ONE, UNITS_MAX, type Units } from './units.ts';

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

/** What an entity under the customer (a seat, a workspace) has taken of the shared limit. */
export type EntityUse = { readonly id: string; readonly taken: Units };

/** All that one decision depends on: the customer's state as far as this feature is concerned. */
export type MeterState = {
  readonly featureKey: string;
  readonly aggregation: Aggregation;
  readonly policy: LimitPolicy;
  /** The plan that was looked at, for the sentence of a denial. */
  readonly planKey: string | null;
  /** Whether plan or override name the feature at all. */
  readonly entitled: boolean;
  /** Of the customer and of this feature. All must pass. */
  readonly rateRules: readonly RateRule[];
  readonly rateWindows: RateWindows;
  readonly counter: Counter;
  /** Null for a call that names no entity. */
  readonly entity: EntityUse | null;
  readonly funds: Funds;
  /** What paid for the use of this period: from what units can be given back. */
  readonly paid: Paid;
};

/** One call. */
export type UsageRequest = Report & {
  readonly mode: ConsumeMode;
  /** `use` counts; `record` counts what has happened already, and is not refused for lack of anything; `hold` reserves. */
  readonly purpose: 'use' | 'record' | 'hold';
};

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
  if (amount < 0n && policy.minLimit === null) {
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

/** A bound that a request ran into, in terms of the refusal it leads to. */
type Bound = 'LIMIT_REACHED' | 'SPEND_LIMIT_REACHED' | 'INSUFFICIENT_FUNDS' | 'BELOW_MINIMUM';

type Fit =
  | { readonly refusal: null; readonly measured: Measured }
  /** The bound that holds the request back. */
  | { readonly refusal: Bound };

/** How much of the request is taken, or what forbids it. */
function whatFits(state: MeterState, request: UsageRequest): Fit {
  const measured = measure(state.aggregation, state.counter, request);
  if (isBelowMinimum(state, request, measured)) return belowMinimum(state, request);
  if (measured.taken <= 0n || isForced(request)) return { refusal: null, measured };
  const isPartial = request.mode === 'CLAMP' && isDivisible(state.aggregation);
  const bounds = boundsOf(state, measured.taken);
  const [bound] = bounds.find(([, most]) => (isPartial ? most === 0n : most < measured.taken)) ?? [null];
  if (bound !== null) return { refusal: bound };
  const most = bounds.reduce((least, [, next]) => minUnits(least, next), measured.taken);
  if (most === measured.taken) return { refusal: null, measured };
  const amount = request.amount - (measured.taken - most);
  return { refusal: null, measured: measure(state.aggregation, state.counter, { ...request, amount }) };
}

const isForced = ({ mode, purpose }: UsageRequest): boolean => mode === 'OVERFLOW' || purpose === 'record';

/** How many of so many units each bound lets through, in order of refusal. */
function boundsOf(state: MeterState, units: Units): readonly (readonly [Bound, Units])[] {
  const { policy, counter, funds } = state;
  const underLimits = minUnits(units, roomUnderLimits(state) ?? units);
  const { bySpendLimits, byFunds } = payable(policy, counter, funds, underLimits);
  return [
    ['LIMIT_REACHED', underLimits],
    ['SPEND_LIMIT_REACHED', bySpendLimits],
    ['INSUFFICIENT_FUNDS', byFunds],
  ];
}

/** Units that the customer's limit and the entity's own leave; null when nothing is capped. */
function roomUnderLimits({ policy, counter, entity }: MeterState): Units | null {
  if (policy.enforcement === 'soft') return null;
  const ofCustomer = policy.limit === null ? null : maxUnits(policy.limit - taken(counter), 0n);
  const ofEntity =
    entity === null || policy.entityLimit === null ? null : maxUnits(policy.entityLimit - entity.taken, 0n);
  if (ofCustomer === null || ofEntity === null) return ofCustomer ?? ofEntity;
  return minUnits(ofCustomer, ofEntity);
}

/** Whether use, or the level of a gauge, would fall below its floor. */
function isBelowMinimum({ policy, counter, entity, aggregation }: MeterState, request: Report, { gauge }: Measured) {
  const floor = policy.minLimit ?? 0n;
  if (aggregation === 'latest') return request.amount < floor;
  if (request.amount >= 0n) return false;
  if (aggregation === 'weighted_sum') return (gauge?.level ?? 0n) < floor;
  return counter.used + request.amount < floor || (entity !== null && entity.taken + request.amount < 0n);
}

/** Giving back can be cut to what the floor leaves. */
function belowMinimum(state: MeterState, request: UsageRequest): Fit {
  const { policy, counter, entity, aggregation } = state;
  if (request.mode !== 'CLAMP' || aggregation === 'count' || !isAdditive(aggregation)) {
    return { refusal: 'BELOW_MINIMUM' };
  }
  const ofCustomer = minUnits((policy.minLimit ?? 0n) - counter.used, 0n);
  const amount = entity === null ? ofCustomer : maxUnits(ofCustomer, -entity.taken);
  if (amount >= 0n) return { refusal: 'BELOW_MINIMUM' };
  return { refusal: null, measured: measure(aggregation, counter, { ...request, amount }) };
}

function allow(state: MeterState, request: UsageRequest, measured: Measured, rateWindows: RateWindows): Decision {
  const { policy, counter } = state;
  const { taken: amount, gauge } = measured;
  const payment = paymentOf(state, amount);
  const paid = { ...paidInto(counter, payment, request.purpose === 'hold' ? 'held' : 'used'), gauge };
  if (!isCountable(paid.used) || !isCountable(taken(paid)) || !isCountable(paid.cost)) {
    return { outcome: 'invalid', problem: uncountable(state, amount) };
  }
  const raised = request.purpose === 'hold' ? [] : crossings(policy, counter, paid, counter.raised);
  const after = raised.length === 0 ? paid : { ...paid, raised: withMarks(counter.raised, raised) };
  return { outcome: 'allowed', amount, payment, counter: after, rateWindows, raised };
}

function paymentOf({ policy, counter, funds, paid }: MeterState, amount: Units): Payment {
  if (amount === 0n) return NO_PAYMENT;
  return amount > 0n ? pay(policy, counter, funds, amount) : giveBack(policy, counter, paid, -amount);
}

export const withMarks = (raised: ReadonlySet<string>, more: readonly Crossing[]): ReadonlySet<string> =>
  new Set([...raised, ...more.map(({ mark }) => mark)]);

/** Whether a total fits into 38 digits; both what is used and what it costs must. */
const isCountable = (units: Units): boolean => units <= UNITS_MAX && units >= -UNITS_MAX;

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

function rateLimited(rule: RateLimit, retryAtMs: number): Denial {
  const message = `All ${rule.limit} calls of this ${rule.windowMs / 1_000} s window are used; try again at ${iso(retryAtMs)}.`;
  return { reason: 'RATE_LIMITED', message, retryAtMs };
}

function notInPlan({ featureKey, planKey }: MeterState): Denial {
  const message = `Plan "${planKey}" does not include "${featureKey}"; choose a plan that does.`;
  return { reason: 'FEATURE_NOT_IN_PLAN', message, retryAtMs: null };
}

function refused(state: MeterState, request: UsageRequest, bound: Bound): Denial {
  const { policy, counter, featureKey } = state;
  const asked = formatUnits(request.amount);
  const used = formatUnits(counter.used);
  if (bound === 'BELOW_MINIMUM') {
    const floor = formatUnits(policy.minLimit ?? 0n);
    const message =
      state.aggregation === 'latest'
        ? `A level of ${asked} of "${featureKey}" is below the minimum of ${floor}; ${used} are in use.`
        : `Giving back ${asked.slice(1)} of "${featureKey}" would leave less than the minimum of ${floor}; ${used} are in use.`;
    return { reason: bound, message, retryAtMs: null };
  }
  const endMs = counter.period.endMs;
  const helps = fitsAnew(state, request);
  const until =
    endMs === null
      ? 'It never resets.'
      : `It resets at ${iso(endMs)}${helps ? '' : ', which does not help this call'}.`;
  const held = counter.held === 0n ? '' : ` and ${formatUnits(counter.held)} reserved`;
  const message = `${used} of "${featureKey}" are used${held} and ${asked} more were asked for, but ${ceilingOf(state, bound)}. ${until}`;
  return { reason: bound, message, retryAtMs: helps ? endMs : null };
}

/** Whether the call would pass at the start of the next period. */
function fitsAnew(state: MeterState, request: UsageRequest): boolean {
  const { counter, entity, funds } = state;
  const anew = { ...emptyCounter(counter.period), held: counter.held };
  const fresh = {
    ...state,
    counter: anew,
    entity: entity && { ...entity, taken: 0n },
    funds: { ...funds, spending: null },
  };
  return whatFits(fresh, request).refusal === null;
}

function ceilingOf({ policy, entity, funds, counter }: MeterState, bound: Exclude<Bound, 'BELOW_MINIMUM'>): string {
  switch (bound) {
    case 'LIMIT_REACHED':
      return isEntityBound(policy, entity, counter)
        ? `the limit of "${entity?.id}" is ${formatUnits(policy.entityLimit ?? 0n)}`
        : `the limit is ${formatUnits(policy.limit ?? 0n)}`;
    case 'SPEND_LIMIT_REACHED':
      return policy.spendLimit !== null && counter.cost <= policy.spendLimit && funds.spending === null
        ? `at most ${formatUnits(policy.spendLimit)} (minor units) may be spent on it, and ${formatUnits(counter.cost)} are`
        : spendCeiling(policy, funds, counter);
    case 'INSUFFICIENT_FUNDS':
      return `${formatUnits(policy.included ?? 0n)} are included and nothing pays for more${prepaidLeft(funds)}`;
  }
}

function spendCeiling({ spendLimit }: LimitPolicy, { spending }: Funds, counter: Counter): string {
  const ofFeature = `${formatUnits(counter.cost)} of ${formatUnits(spendLimit ?? 0n)} (minor units) are spent on it`;
  if (spending === null) return ofFeature;
  const ofCustomer = `${formatUnits(spending.spent)} of ${formatUnits(spending.limit)} (minor units) are spent this month`;
  return spendLimit === null ? ofCustomer : `${ofFeature}, and ${ofCustomer}`;
}

function prepaidLeft({ credits, wallet }: Funds): string {
  if (credits === 0n && wallet === null) return '';
  const money =
    wallet === null ? '' : ` and ${formatUnits(wallet.balance)} ${wallet.currency} (minor units) in the wallet`;
  return `: ${formatUnits(credits)} credits${money} are left`;
}

function isEntityBound({ limit, entityLimit }: LimitPolicy, entity: EntityUse | null, counter: Counter): boolean {
  if (entity === null || entityLimit === null) return false;
  return limit === null || entityLimit - entity.taken < limit - taken(counter);
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
