/** answer-json — grants and reservations as a kept answer tells them. */
import type { Grant } from '../domain/grant.ts';
import { NO_PAYMENT } from '../domain/payment.ts';
import type { Reservation } from '../domain/reservation.ts';
import { formatUnits, unitsOf } from '../domain/units.ts';
import {
  paymentFromJson,
  type RenewalJson,
  renewalFromJson,
  renewalToJson,
  type SplitJson,
  splitToJson,
} from './stored-json.ts';

export type GrantJson = Omit<Grant, 'amount' | 'remaining' | 'renewal'> & {
  readonly amount: string;
  readonly remaining: string;
  readonly renewal: RenewalJson | null;
};

export const grantToJson = ({ amount, remaining, renewal, ...grant }: Grant): GrantJson => ({
  ...grant,
  amount: formatUnits(amount),
  remaining: formatUnits(remaining),
  renewal: renewal && renewalToJson(renewal),
});

export const grantFromJson = ({ amount, remaining, renewal, ...grant }: GrantJson): Grant => ({
  ...grant,
  amount: unitsOf(amount),
  remaining: unitsOf(remaining),
  renewal: renewal && renewalFromJson(renewal),
});

export type ReservationJson = Omit<Reservation, 'amount' | 'committed' | 'payment'> & {
  readonly amount: string;
  readonly committed: string | null;
  readonly split: SplitJson;
};

/** Which grants its credits came from is the ledger's to tell, and none of the answer. */
export const reservationToJson = ({ amount, committed, payment, ...reservation }: Reservation): ReservationJson => ({
  ...reservation,
  amount: formatUnits(amount),
  committed: committed === null ? null : formatUnits(committed),
  split: splitToJson(payment, reservation.currency),
});

export const reservationFromJson = ({ amount, committed, split, ...reservation }: ReservationJson): Reservation => ({
  ...reservation,
  amount: unitsOf(amount),
  committed: committed === null ? null : unitsOf(committed),
  payment: { ...paymentFromJson(split), draws: NO_PAYMENT.draws },
});
