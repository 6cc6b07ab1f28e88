/** reservation — the hold that a request names: its meter, its counter, and that it is open still. */
import { reservationClosed, reservationExpired, reservationNotFound } from '../../domain/errors.ts';
import type { Catalog } from '../../domain/plan.ts';
import type { Reservation } from '../../domain/reservation.ts';
import { formatUnits } from '../../domain/units.ts';
import { type Meter, meterOf, ownPlan } from '../meter.ts';
import type { CustomerState, StoredCounter } from '../state.ts';
import { counterAt } from './counter-at.ts';

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
  const named = overrideKey === null ? undefined : catalog.plans.get(overrideKey);
  return meterOf(customer, catalog, feature, named ?? ownPlan(customer, catalog, nowMs));
}

/** The counter that holds it: that of the period in which it was made. */
export const counterOfReservation = (
  { customer, feature }: Meter,
  { periodStartMs }: Reservation,
  nowMs: number,
): StoredCounter => counterAt(customer, feature, null, periodStartMs, nowMs);

/** @throws {MeterError} `RESERVATION_EXPIRED`, `RESERVATION_CLOSED` for one that is not open any more. */
export function refuseClosed({ state, expiresAtMs, committed }: Reservation, wanted: 'committed' | 'released'): void {
  if (state === 'open') return;
  if (state === 'expired') throw reservationExpired(expiresAtMs);
  const was = state === 'committed' ? `committed with ${formatUnits(committed ?? 0n)}` : 'released';
  throw reservationClosed(was, wanted);
}
