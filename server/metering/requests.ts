/** requests — everything that the engine decides and records, and what it answers. */
import type { Alert } from '../domain/alert.ts';
import type { OnRenewal } from '../domain/credit-rule.ts';
import type { Split } from '../domain/decision.ts';
import type { Denial } from '../domain/denial.ts';
import type { Grant, GrantSource } from '../domain/grant.ts';
import type { Refusal } from '../domain/hook.ts';
import type { ConsumeMode } from '../domain/meter-state.ts';
import type { Period, Reset } from '../domain/period.ts';
import type { Reservation } from '../domain/reservation.ts';
import type { Units } from '../domain/units.ts';
import type { Usage } from '../domain/usage.ts';
import type { Wallet } from '../domain/wallet.ts';

/** Of whom, and under which key. */
type Call = {
  readonly tenantId: string;
  /** Derived from tenant and reference: see `customerIdOf`. */
  readonly customerId: string;
  readonly referenceId: string;
  readonly idempotencyKey: string | null;
};

/** What `consume` and `reserve` say alike. */
type Use = Call & {
  readonly featureKey: string;
  /** Negative gives back. */
  readonly amount: Units;
  /** An ISO 8601 duration in place of the amount, for features that add up time; else null. */
  readonly duration: string | null;
  readonly mode: ConsumeMode;
  /** A plan to decide by instead of the customer's own, for this call only. */
  readonly overrideKey: string | null;
  /** Who under the customer (a seat, a workspace) uses it; null for the customer itself. */
  readonly entityId: string | null;
  /** As JSON text, or null. */
  readonly properties: string | null;
  /** Why the app's own functions refuse it; null where they don't. */
  readonly refusal: Refusal | null;
};

export type ConsumeRequest = Use & {
  readonly kind: 'consume';
  /** `record`: it has happened already, and is not refused for lack of anything. */
  readonly purpose: 'use' | 'record';
  /** When it happened; null for now. At most 35 days back and 5 minutes ahead. */
  readonly occurredAtMs: number | null;
};

export type ReserveRequest = Use & {
  readonly kind: 'reserve';
  /** UUID, made by the caller. */
  readonly reservationId: string;
  /** How long the units are held at most: up to 24 hours. */
  readonly ttlMs: number;
};

export type CommitRequest = Call & {
  readonly kind: 'commit';
  readonly reservationId: string;
  /** What was used in the end; null for what was reserved. */
  readonly amount: Units | null;
  /** For what goes beyond the reservation. */
  readonly mode: ConsumeMode;
};

export type ReleaseRequest = Call & { readonly kind: 'release'; readonly reservationId: string };

export type GrantRequest = Call & {
  readonly kind: 'grant';
  /** UUID, made by the caller. */
  readonly grantId: string;
  readonly featureKey: string;
  readonly source: GrantSource;
  readonly amount: Units;
  readonly priority: number | null;
  /** Null for now. */
  readonly effectiveFromMs: number | null;
  readonly expiresAtMs: number | null;
  readonly recurring: { readonly reset: Reset; readonly onRenewal: OnRenewal } | null;
  /** Whether it pays for overage of the running period first. */
  readonly settlesOverage: boolean;
};

export type VoidGrantRequest = Call & {
  readonly kind: 'void-grant';
  readonly grantId: string;
  /** So many of what is left, or (below 0) back into it what was taken like that; left out: all, and for good. */
  readonly units?: Units;
};

/** Money put into a wallet, or (below 0) paid out of it. */
export type TopUpRequest = Call & {
  readonly kind: 'top-up';
  readonly currency: string;
  /** In minor units, not 0. */
  readonly amount: Units;
};

/** What a wallet's own floor is from now on; null: the plan's. */
export type SetWalletRequest = Call & {
  readonly kind: 'set-wallet';
  readonly currency: string;
  readonly floor: Units | null;
};

/** What became of a top-up that the wallet's rule asked for: paid (which puts the money in), or failed. */
export type SettleTopUpRequest = Call & {
  readonly kind: 'settle-top-up';
  readonly currency: string;
  /** Which one is meant, by the sequence at which it was asked for; left out, the one that is asked for now. */
  readonly sequence?: bigint;
  readonly outcome: 'paid' | 'failed';
};

export type ReverseRequest = Call & {
  readonly kind: 'reverse';
  /** The customer's sequence of the event. */
  readonly sequence: bigint;
};

export type ResetRequest = Call & { readonly kind: 'reset'; readonly featureKey: string };

/** Brings a customer up to now: what the background closer sends. */
export type SettleRequest = Call & { readonly kind: 'settle' };

export type Request =
  | ConsumeRequest
  | ReserveRequest
  | CommitRequest
  | ReleaseRequest
  | GrantRequest
  | VoidGrantRequest
  | TopUpRequest
  | SetWalletRequest
  | SettleTopUpRequest
  | ReverseRequest
  | ResetRequest
  | SettleRequest;

/** The decision on a use: of `consume`, `recordUsage`, `commitReservation`, `reverseEvent`. */
export type Consumption = {
  readonly kind: 'consumption';
  readonly allowed: boolean;
  /** Null when allowed. */
  readonly denial: Denial | null;
  /** Units taken by this call; 0 when denied. */
  readonly amount: Units;
  readonly split: Split;
  /** The state after this call. */
  readonly usage: Usage;
  /** Raised by this call. */
  readonly alerts: readonly Alert[];
  /** Whether this is the first answer to the same idempotency key, given again. */
  readonly replayed: boolean;
};

/** The decision on a reservation, or its end. */
export type Holding = {
  readonly kind: 'holding';
  readonly allowed: boolean;
  readonly denial: Denial | null;
  /** Null when denied. */
  readonly reservation: Reservation | null;
  readonly split: Split;
  readonly usage: Usage;
  readonly replayed: boolean;
};

export type Granted = {
  readonly kind: 'granted';
  readonly grant: Grant;
  readonly usage: Usage;
  readonly replayed: boolean;
};

export type WalletMoved = {
  readonly kind: 'wallet';
  readonly referenceId: string;
  readonly wallet: Wallet;
  readonly replayed: boolean;
};

/** A period that was ended by hand, or a customer brought up to now. */
export type Restarted = {
  readonly kind: 'restarted';
  /** The period that ended; null where there was none. */
  readonly ended: Period | null;
  readonly usage: Usage;
  readonly replayed: boolean;
};

export type Settled = { readonly kind: 'settled' };

export type Result = Consumption | Holding | Granted | WalletMoved | Restarted | Settled;

type Results = {
  readonly consume: Consumption;
  readonly reserve: Holding;
  readonly commit: Consumption;
  readonly release: Holding;
  readonly grant: Granted;
  readonly 'void-grant': Granted;
  readonly 'top-up': WalletMoved;
  readonly 'set-wallet': WalletMoved;
  readonly 'settle-top-up': WalletMoved;
  readonly reverse: Consumption;
  readonly reset: Restarted;
  readonly settle: Settled;
};

/** What a request is answered with. */
export type ResultOf<R extends Request> = Results[R['kind']];
