/** fit — how much of a request the customer's limits and funds let through, or which of them forbids it. Pure. */
import { isAdditive, isDivisible, type Measured, measure, type Report } from './aggregation.ts';
import { emptyCounter, taken } from './counter.ts';
import type { MeterState, UsageRequest } from './decision.ts';
import { payable } from './payment.ts';
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

/** Whether the call would pass at the start of the next period. */
export function fitsAnew(state: MeterState, request: UsageRequest): boolean {
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
