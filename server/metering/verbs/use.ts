/** use — decides a use, and records it where it is allowed. */
import { isAdditive, isCarried } from '../../domain/aggregation.ts';
import { costsInAnother } from '../../domain/counter-currency.ts';
import { type Allowed, type Decision, decide, emptySplit, splitOf } from '../../domain/decision.ts';
import type { Denial } from '../../domain/denial.ts';
import { invalidAmount, invalidInput, type MeterError } from '../../domain/errors.ts';
import type { Feature } from '../../domain/feature.ts';
import { NO_PAYMENT, type Payment } from '../../domain/payment.ts';
import { formatUnits, type Units } from '../../domain/units.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, entityUseOf, type Meter, stateOf, usageOfMeter } from '../meter.ts';
import type { Consumption } from '../requests.ts';
import { type NewAlert, type StoredCounter, valueKey } from '../state.ts';
import { counterAt } from './counter-at.ts';
import type { Use } from './described-use.ts';
import { type Moved, moveCounter } from './movement.ts';
import { correctLater } from './past.ts';

export type Used = {
  readonly consumption: Omit<Consumption, 'alerts'>;
  /** What the consumption's split tells of. */
  readonly payment: Payment;
  readonly alerts: readonly NewAlert[];
};

/** Decides a use and, where it is allowed, records it. */
export function use(draft: Draft, meter: Meter, described: Use): Used {
  const { counter, atMs } = placeOf(draft, meter, described);
  const decision = decideUse(draft, meter, described, counter, atMs);
  if (decision.outcome === 'denied') return refusedUse(meter, decision.denial, draft.nowMs);
  const { counter: after, alerts } = record(draft, meter, described, counter, decision, atMs);
  if (counter.closedAtMs !== null && isCarried(meter.feature.aggregation)) {
    correctLater(draft, meter, described, counter, after);
  }
  return { consumption: allowedOf(meter, after, decision, draft.nowMs), payment: decision.payment, alerts };
}

/** The counter that a use goes into, and the instant it counts from. */
export function placeOf(
  draft: Draft,
  meter: Meter,
  { entityId, occurredAtMs, amount }: Pick<Use, 'entityId' | 'occurredAtMs' | 'amount'>,
) {
  const { customer, feature, policy } = meter;
  // A caller's clock that is ahead says no more than now: a period must not begin before its time.
  const atMs = occurredAtMs === null ? draft.nowMs : Math.min(occurredAtMs, draft.nowMs);
  // What happens now counts in the newest period, also where that was started by hand in this very millisecond.
  const current = currentCounter(customer, feature, null, draft.nowMs);
  if (atMs === draft.nowMs) return { counter: current, atMs, entityId };
  const counter = counterAt(customer, feature, null, atMs, draft.nowMs);
  const isGivenBack = isAdditive(feature.aggregation) && amount < 0n;
  // A period that was priced in another currency takes no more: what is told late of it counts in the running one.
  return isGivenBack || !costsInAnother(counter, policy.price)
    ? { counter, atMs, entityId }
    : { counter: current, atMs: Math.max(atMs, current.period.startMs), entityId };
}

/** @throws {MeterError} `INVALID_AMOUNT`; `INVALID_INPUT` where a duration said it. */
export function decideUse(
  draft: Draft,
  meter: Meter,
  described: Use,
  counter: StoredCounter,
  atMs: number,
): Exclude<Decision, { outcome: 'invalid' }> {
  const { customer, feature } = meter;
  const { startMs } = counter.period;
  const { amount, mode, purpose, value, hook } = described;
  const entity = entityUseOf(customer, feature.key, described.entityId, startMs, amount < 0n);
  const isNewValue = value !== null && !customer.seen.has(valueKey(feature.key, startMs, value));
  const state = stateOf(meter, counter, entity, draft.nowMs);
  const decision = decide(state, { amount, atMs, isNewValue, mode, purpose }, draft.nowMs, hook);
  if (decision.outcome === 'invalid') throw invalidUse(described, feature, decision.problem);
  return decision;
}

/** At the field that said the amount. */
function invalidUse({ amount, duration }: Use, { unit }: Feature, problem: string): MeterError {
  if (duration === undefined) return invalidAmount(problem);
  const sentence = `Duration ${JSON.stringify(duration)} comes to ${formatUnits(amount)} ${unit}s. ${problem}`;
  return invalidInput(['input', 'duration'], sentence);
}

/** Writes down what was allowed. */
function record(
  draft: Draft,
  meter: Meter,
  described: Use,
  before: StoredCounter,
  decision: Allowed,
  atMs: number,
): Moved {
  const { customer, feature } = meter;
  const { kind, entityId, idempotencyKey, properties, reverses, value, occurredAtMs } = described;
  const { amount, payment, counter: after, raised: crossed } = decision;
  customer.rateWindows = decision.rateWindows;
  if (value !== null && amount > 0n) {
    draft.addValue({ customer, featureKey: feature.key, periodStartMs: before.period.startMs, value });
  }
  return moveCounter(draft, meter, before, {
    kind,
    entityId,
    reported: isAdditive(feature.aggregation) ? amount : described.amount,
    amount,
    payment,
    reverses,
    idempotencyKey,
    properties,
    occurredAtMs: occurredAtMs ?? atMs,
    after,
    crossed,
    bookedAs: 'use',
  });
}

/** What a caller hears who was let through. */
export const allowedOf = (
  meter: Meter,
  counter: StoredCounter,
  { amount, payment }: { readonly amount: Units; readonly payment: Payment },
  nowMs: number,
): Omit<Consumption, 'alerts'> => ({
  kind: 'consumption',
  allowed: true,
  denial: null,
  amount,
  split: splitOf(meter.policy, payment),
  usage: usageOfMeter(meter, counter, nowMs),
  replayed: false,
});

/** A use that was refused: nothing was paid, and nothing is recorded. */
export const refusedUse = (meter: Meter, denial: Denial, nowMs: number): Used => ({
  consumption: deniedOf(meter, denial, nowMs),
  payment: NO_PAYMENT,
  alerts: [],
});

/** What a caller hears who was refused. */
export function deniedOf(meter: Meter, denial: Denial, nowMs: number): Omit<Consumption, 'alerts'> {
  const counter = currentCounter(meter.customer, meter.feature, null, nowMs);
  return {
    kind: 'consumption',
    allowed: false,
    denial,
    amount: 0n,
    split: emptySplit(meter.policy),
    usage: usageOfMeter(meter, counter, nowMs),
    replayed: false,
  };
}
