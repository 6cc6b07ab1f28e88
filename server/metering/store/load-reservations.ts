/** load-reservations — what customers hold. */
import type { Row } from '../../db/client.ts';
import type { Reservation, ReservationState } from '../../domain/reservation.ts';
import { unitsOf } from '../../domain/units.ts';
import type { AnswerJson } from '../answer.ts';
import { paymentFromJson, type SplitJson } from '../stored-json.ts';
import { type Customers, type Look, msOf, rowsAs, unique } from './look.ts';

type ReservationRow = {
  readonly customer_id: string;
  readonly id: string;
  readonly feature_key: string;
  readonly entity_id: string;
  readonly period_start: Date;
  readonly override_key: string | null;
  readonly amount: string;
  readonly split: SplitJson;
  readonly draws: readonly (readonly [grantId: string, units: string])[];
  readonly properties: string | null;
  readonly state: ReservationState;
  readonly committed: string | null;
  readonly answer: AnswerJson | null;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
};

const reservationFromRow = (row: ReservationRow): Reservation => ({
  id: row.id,
  featureKey: row.feature_key,
  entityId: row.entity_id || null,
  periodStartMs: row.period_start.getTime(),
  overrideKey: row.override_key,
  amount: unitsOf(row.amount),
  payment: {
    ...paymentFromJson(row.split),
    draws: row.draws.map(([grantId, units]) => ({ grantId, units: unitsOf(units) })),
  },
  currency: row.split.currency,
  properties: row.properties,
  state: row.state,
  committed: row.committed === null ? null : unitsOf(row.committed),
  createdAtMs: row.created_at.getTime(),
  expiresAtMs: row.expires_at.getTime(),
  closedAtMs: msOf(row.closed_at),
});

const RESERVATION_COLUMNS = `
  r.customer_id, r.id, r.feature_key, r.entity_id, r.period_start, r.override_key, r.amount, r.split, r.draws, r.properties::text AS properties,
  r.state, r.committed, r.answer, r.created_at, r.expires_at, r.closed_at`;

const NAMED_RESERVATIONS = `
  SELECT ${RESERVATION_COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, id)
  CROSS JOIN LATERAL (SELECT * FROM reservations WHERE customer_id = k.customer_id::uuid AND id = k.id::uuid LIMIT 1) r`;

const OPEN_RESERVATIONS = `
  SELECT ${RESERVATION_COLUMNS}
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (
    SELECT * FROM reservations WHERE customer_id = k.customer_id::uuid AND state = 'open' OFFSET 0
  ) r`;

export const lookAtReservations = (names: readonly { readonly customerId: string; readonly id: string }[]): Look => ({
  statement: { text: NAMED_RESERVATIONS, params: [names.map((n) => n.customerId), names.map((n) => n.id)] },
  read: readReservations,
});

/** Everything that customers hold. */
export const lookAtOpenReservations = (customerIds: readonly string[]): Look => ({
  statement: { text: OPEN_RESERVATIONS, params: [unique(customerIds)] },
  read: readReservations,
});

function readReservations(rows: readonly Row[], customers: Customers): void {
  for (const row of rowsAs<ReservationRow>(rows)) {
    const customer = customers.get(row.customer_id);
    customer?.reservations.set(row.id, reservationFromRow(row));
    if (row.answer !== null) customer?.commits.set(row.id, row.answer);
  }
}
