/** commit — uses what was held: less gives the rest back, more is decided as a new use of the difference. */
import { crossings } from '../../domain/alert.ts';
import { splitOf } from '../../domain/decision.ts';
import { NO_PAYMENT, paidInto, sumOf } from '../../domain/payment.ts';
import { giveBackHeld } from '../../domain/refund.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { Units } from '../../domain/units.ts';
import type { AnswerJson } from '../answer.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, type Meter, usageOfMeter } from '../meter.ts';
import type { CommitRequest } from '../requests.ts';
import type { CustomerState } from '../state.ts';
import type { Use } from './described-use.ts';
import { moveHeldIntoUse } from './movement.ts';
import { keepOneCurrency } from './one-currency.ts';
import { giveBackHold } from './release.ts';
import { counterOfReservation, refuseClosed, reservationOf } from './reservation.ts';
import { allowedOf, type Used, use } from './use.ts';

/**
 * Uses what was reserved: less gives the rest back, more is decided as a new use of the difference, and below 0 gives
 * everything back and then that.
 *
 * @param meter By the plan that the reservation was decided by.
 * @returns the decision on the whole; a denial leaves the reservation open.
 * @throws {MeterError} `RESERVATION_EXPIRED`, `RESERVATION_CLOSED`
 */
export function commit(draft: Draft, meter: Meter, reservation: Reservation, request: CommitRequest): Used {
  refuseClosed(reservation, 'committed');
  const amount = request.amount ?? reservation.amount;
  if (amount < 0n) return commitBelowNothing(draft, meter, reservation, request, amount);
  if (amount === 0n) return commitNothing(draft, meter, reservation);
  if (amount > reservation.amount) return commitMore(draft, meter, reservation, request, amount);
  return commitHeld(draft, meter, reservation, amount, request.idempotencyKey);
}

function commitBelowNothing(
  draft: Draft,
  meter: Meter,
  reservation: Reservation,
  request: CommitRequest,
  amount: Units,
): Used {
  const given = use(draft, meter, useOf(reservation, amount, request));
  if (!given.consumption.allowed) return given;
  giveBackHold(draft, meter, reservation, { state: 'committed', committed: amount });
  const counter = currentCounter(meter.customer, meter.feature, null, draft.nowMs); // without what was held
  return { ...given, consumption: { ...given.consumption, usage: usageOfMeter(meter, counter, draft.nowMs) } };
}

function commitNothing(draft: Draft, meter: Meter, reservation: Reservation): Used {
  const counter = giveBackHold(draft, meter, reservation, { state: 'committed', committed: 0n });
  const nothing = { amount: 0n, payment: NO_PAYMENT };
  return { consumption: allowedOf(meter, counter, nothing, draft.nowMs), payment: NO_PAYMENT, alerts: [] };
}

function commitMore(draft: Draft, meter: Meter, reservation: Reservation, request: CommitRequest, amount: Units): Used {
  keepOneCurrency(draft, meter);
  const rest = use(draft, meter, useOf(reservation, amount - reservation.amount, request));
  if (!rest.consumption.allowed) return rest;
  const held = commitHeld(draft, meter, reservation, reservation.amount, request.idempotencyKey);
  const payment = sumOf(held.payment, rest.payment);
  const taken = held.consumption.amount + rest.consumption.amount; // clamped, the rest may be less than was asked for
  return {
    consumption: { ...held.consumption, amount: taken, split: splitOf(meter.policy, payment) },
    payment,
    alerts: [...rest.alerts, ...held.alerts],
  };
}

const useOf = ({ entityId, properties }: Reservation, amount: Units, { mode }: CommitRequest): Use => ({
  kind: 'commit',
  purpose: 'use',
  amount,
  mode,
  entityId,
  occurredAtMs: null,
  value: null,
  idempotencyKey: null,
  properties,
  reverses: null,
  hook: null,
});

/** Turns held units into used ones, and gives back the others. */
function commitHeld(
  draft: Draft,
  meter: Meter,
  reservation: Reservation,
  amount: Units,
  idempotencyKey: string | null,
): Used {
  const counter = counterOfReservation(meter, reservation, draft.nowMs);
  const rest = reservation.amount - amount;
  const returned = rest === 0n ? NO_PAYMENT : giveBackHeld(reservation.payment, rest);
  const payment = sumOf(reservation.payment, returned);
  const freed = paidInto(counter, returned, 'held');
  const after = { ...freed, held: freed.held - amount, used: freed.used + amount };
  const moved = moveHeldIntoUse(draft, meter, counter, {
    reservation,
    amount,
    payment,
    returned,
    idempotencyKey,
    after,
    crossed: crossings(meter.policy, counter, after, counter.raised),
  });
  const committed = { payment, state: 'committed', committed: amount, closedAtMs: draft.nowMs } as const;
  draft.putReservation(meter.customer, { ...reservation, ...committed }, moved.counter.sequence, null);
  const consumption = allowedOf(meter, moved.counter, { amount, payment }, draft.nowMs);
  return { consumption, payment, alerts: moved.alerts };
}

/** Remembers how a commit was answered, so that committing again hears it again. */
export function keepCommit(
  draft: Draft,
  customer: CustomerState,
  { id, amount }: Reservation,
  request: CommitRequest,
  answer: AnswerJson,
): void {
  const reservation = reservationOf(customer, id);
  customer.commits.set(id, answer);
  draft.putReservation(customer, { ...reservation, committed: request.amount ?? amount }, customer.sequence, answer);
}
