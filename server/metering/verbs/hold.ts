/** hold — reserve, commit, release, and what happens when nobody does: units held for work of unknown size. */
import { crossings } from '../../domain/alert.ts';
import { splitOf } from '../../domain/decision.ts';
import { reservationClosed, reservationExpired, reservationNotFound } from '../../domain/errors.ts';
import { giveBackHeld, NO_PAYMENT, type Payment, paidInto } from '../../domain/payment.ts';
import type { Catalog, Plan } from '../../domain/plan.ts';
import type { Reservation } from '../../domain/reservation.ts';
import { formatUnits, type Units } from '../../domain/units.ts';
import type { AnswerJson } from '../answer.ts';
import { bookHeldAsUsed, bookPayment } from '../booking/payment.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, type Meter, meterOf, ownPlan, usageOfMeter } from '../meter.ts';
import type { CommitRequest, Holding } from '../requests.ts';
import type { CustomerState, StoredCounter } from '../state.ts';
import { counterAt } from './counter-at.ts';
import type { Use } from './described-use.ts';
import { addToEntity, moveCounter } from './movement.ts';
import { allowedOf, decideUse, deniedOf, placeOf, type Used, use } from './use.ts';

/** Decides a hold and, where it is allowed, takes the units with what pays for them. */
export function reserve(
  draft: Draft,
  meter: Meter,
  described: Use,
  { id, expiresAtMs, overrideKey }: Pick<Reservation, 'id' | 'expiresAtMs' | 'overrideKey'>,
): Holding {
  const { customer, feature, policy } = meter;
  const { counter, atMs } = placeOf(draft, meter, described);
  const decision = decideUse(draft, meter, described, counter, atMs);
  if (decision.outcome === 'denied') {
    const { denial, split, usage } = deniedOf(meter, decision.denial, draft.nowMs);
    return { kind: 'holding', allowed: false, denial, reservation: null, split, usage, replayed: false };
  }
  const sequence = draft.nextSequence(customer);
  const after: StoredCounter = {
    ...counter,
    ...decision.counter,
    period: counter.period,
    raised: counter.raised,
    sequence,
  };
  const reservation: Reservation = {
    id,
    featureKey: feature.key,
    entityId: described.entityId,
    periodStartMs: counter.period.startMs,
    overrideKey,
    amount: decision.amount,
    payment: decision.payment,
    currency: policy.price?.currency ?? null,
    properties: described.properties,
    state: 'open',
    committed: null,
    createdAtMs: draft.nowMs,
    expiresAtMs,
    closedAtMs: null,
  };
  customer.rateWindows = decision.rateWindows;
  draft.putCounter(customer, feature.key, null, after);
  if (described.entityId !== null) addToEntity(draft, meter, described.entityId, after, decision.amount, 'held');
  bookPayment(draft, meter, decision.payment, {
    kind: 'hold',
    sequence,
    currency: reservation.currency,
    spentAtMs: draft.nowMs,
  });
  draft.putReservation(customer, reservation, sequence, null);
  return {
    kind: 'holding',
    allowed: true,
    denial: null,
    reservation,
    split: splitOf(policy, decision.payment),
    usage: usageOfMeter(meter, after, draft.nowMs),
    replayed: false,
  };
}

/** @throws {MeterError} `RESERVATION_NOT_FOUND` */
export function reservationOf(customer: CustomerState | undefined, id: string): Reservation {
  const reservation = customer?.reservations.get(id);
  if (!reservation) throw reservationNotFound();
  return reservation;
}

/** The meter that a reservation was decided by: with the plan that its call named, if it named one. */
export function meterOfReservation(
  customer: CustomerState,
  catalog: Catalog,
  { featureKey, overrideKey }: Reservation,
  nowMs: number,
): Meter {
  const feature = catalog.features.get(featureKey);
  if (!feature) throw reservationNotFound(); // features are archived, never deleted
  const named: Plan | undefined = overrideKey === null ? undefined : catalog.plans.get(overrideKey);
  return meterOf(customer, catalog, feature, named ?? ownPlan(customer, catalog, nowMs));
}

/**
 * Uses what was reserved: less gives the rest back, more is decided as a new use of the difference, and below 0 gives
 * everything back and then that.
 *
 * @returns the decision on the whole; a denial leaves the reservation open.
 * @throws {MeterError} `RESERVATION_EXPIRED`, `RESERVATION_CLOSED`
 */
export function commit(draft: Draft, meter: Meter, reservation: Reservation, request: CommitRequest): Used {
  refuseClosed(reservation, 'committed');
  const amount = request.amount ?? reservation.amount;
  const more = amount - reservation.amount;
  if (amount <= 0n) return commitNothing(draft, meter, reservation, request, amount);
  if (more <= 0n) return take(draft, meter, reservation, amount, request.idempotencyKey);
  const rest = use(draft, meter, useOf(reservation, more, request));
  if (!rest.consumption.allowed) return rest;
  const taken = take(draft, meter, reservation, reservation.amount, request.idempotencyKey);
  return {
    consumption: {
      ...taken.consumption,
      amount: taken.consumption.amount + rest.consumption.amount,
      split: splitSum(taken.consumption.split, rest.consumption.split),
    },
    alerts: [...rest.alerts, ...taken.alerts],
  };
}

const splitSum = (a: Used['consumption']['split'], b: typeof a): typeof a => ({
  included: a.included + b.included,
  credits: a.credits + b.credits,
  wallet: a.wallet + b.wallet,
  overage: a.overage + b.overage,
  walletCharge: { ...a.walletCharge, amount: a.walletCharge.amount + b.walletCharge.amount },
  overageCost: { ...a.overageCost, amount: a.overageCost.amount + b.overageCost.amount },
});

/** What was reserved turned out to be nothing, or less than that. */
function commitNothing(
  draft: Draft,
  meter: Meter,
  reservation: Reservation,
  request: CommitRequest,
  amount: Units,
): Used {
  if (amount === 0n) {
    const counter = giveBackHold(draft, meter.customer, meter.catalog, reservation, 'committed', 0n);
    return { consumption: allowedOf(meter, counter, { amount, payment: NO_PAYMENT }, draft.nowMs), alerts: [] };
  }
  const { consumption, alerts } = use(draft, meter, useOf(reservation, amount, request));
  if (!consumption.allowed) return { consumption, alerts };
  giveBackHold(draft, meter.customer, meter.catalog, reservation, 'committed', amount);
  const counter = currentCounter(meter.customer, meter.feature, null, draft.nowMs); // without what was held
  return { consumption: { ...consumption, usage: usageOfMeter(meter, counter, draft.nowMs) }, alerts };
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
function take(
  draft: Draft,
  meter: Meter,
  reservation: Reservation,
  amount: Units,
  idempotencyKey: string | null,
): Used {
  const { customer, policy } = meter;
  const { entityId, properties, currency } = reservation;
  const counter = counterOf(draft, meter, reservation);
  const rest = reservation.amount - amount;
  const returned = rest === 0n ? NO_PAYMENT : giveBackHeld(reservation.payment, rest);
  const kept = sumOf(reservation.payment, returned);
  const freed = paidInto(counter, returned, 'held');
  const after = { ...freed, held: freed.held - amount, used: freed.used + amount };
  const moved = moveCounter(draft, meter, counter, {
    kind: 'commit',
    entityId,
    reported: amount,
    amount,
    payment: kept,
    currency,
    idempotencyKey,
    properties,
    occurredAtMs: draft.nowMs,
    after,
    crossed: crossings(policy, counter, after, counter.raised),
    bookedAs: null,
  });
  const { sequence } = moved.counter;
  if (entityId !== null) addToEntity(draft, meter, entityId, moved.counter, -reservation.amount, 'held');
  bookHeldAsUsed(draft, meter, kept, { sequence, currency }); // first: it is a commit, of which the rest comes back
  bookPayment(draft, meter, returned, { kind: 'release', sequence, currency, spentAtMs: reservation.createdAtMs });
  draft.putReservation(
    customer,
    { ...reservation, payment: kept, state: 'committed', committed: amount, closedAtMs: draft.nowMs },
    sequence,
    null,
  );
  const consumption = allowedOf(meter, moved.counter, { amount, payment: kept }, draft.nowMs);
  return { consumption, alerts: moved.alerts };
}

/** What a reservation's payment comes to after a part of it went back. */
function sumOf(payment: Payment, returned: Payment): Payment {
  const byGrant = new Map<string, Units>();
  for (const { grantId, units } of [...payment.draws, ...returned.draws]) {
    byGrant.set(grantId, (byGrant.get(grantId) ?? 0n) + units);
  }
  return {
    included: payment.included + returned.included,
    credits: payment.credits + returned.credits,
    wallet: payment.wallet + returned.wallet,
    overage: payment.overage + returned.overage,
    cost: payment.cost + returned.cost,
    walletCharge: payment.walletCharge + returned.walletCharge,
    draws: [...byGrant].filter(([, units]) => units !== 0n).map(([grantId, units]) => ({ grantId, units })),
  };
}

/** Gives everything back that a reservation holds, because it was released, has expired, or came to nothing. */
export function giveBackHold(
  draft: Draft,
  customer: CustomerState,
  catalog: Catalog,
  reservation: Reservation,
  state: 'released' | 'expired' | 'committed',
  committed: Units | null = null,
): StoredCounter {
  const meter = meterOfReservation(customer, catalog, reservation, draft.nowMs);
  const { feature } = meter;
  const counter = counterOf(draft, meter, reservation);
  const returned = giveBackHeld(reservation.payment, reservation.amount);
  const sequence = draft.nextSequence(customer);
  const after: StoredCounter = { ...counter, ...paidInto(counter, returned, 'held'), period: counter.period, sequence };
  draft.putCounter(customer, feature.key, null, after);
  if (reservation.entityId !== null) {
    addToEntity(draft, meter, reservation.entityId, after, -reservation.amount, 'held');
  }
  const kind = state === 'expired' ? 'expiry' : 'release';
  bookPayment(draft, meter, returned, {
    kind,
    sequence,
    currency: reservation.currency,
    spentAtMs: reservation.createdAtMs,
  });
  draft.putReservation(customer, { ...reservation, state, committed, closedAtMs: draft.nowMs }, sequence, null);
  return after;
}

const counterOf = (draft: Draft, { customer, feature }: Meter, { periodStartMs }: Reservation): StoredCounter =>
  counterAt(customer, feature, null, periodStartMs, draft.nowMs);

/** @throws {MeterError} for one that is not open any more. */
export function refuseClosed({ state, expiresAtMs, committed }: Reservation, wanted: 'committed' | 'released'): void {
  if (state === 'open') return;
  if (state === 'expired') throw reservationExpired(expiresAtMs);
  const was = state === 'committed' ? `committed with ${formatUnits(committed ?? 0n)}` : 'released';
  throw reservationClosed(was, wanted);
}

/** Gives a reservation back on the caller's word. Releasing twice is the same as once. */
export function release(draft: Draft, customer: CustomerState, catalog: Catalog, reservation: Reservation): Holding {
  const meter = meterOfReservation(customer, catalog, reservation, draft.nowMs);
  const isAgain = reservation.state === 'released';
  if (!isAgain) {
    refuseClosed(reservation, 'released');
    giveBackHold(draft, customer, catalog, reservation, 'released');
  }
  const counter = counterOf(draft, meter, reservation);
  return {
    kind: 'holding',
    allowed: true,
    denial: null,
    reservation: customer.reservations.get(reservation.id) ?? reservation,
    split: splitOf(meter.policy, reservation.payment),
    usage: usageOfMeter(meter, counter, draft.nowMs),
    replayed: isAgain,
  };
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
