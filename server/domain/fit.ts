/** fit — how much of a request the customer's limits and funds let through, or which of them forbids it. Pure. */
import { carriedInto, isAdditive, isDivisible, type Measured, measure, type Report } from './aggregation.ts';
import { emptyCounter, taken } from './counter.ts';
import type { MeterState, UsageRequest } from './meter-state.ts';
import { NO_PAYMENT, paidInto, pay, payable } from './payment.ts';
import type { Period } from './period.ts';
import { maxUnits, minUnits, type Units } from './units.ts';

/** A bound that a request ran into, in terms of the refusal it leads to. */
export type Bound = 'LIMIT_REACHED' | 'SPEND_LIMIT_REACHED' | 'INSUFFICIENT_FUNDS' | 'BELOW_MINIMUM';

export type Fit =
  | { readonly refusal: null; readonly measured: Measured }
  /** The bound that holds the request back. */
  | { readonly refusal: Bound };

/** How much of the request is taken, or what forbids it. */
export function whatFits(state: MeterState, request: UsageRequest): Fit {
  const measured = measure(state.aggregation, state.counter, request);
  if (measured.taken <= 0n || isForced(request)) return aboveMinimum(state, request, measured);
  const isPartial = request.mode === 'CLAMP' && isDivisible(state.aggregation);
  const bounds = boundsOf(state, measured.taken);
  const [bound] = bounds.find(([, most]) => (isPartial ? most === 0n : most < measured.taken)) ?? [null];
  if (bound !== null) return { refusal: bound };
  const most = bounds.reduce((least, [, next]) => minUnits(least, next), measured.taken);
  if (most === measured.taken) return aboveMinimum(state, request, measured);
  const part = { ...request, amount: request.amount - (measured.taken - most) };
  return aboveMinimum(state, part, measure(state.aggregation, state.counter, part));
}

/** What is taken in the end must not leave less than the floor. */
function aboveMinimum(state: MeterState, request: UsageRequest, measured: Measured): Fit {
  return isBelowMinimum(state, request, measured) ? belowMinimum(state, request) : { refusal: null, measured };
}

/**
 * The first instant at which the same call would pass, if nothing else happens: when the month that a spend limit is of
 * has ended, or the period. Null when neither helps.
 */
export function passesFromMs(state: MeterState, request: UsageRequest): number | null {
  const ends = [state.funds.spending?.endMs ?? null, state.counter.period.endMs].filter((endMs) => endMs !== null);
  const passes = ends.filter((atMs) => whatFits(stateAt(state, atMs), { ...request, atMs }).refusal === null);
  return passes.length === 0 ? null : Math.min(...passes);
}

/** The state at a later instant, if nothing else happens until then. */
function stateAt(state: MeterState, atMs: number): MeterState {
  const { spending } = state.funds;
  const funds = spending !== null && spending.endMs <= atMs ? { ...state.funds, spending: null } : state.funds;
  const { startMs, endMs } = state.counter.period;
  if (endMs === null || atMs < endMs) return { ...state, funds };
  return inPeriod({ ...state, funds }, { startMs: atMs, endMs: atMs + (endMs - startMs) }); // about as long, if not quite
}

/** The state as a new period begins: nothing is used but a level that is kept, and that is paid for first. */
function inPeriod(state: MeterState, period: Period): MeterState {
  const { aggregation, policy, funds } = state;
  const kept = carriedInto(aggregation, state.counter.gauge, period);
  const empty = emptyCounter(period);
  const payment = kept.taken > 0n ? pay(policy, empty, funds, kept.taken) : { ...NO_PAYMENT, included: kept.taken };
  const { wallet, credits } = funds;
  return {
    ...state,
    counter: { ...paidInto(empty, payment, 'used'), gauge: kept.gauge },
    entity: state.entity && { ...state.entity, taken: 0n },
    funds: {
      ...funds,
      credits: credits - payment.credits,
      wallet: wallet && { ...wallet, balance: wallet.balance - payment.walletCharge },
    },
  };
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
