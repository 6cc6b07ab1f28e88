/** correct — what is done about mistakes: an event is reversed by another, a period ended by hand. Nothing is updated. */

import { isAdditive } from '../../domain/aggregation.ts';
import { splitOf } from '../../domain/decision.ts';
import { eventAlreadyReversed, eventNotFound, invalidAmount } from '../../domain/errors.ts';
import { giveBack, NO_PAYMENT, paidInto } from '../../domain/payment.ts';
import { restartedPeriod, ruleKey } from '../../domain/period.ts';
import { minUnits } from '../../domain/units.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, freshCounter, type Meter, usageOfMeter } from '../meter.ts';
import type { Restarted, ReverseRequest } from '../requests.ts';
import type { CustomerState, PastEvent, StoredCounter } from '../state.ts';
import { counterAt } from './past.ts';
import { addToEntity, type Used } from './use.ts';

/** @throws {MeterError} `EVENT_NOT_FOUND`, `EVENT_ALREADY_REVERSED` */
export function eventToReverse(customer: CustomerState | undefined, sequence: bigint): PastEvent {
  const event = customer?.events.get(sequence);
  if (!event) throw eventNotFound();
  if (event.isReversed) throw eventAlreadyReversed();
  return event;
}

/**
 * Takes an event back by another one, into the period it counted in: what paid for it gets its own back.
 *
 * @throws {MeterError} `INVALID_AMOUNT` for what can't be taken back by itself.
 */
export function reverse(draft: Draft, meter: Meter, event: PastEvent, request: ReverseRequest): Used {
  const { customer, feature, policy } = meter;
  if (!isAdditive(feature.aggregation) || event.kind === 'reversal' || event.amount <= 0n) {
    throw invalidAmount(
      `Only a use of amounts that add up (count, sum, duration) can be reversed; report what is true of "${feature.key}" instead.`,
    );
  }
  const counter = counterAt(customer, feature, null, event.periodStartMs, draft.nowMs);
  const amount = minUnits(event.amount, counter.used); // what was given back meanwhile is not given back twice
  const payment = amount === 0n ? NO_PAYMENT : giveBack(policy, counter, atMost(event, counter), amount);
  const sequence = draft.nextSequence(customer);
  const after: StoredCounter = {
    ...counter,
    ...paidInto(counter, payment, 'used'),
    period: counter.period,
    sequence,
    correctedAtMs: counter.closedAtMs === null ? counter.correctedAtMs : draft.nowMs,
  };
  draft.putCounter(customer, feature.key, null, after);
  if (event.entityId !== null) addToEntity(draft, meter, event.entityId, after, -amount, 'used');
  draft.applyPayment(meter, payment, { kind: 'reversal', sequence, currency: event.currency });
  customer.events.set(event.sequence, { ...event, isReversed: true });
  draft.addEvent({
    customer,
    sequence,
    kind: 'reversal',
    featureKey: feature.key,
    entityId: event.entityId,
    periodStartMs: counter.period.startMs,
    reported: -amount,
    amount: -amount,
    payment,
    currency: event.currency,
    usedAfter: after.used,
    reverses: event.sequence,
    idempotencyKey: request.idempotencyKey,
    properties: event.properties,
    dimensions: feature.dimensions,
    occurredAtMs: event.occurredAtMs,
  });
  return {
    consumption: {
      kind: 'consumption',
      allowed: true,
      denial: null,
      amount: -amount,
      split: splitOf(policy, payment),
      usage: usageOfMeter(meter, after, draft.nowMs),
      replayed: false,
    },
    alerts: [],
  };
}

/** What the event's payment and the period's have in common: a part may have been given back already. */
function atMost({ payment }: PastEvent, counter: StoredCounter): PastEvent['payment'] {
  return {
    ...payment,
    credits: minUnits(payment.credits, counter.credits),
    wallet: minUnits(payment.wallet, counter.wallet),
    overage: minUnits(payment.overage, counter.overage),
    walletCharge: minUnits(payment.walletCharge, counter.walletCharge),
  };
}

/** Ends the running period by hand: what follows is counted anew until the period would have ended. */
export function restart(draft: Draft, meter: Meter, idempotencyKey: string | null): Restarted {
  const { customer, feature } = meter;
  const counter = currentCounter(customer, feature, null, draft.nowMs);
  const sequence = draft.nextSequence(customer);
  const { startMs, endMs } = restartedPeriod(counter.period, draft.nowMs);
  const ended: StoredCounter = {
    ...counter,
    period: { ...counter.period, endMs: startMs },
    closedAtMs: draft.nowMs,
    sequence,
  };
  const next: StoredCounter = {
    ...freshCounter({ startMs, endMs, reset: ruleKey(feature.reset, feature.anchor) }),
    sequence,
  };
  draft.putCounter(customer, feature.key, null, ended);
  draft.putCounter(customer, feature.key, null, next);
  draft.addEvent({
    customer,
    sequence,
    kind: 'reset',
    featureKey: feature.key,
    entityId: null,
    periodStartMs: startMs,
    reported: 0n,
    amount: 0n,
    payment: NO_PAYMENT,
    currency: null,
    usedAfter: 0n,
    reverses: null,
    idempotencyKey,
    properties: null,
    dimensions: feature.dimensions,
    occurredAtMs: draft.nowMs,
  });
  return {
    kind: 'restarted',
    ended: { startMs: counter.period.startMs, endMs: startMs },
    usage: usageOfMeter(meter, next, draft.nowMs),
    replayed: false,
  };
}
