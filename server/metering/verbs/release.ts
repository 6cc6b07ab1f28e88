/** release — gives back what is held: on the caller's word, because its time is over, or because nothing came of it. */
import { splitOf } from '../../domain/decision.ts';
import { giveBackHeld } from '../../domain/refund.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { Units } from '../../domain/units.ts';
import type { Draft } from '../draft.ts';
import { type Meter, usageOfMeter } from '../meter.ts';
import type { Holding } from '../requests.ts';
import type { StoredCounter } from '../state.ts';
import { moveHeld } from './movement.ts';
import { counterOfReservation, refuseClosed } from './reservation.ts';

/** Gives a reservation back on the caller's word. Releasing twice is the same as once. */
export function release(draft: Draft, meter: Meter, reservation: Reservation): Holding {
  const isAgain = reservation.state === 'released';
  if (!isAgain) {
    refuseClosed(reservation, 'released');
    giveBackHold(draft, meter, reservation, { state: 'released' });
  }
  const counter = counterOfReservation(meter, reservation, draft.nowMs);
  return {
    kind: 'holding',
    allowed: true,
    denial: null,
    reservation: meter.customer.reservations.get(reservation.id) ?? reservation,
    split: splitOf(meter.policy, reservation.payment),
    usage: usageOfMeter(meter, counter, draft.nowMs),
    replayed: isAgain,
  };
}

/** How a hold ends of which nothing is used: committed with 0 or less, if it is committed. */
type Ending = { readonly state: 'released' | 'expired' } | { readonly state: 'committed'; readonly committed: Units };

/**
 * Gives everything back that a reservation holds.
 *
 * @param meter By the plan that the reservation was decided by.
 */
export function giveBackHold(draft: Draft, meter: Meter, reservation: Reservation, ending: Ending): StoredCounter {
  const counter = counterOfReservation(meter, reservation, draft.nowMs);
  const payment = giveBackHeld(reservation.payment, reservation.amount);
  const bookedAs = ending.state === 'expired' ? 'expiry' : 'release';
  const after = moveHeld(draft, meter, counter, { reservation, payment, bookedAs });
  draft.putReservation(meter.customer, { ...reservation, ...ending, closedAtMs: draft.nowMs }, after.sequence, null);
  return after;
}
