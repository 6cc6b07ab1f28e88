/** correct — what is done about mistakes: an event is reversed by another, a period ended by hand. Nothing is updated. */

import { isAdditive } from '../../domain/aggregation.ts';
import { eventAlreadyReversed, eventNotFound, irreversible } from '../../domain/errors.ts';
import { NO_PAYMENT, type Payment, paidInto } from '../../domain/payment.ts';
import { giveBack, stillPaid } from '../../domain/refund.ts';
import { minUnits, type Units } from '../../domain/units.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, type Meter, stateOf, usageOfMeter } from '../meter.ts';
import type { Restarted, ReverseRequest } from '../requests.ts';
import type { CustomerState, PastEvent, StoredCounter } from '../state.ts';
import { beginAnew } from './begin-anew.ts';
import { counterAt } from './counter-at.ts';
import { moveCounter } from './movement.ts';
import { allowedOf, type Used } from './use.ts';

/** @throws {MeterError} `EVENT_NOT_FOUND`, `EVENT_ALREADY_REVERSED` */
export function eventToReverse(customer: CustomerState | undefined, sequence: bigint): PastEvent {
  const event = customer?.events.get(sequence);
  if (!event) throw eventNotFound();
  if (event.isReversed || event.kind === 'reversal') throw eventAlreadyReversed();
  return event;
}

/**
 * Takes an event back by another one, into the period it counted in: what paid for it gets its own back.
 *
 * @throws {MeterError} `INVALID_AMOUNT` for what can't be taken back by itself.
 */
export function reverse(draft: Draft, meter: Meter, event: PastEvent, request: ReverseRequest): Used {
  const { customer, feature } = meter;
  if (!isAdditive(feature.aggregation) || event.amount <= 0n) {
    throw irreversible(feature, event.amount);
  }
  const counter = counterAt(customer, feature, null, event.periodStartMs, draft.nowMs);
  const amount = minUnits(event.amount, counter.used); // what was given back meanwhile is not given back twice
  const payment = amount === 0n ? NO_PAYMENT : givenBackBy(draft, meter, event, counter, amount);
  const { counter: after, alerts } = moveCounter(draft, meter, counter, {
    kind: 'reversal',
    entityId: event.entityId,
    reported: -amount,
    amount: -amount,
    payment,
    currency: event.currency,
    reverses: event.sequence,
    idempotencyKey: request.idempotencyKey,
    properties: event.properties,
    occurredAtMs: event.occurredAtMs,
    after: paidInto(counter, payment, 'used'),
    bookedAs: 'reversal',
  });
  customer.events.set(event.sequence, { ...event, isReversed: true });
  return { consumption: allowedOf(meter, after, { amount: -amount, payment }, draft.nowMs), payment, alerts };
}

function givenBackBy(
  draft: Draft,
  meter: Meter,
  { payment }: PastEvent,
  counter: StoredCounter,
  units: Units,
): Payment {
  const { customer, feature, policy } = meter;
  const { paid } = stateOf(meter, counter, null, draft.nowMs);
  const { grants } = draft.accountOf(customer, feature.key);
  const open = [...customer.reservations.values()].filter(({ state }) => state === 'open');
  const held = open.flatMap((reservation) => reservation.payment.draws);
  return giveBack(policy, counter, stillPaid(payment, { used: counter.used, paid, grants, held }, units), units);
}

/** Ends the running period by hand: what follows is counted anew until the period would have ended. */
export function restart(draft: Draft, meter: Meter, idempotencyKey: string | null): Restarted {
  const { customer, feature, policy } = meter;
  const counter = currentCounter(customer, feature, null, draft.nowMs);
  const next = beginAnew(draft, meter, counter, policy, idempotencyKey);
  return {
    kind: 'restarted',
    ended: { startMs: counter.period.startMs, endMs: next.period.startMs },
    usage: usageOfMeter(meter, next, draft.nowMs),
    replayed: false,
  };
}
