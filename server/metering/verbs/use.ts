/** use — records what a decision allowed: the counter, the event, what paid for it, the alerts it raised. */
import { isAdditive, isCarried } from '../../domain/aggregation.ts';
import { type Allowed, type Decision, decide, emptySplit, splitOf } from '../../domain/decision.ts';
import type { Denial } from '../../domain/denial.ts';
import { invalidAmount } from '../../domain/errors.ts';
import type { Units } from '../../domain/units.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, entityUseOf, type Meter, stateOf, usageOfMeter } from '../meter.ts';
import type { Consumption } from '../requests.ts';
import { counterAfter, type NewAlert, type StoredCounter, valueKey } from '../state.ts';
import { currencyOf } from './currency.ts';
import type { Use } from './described-use.ts';
import { correctLater, counterAt } from './past.ts';

export type Used = {
  readonly consumption: Omit<Consumption, 'alerts'>;
  readonly alerts: readonly NewAlert[];
};

/** Decides a use and, where it is allowed, records it. */
export function use(draft: Draft, meter: Meter, described: Use): Used {
  const { counter, atMs } = placeOf(draft, meter, described);
  const decision = decideUse(draft, meter, described, counter, atMs);
  if (decision.outcome === 'denied') return { consumption: deniedOf(meter, decision.denial, draft.nowMs), alerts: [] };
  const { counter: after, alerts } = record(draft, meter, described, counter, decision, atMs);
  if (counter.closedAtMs !== null && isCarried(meter.feature.aggregation)) {
    correctLater(draft, meter, described, counter, after);
  }
  const consumption: Omit<Consumption, 'alerts'> = {
    kind: 'consumption',
    allowed: true,
    denial: null,
    amount: decision.amount,
    split: splitOf(meter.policy, decision.payment),
    usage: usageOfMeter(meter, after, draft.nowMs),
    replayed: false,
  };
  return { consumption, alerts };
}

/** The counter that a use goes into, and the instant it counts from. */
export function placeOf(
  draft: Draft,
  meter: Meter,
  { entityId, occurredAtMs }: Pick<Use, 'entityId' | 'occurredAtMs'>,
) {
  const { customer, feature } = meter;
  // A caller's clock that is ahead says no more than now: a period must not begin before its time.
  const atMs = occurredAtMs === null ? draft.nowMs : Math.min(occurredAtMs, draft.nowMs);
  const counter =
    occurredAtMs === null
      ? currentCounter(customer, feature, null, draft.nowMs)
      : counterAt(customer, feature, null, atMs, draft.nowMs);
  return { counter, atMs, entityId };
}

/** @throws {MeterError} `INVALID_AMOUNT` */
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
  if (decision.outcome === 'invalid') throw invalidAmount(decision.problem);
  return decision;
}

/** Writes down what was allowed. */
function record(
  draft: Draft,
  meter: Meter,
  described: Use,
  before: StoredCounter,
  decision: Allowed,
  atMs: number,
): { counter: StoredCounter; alerts: readonly NewAlert[] } {
  const { customer, feature } = meter;
  const { kind, entityId, amount, idempotencyKey, properties, reverses, value } = described;
  const sequence = draft.nextSequence(customer);
  const counter = counterAfter(before, decision.counter, sequence, draft.nowMs);
  customer.rateWindows = decision.rateWindows;
  draft.putCounter(customer, feature.key, null, counter);
  if (entityId !== null) addToEntity(draft, meter, entityId, counter, decision.amount, 'used');
  if (value !== null && decision.amount > 0n) {
    draft.addValue({ customer, featureKey: feature.key, periodStartMs: counter.period.startMs, value });
  }
  const currency = currencyOf(meter, decision.payment);
  draft.applyPayment(meter, decision.payment, { kind: 'use', sequence, currency, spentAtMs: atMs });
  draft.addEvent({
    customer,
    sequence,
    kind,
    featureKey: feature.key,
    entityId,
    periodStartMs: counter.period.startMs,
    reported: isAdditive(feature.aggregation) ? decision.amount : amount,
    amount: decision.amount,
    payment: decision.payment,
    currency,
    usedAfter: counter.used,
    reverses,
    idempotencyKey,
    properties,
    dimensions: feature.dimensions,
    occurredAtMs: described.occurredAtMs ?? atMs,
  });
  return { counter, alerts: draft.raise(meter, counter, decision.raised, sequence) };
}

/** An entity's own counter moves with the customer's; it says who used how much, and nothing of what paid. */
export function addToEntity(
  draft: Draft,
  { customer, feature }: Meter,
  entityId: string,
  counter: StoredCounter,
  amount: Units,
  into: 'used' | 'held',
): void {
  const own = counterAt(customer, feature, entityId, counter.period.startMs, draft.nowMs);
  const same =
    own.period.startMs === counter.period.startMs ? own : { ...own, period: counter.period, used: 0n, held: 0n };
  draft.putCounter(customer, feature.key, entityId, {
    ...same,
    period: counter.period,
    [into]: same[into] + amount,
    sequence: counter.sequence,
    correctedAtMs: same.closedAtMs === null || into === 'held' ? same.correctedAtMs : draft.nowMs,
  });
}

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
