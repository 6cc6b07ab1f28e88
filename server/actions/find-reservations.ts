/** find-reservations — reads reservations, under row level security. */
import { type ReservationFilter, type ReservationPosition, reservationsPage } from '../db/queries/reservations.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Reservation } from '../domain/reservation.ts';
import type { Deps } from './deps.ts';

/** The newest first, as they are stored: one that is overdue may still be `open`. */
export const listReservations = (
  { database, clock }: Pick<Deps, 'database' | 'clock'>,
  tenantId: string,
  filter: ReservationFilter,
  request: PageRequest<ReservationPosition>,
): Promise<Page<Reservation>> =>
  database.readAs(tenantId, (db) => reservationsPage(db, tenantId, filter, clock.now(), request));
