/** movement — how every verb that uses, holds or gives back units writes it down: counter, payment, event, alerts, as one. */
import { type Crossing, raisedAfter } from '../../domain/alert.ts';
import type { Counter } from '../../domain/counter.ts';
import { currencyAfter } from '../../domain/counter-currency.ts';
import { isMuted } from '../../domain/mute.ts';
import { limitExceeded, periodClosed } from '../../domain/notices-of-use.ts';
import { type Payment, paidInto, unitsPaid } from '../../domain/payment.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { Units } from '../../domain/units.ts';
import { bookHeldAsUsed, bookPayment } from '../booking/payment.ts';
import type { Draft } from '../draft.ts';
import type { Meter } from '../meter.ts';
import type { NewAlert, NewEvent, StoredCounter } from '../state.ts';
import { counterAt } from './counter-at.ts';

/** What the event says, and how the counter comes out of it. */
export type Movement = Pick<NewEvent, 'kind' | 'reported' | 'amount' | 'payment' | 'occurredAtMs'> &
  Partial<Pick<NewEvent, 'entityId' | 'currency' | 'reverses' | 'idempotencyKey' | 'properties' | 'sequence'>> & {
    /** With what was paid, and the level of a gauge. */
    readonly after: Counter;
    /** Thresholds that the use has risen over; left out: none that anybody is told of. */
    readonly crossed?: readonly Crossing[];
    /** As what the payment is booked; null where a hold has paid before. */
    readonly bookedAs: 'use' | 'reversal' | null;
  };

/** Units that a reservation holds from now on, or (below 0) holds no more. */
type HeldMovement = {
  readonly reservation: Reservation;
  readonly payment: Payment;
  readonly bookedAs: 'hold' | 'release' | 'expiry';
};

/** Held units that were used, the whole reservation's with those that were not. */
type UsedHold = Pick<Movement, 'amount' | 'payment' | 'idempotencyKey' | 'after' | 'crossed'> & {
  readonly reservation: Reservation;
  /** What goes back of the reservation's payment: each part 0 or below. */
  readonly returned: Payment;
};

export type Moved = { readonly counter: StoredCounter; readonly alerts: readonly NewAlert[] };

/**
 * Moves a customer's counter, and that of the entity it moved for.
 *
 * @param before The counter that the movement goes into; one whose period was closed is corrected by it.
 */
export function moveCounter(draft: Draft, meter: Meter, before: StoredCounter, movement: Movement): Moved {
  const { customer, feature } = meter;
  const { kind, reported, amount, payment, occurredAtMs, after, crossed = NOTHING_CROSSED, bookedAs } = movement;
  const { entityId = null, reverses = null, idempotencyKey = null, properties = null } = movement;
  const { sequence = draft.nextSequence(customer) } = movement;
  const currency = currencyOf(meter, before, movement);
  // Every call makes one, and naming the fields is several times as quick as copying them.
  const counter: StoredCounter = {
    period: before.period,
    used: after.used,
    held: after.held,
    credits: after.credits,
    wallet: after.wallet,
    overage: after.overage,
    cost: after.cost,
    walletCharge: after.walletCharge,
    currency: currencyAfter(before, after, currency),
    gauge: after.gauge,
    raised: raisedAfter(before.raised, crossed),
    sequence,
    closedAtMs: before.closedAtMs,
    correctedAtMs: before.closedAtMs === null ? before.correctedAtMs : draft.nowMs,
  };
  draft.putCounter(customer, feature.key, null, counter);
  if (entityId !== null) addToEntity(draft, meter, entityId, counter, amount, 'used');
  if (bookedAs !== null) {
    bookPayment(draft, meter, payment, { kind: bookedAs, sequence, currency, spentAtMs: occurredAtMs });
  }
  draft.addEvent({
    customer,
    sequence,
    kind,
    featureKey: feature.key,
    entityId,
    periodStartMs: counter.period.startMs,
    reported,
    amount,
    payment,
    currency,
    usedAfter: counter.used,
    reverses,
    idempotencyKey,
    properties,
    dimensions: feature.dimensions,
    occurredAtMs,
  });
  const alerts = crossed.map((crossing) => alertOf(meter, counter, crossing, draft.nowMs));
  draft.addAlerts(alerts);
  tellExceeded(draft, meter, before, counter);
  if (before.sequence === 0n && counter.closedAtMs !== null) tellClosed(draft, meter, counter); // it begins ended
  return { counter, alerts };
}

/** Moves what is held of a counter, and of its entity's. Nothing is used by that: no event, no alert, no correction. */
export function moveHeld(
  draft: Draft,
  meter: Meter,
  before: StoredCounter,
  { reservation, payment, bookedAs }: HeldMovement,
): StoredCounter {
  const { customer, feature } = meter;
  const { entityId, currency, createdAtMs } = reservation;
  const sequence = draft.nextSequence(customer);
  const after = paidInto(before, payment, 'held');
  const moved = { period: before.period, currency: currencyAfter(before, after, currency), sequence };
  const counter = { ...before, ...after, ...moved };
  draft.putCounter(customer, feature.key, null, counter);
  if (entityId !== null) addToEntity(draft, meter, entityId, counter, unitsPaid(payment), 'held');
  bookPayment(draft, meter, payment, { kind: bookedAs, sequence, currency, spentAtMs: createdAtMs });
  return counter;
}

/** Moves a counter whose units were held before: they are used now, or go back. */
export function moveHeldIntoUse(
  draft: Draft,
  meter: Meter,
  before: StoredCounter,
  { reservation, returned, ...movement }: UsedHold,
): Moved {
  const { entityId, currency, properties, createdAtMs } = reservation;
  const moved = moveCounter(draft, meter, before, {
    ...movement,
    kind: 'commit',
    entityId,
    reported: movement.amount,
    currency,
    properties,
    occurredAtMs: draft.nowMs,
    bookedAs: null,
  });
  const { sequence } = moved.counter;
  if (entityId !== null) addToEntity(draft, meter, entityId, moved.counter, -reservation.amount, 'held');
  bookHeldAsUsed(draft, meter, movement.payment, { sequence, currency }); // first: it is a commit, of which the rest comes back
  bookPayment(draft, meter, returned, { kind: 'release', sequence, currency, spentAtMs: createdAtMs });
  return moved;
}

/** Use that goes beyond a limit that lets it, or that had happened already. */
function tellExceeded(draft: Draft, meter: Meter, before: StoredCounter, { used, period }: StoredCounter): void {
  const { limit } = meter.policy;
  if (limit === null || used <= limit || before.used > limit) return; // nearly all calls
  draft.addNotice(limitExceeded(periodOf(meter, period), { how: 'passed', used, limit }, draft.nowMs));
}

/** A period of the customer has its total. */
export function tellClosed(draft: Draft, meter: Meter, counter: StoredCounter): void {
  const currency = counter.currency ?? meter.policy.price?.currency ?? null;
  draft.addNotice(periodClosed(periodOf(meter, counter.period), counter, currency, draft.nowMs));
}

const periodOf = ({ customer, feature }: Meter, { startMs, endMs }: StoredCounter['period']) => ({
  tenantId: customer.tenantId,
  customerId: customer.id,
  referenceId: customer.referenceId,
  featureKey: feature.key,
  period: { startMs, endMs },
});

const NOTHING_CROSSED: readonly Crossing[] = [];

/**
 * The currency of the money that moves: what the period has cost goes back in its own, whatever the price is now. Of one
 * that does not say it any more, money goes into the wallet that moved last: it must not be lost.
 *
 * @returns ISO 4217; null where no money moves, and nothing has a price.
 */
function currencyOf(
  { customer, policy }: Meter,
  before: StoredCounter,
  { payment: { cost, walletCharge }, currency }: Pick<Movement, 'payment' | 'currency'>,
): string | null {
  if (before.currency !== null && (cost !== 0n || walletCharge !== 0n)) return before.currency;
  if (currency !== undefined) return currency;
  if (policy.price !== null || walletCharge === 0n) return policy.price?.currency ?? null;
  const wallets = [...customer.wallets.values()].sort((a, b) => (a.sequence < b.sequence ? 1 : -1));
  return wallets[0]?.currency ?? null;
}

/** One that is raised while muted is stored like others, and nobody is told. */
function alertOf(
  { customer, feature, policy }: Meter,
  { period, used, sequence }: StoredCounter,
  { threshold, mark }: Crossing,
  nowMs: number,
): NewAlert {
  return {
    tenantId: customer.tenantId,
    customerId: customer.id,
    referenceId: customer.referenceId,
    featureKey: feature.key,
    period: { startMs: period.startMs, endMs: period.endMs },
    threshold,
    mark,
    used,
    limit: policy.limit,
    raisedAtMs: nowMs,
    mutedAtMs: isMuted(customer.mutes, feature.key, nowMs) ? nowMs : null,
    eventSequence: sequence,
  };
}

/** An entity's own counter moves with the customer's; it says who used how much, and nothing of what paid. */
function addToEntity(
  draft: Draft,
  { customer, feature }: Meter,
  entityId: string,
  counter: StoredCounter,
  amount: Units,
  into: 'used' | 'held',
): void {
  const { period, sequence } = counter;
  const own = counterAt(customer, feature, entityId, period.startMs, draft.nowMs);
  const same = own.period.startMs === period.startMs ? own : { ...own, used: 0n, held: 0n };
  const closedAtMs = same.closedAtMs ?? counter.closedAtMs; // an ended period is never due to be closed again
  draft.putCounter(customer, feature.key, entityId, {
    ...same,
    period,
    [into]: same[into] + amount,
    sequence,
    closedAtMs,
    correctedAtMs: closedAtMs === null || into === 'held' ? same.correctedAtMs : draft.nowMs,
  });
}
