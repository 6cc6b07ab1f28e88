/** reservation — units held for work whose size is known only afterwards: reserve, then commit or release. */
import type { Payment } from './payment.ts';
import type { Units } from './units.ts';

export const RESERVATION_STATES = ['open', 'committed', 'released', 'expired'] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

/** How long units may be held at most. */
export const RESERVATION_TTL_MAX_MS = 24 * 3_600_000;
export const RESERVATION_TTL_DEFAULT_MS = 15 * 60_000;

export type Reservation = {
  /** UUID. */
  readonly id: string;
  readonly featureKey: string;
  readonly entityId: string | null;
  /** The counter that holds it. */
  readonly periodStartMs: number;
  /** The plan that the call named for itself. */
  readonly overrideKey: string | null;
  readonly amount: Units;
  /** What pays for the amount while it is held. */
  readonly payment: Payment;
  /** ISO 4217 of its money; null where no price was. */
  readonly currency: string | null;
  /** As JSON text, or null. */
  readonly properties: string | null;
  readonly state: ReservationState;
  /** What was committed; null unless it was. */
  readonly committed: Units | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly closedAtMs: number | null;
};

export const isOverdue = ({ state, expiresAtMs }: Reservation, nowMs: number): boolean =>
  state === 'open' && expiresAtMs <= nowMs;
