/**
 * state — what a batch of decisions needs to know, held in memory while it decides, and what it leaves to be stored.
 *
 * Each decision is applied before the next is made, so the requests of a batch see each other in order of arrival.
 */
import type { Alert } from '../domain/alert.ts';
import type { Counter } from '../domain/counter.ts';
import type { PendingPlan } from '../domain/customer.ts';
import type { EventKind } from '../domain/event.ts';
import type { LimitFields } from '../domain/feature.ts';
import type { Grant } from '../domain/grant.ts';
import type { Mute } from '../domain/mute.ts';
import type { Notice } from '../domain/notice.ts';
import type { Payment } from '../domain/payment.ts';
import type { OpenPeriod } from '../domain/period.ts';
import type { EntryKind, Posting } from '../domain/posting.ts';
import type { RateWindows } from '../domain/rate-limit.ts';
import type { Reservation } from '../domain/reservation.ts';
import type { Units } from '../domain/units.ts';
import type { AnswerJson } from './answer.ts';
import type { EarlierAnswerJson } from './earlier-answer.ts';

/** A counter as it is stored, with the rule that opened its period. */
export type StoredCounter = Counter & {
  readonly period: OpenPeriod;
  /** The customer's sequence of the last change; 0 for one that was never stored. */
  readonly sequence: bigint;
  /** When the period was settled; null while it runs. */
  readonly closedAtMs: number | null;
  /** When late use changed it after that. */
  readonly correctedAtMs: number | null;
};

/** The credits of one feature: their live total, and so many of the grants as the batch may draw from. */
export type CreditAccount = {
  readonly live: Units;
  /** The plan's running allocation, and the rule that it was made by, as text; null without. */
  readonly allocationId: string | null;
  readonly rule: string | null;
  readonly sequence: bigint;
  readonly grants: ReadonlyMap<string, Grant>;
};

export const NO_ACCOUNT: CreditAccount = { live: 0n, allocationId: null, rule: null, sequence: 0n, grants: new Map() };

/** Money that a wallet's rule has asked the biller for. */
export type AskedTopUp = {
  /** The customer's sequence at which the wallet ran low. */
  readonly sequence: bigint;
  /** In minor units, as the rule was then: what the biller charges, and what it puts in. */
  readonly amount: Units;
  readonly askedAtMs: number;
};

/** A wallet as it is stored. */
export type StoredWallet = {
  readonly currency: string;
  /** Null until money was put in. */
  readonly balance: Units | null;
  /** The customer's own; null: the plan's. */
  readonly floor: Units | null;
  /** Cost of use beyond what is included, of all features, in the calendar month that began at `spentSinceMs`. */
  readonly spent: Units;
  readonly spentSinceMs: number;
  /** Top-ups asked for in that month. */
  readonly topUps: number;
  /** Null while none is asked for that was neither paid nor failed. */
  readonly topUp: AskedTopUp | null;
  readonly topUpFailedAtMs: number | null;
  readonly sequence: bigint;
};

/** What was answered under an idempotency key: before this batch, or earlier in it. */
export type KnownAnswer = { readonly fingerprint: string; readonly answer: AnswerJson | EarlierAnswerJson };

/** An event that a request wants to reverse. */
export type PastEvent = {
  readonly sequence: bigint;
  readonly kind: EventKind;
  readonly featureKey: string;
  readonly entityId: string | null;
  readonly periodStartMs: number;
  readonly reported: Units;
  readonly amount: Units;
  readonly payment: Payment;
  readonly currency: string | null;
  readonly properties: string | null;
  readonly occurredAtMs: number;
  /** Whether another event reverses it already. */
  readonly isReversed: boolean;
};

/** A customer as decisions see it, and what this batch makes of it. */
export type CustomerState = Holdings & {
  readonly id: string;
  readonly tenantId: string;
  readonly referenceId: string;
  planKey: string | null;
  /** Null for the newest. */
  planVersion: number | null;
  pendingPlan: PendingPlan | null;
  readonly timeZone: string;
  readonly anchorAtMs: number;
  /** Null for its own. */
  readonly anchorTimeZone: string | null;
  readonly createdAtMs: number;
  readonly overrides: ReadonlyMap<string, LimitFields>;
  readonly mutes: readonly Mute[];
  /** The last sequence that changed every meter at once. */
  limitsSequence: bigint;
  /** Of the row as it was read: every write of it takes another. */
  readonly revision: bigint;
  /** As the row was when it was read. */
  readonly sequenceBefore: bigint;
  sequence: bigint;
  rateWindows: RateWindows;
  /** Whether there ever was a grant or a wallet. */
  prepaid: boolean;
  /** When something is due next; null for never. */
  dueAtMs: number | null;
};

/** What is read of a customer beside its row, as far as the batch needs it. */
type Holdings = {
  /** By `meterKey`: the newest counter of each. */
  readonly counters: Map<string, StoredCounter>;
  /** Counters of earlier periods that this batch needs: by `meterKey`, in order of time. */
  readonly earlier: Map<string, StoredCounter[]>;
  /** By feature. */
  readonly credits: Map<string, CreditAccount>;
  /** By currency. */
  readonly wallets: Map<string, StoredWallet>;
  /** By id: those that requests name, those that are overdue, and the open ones of features that give back. */
  readonly reservations: Map<string, Reservation>;
  /** By id: how the commits of reservations were answered. */
  readonly commits: Map<string, AnswerJson>;
  /** `valueKey`s of values that the period has seen, among those that requests name. */
  readonly seen: Set<string>;
  /** By feature: where credits of the period were drawn, oldest first; for giving back without naming an event. */
  readonly drawn: Map<string, Payment['draws']>;
  /** When the first of its grants that are not due yet will be; known when the customer is settled. */
  laterMs: number | null;
  /** By sequence. */
  readonly events: Map<bigint, PastEvent>;
  readonly answers: Map<string, KnownAnswer>;
};

export const noHoldings = (): Holdings => ({
  counters: new Map(),
  earlier: new Map(),
  credits: new Map(),
  wallets: new Map(),
  reservations: new Map(),
  commits: new Map(),
  seen: new Set(),
  drawn: new Map(),
  laterMs: null,
  events: new Map(),
  answers: new Map(),
});

/** Names a counter of a customer: the feature's, or that of an entity under it. */
export const meterKey = (featureKey: string, entityId: string | null): string =>
  entityId === null ? featureKey : `${featureKey}\n${entityId}`;

/** Names a value that a unique counter has seen. */
export const valueKey = (featureKey: string, periodStartMs: number, value: string): string =>
  `${featureKey}\n${periodStartMs}\n${value}`;

/** What a batch leaves to be stored; every list in order of decision. */
export type Changes = {
  readonly nowMs: number;
  /** Customers that took at least one sequence, or whose row is to be written for another reason. */
  readonly customers: readonly CustomerState[];
  /** Those of them whose change of plan had come due. */
  readonly movedPlans: readonly MovedPlan[];
  /** Those that were brought up to now: more of their meters may have changed than requests were about. */
  readonly settled: ReadonlySet<CustomerState>;
  readonly counters: ReadonlyMap<string, ChangedCounter>;
  readonly events: readonly NewEvent[];
  readonly answers: readonly NewAnswer[];
  readonly alerts: readonly NewAlert[];
  readonly postings: readonly NewPosting[];
  readonly grants: ReadonlyMap<string, ChangedGrant>;
  readonly balances: ReadonlyMap<string, ChangedBalance>;
  readonly wallets: ReadonlyMap<string, ChangedWallet>;
  readonly topUps: ReadonlyMap<string, ChangedTopUp>;
  readonly reservations: ReadonlyMap<string, ChangedReservation>;
  readonly values: readonly NewValue[];
  /** What others may be told of, beside alerts: those are found where they are stored. */
  readonly notices: readonly Notice[];
};

type OfCustomer = { readonly customer: CustomerState };

export type MovedPlan = OfCustomer & {
  /** When the change was to take effect. */
  readonly sinceMs: number;
};

export type ChangedCounter = OfCustomer & {
  readonly featureKey: string;
  readonly entityId: string | null;
  readonly counter: StoredCounter;
};

export type NewEvent = OfCustomer & {
  readonly sequence: bigint;
  readonly kind: EventKind;
  readonly featureKey: string;
  readonly entityId: string | null;
  readonly periodStartMs: number;
  /** As it was reported: an amount, or a level. */
  readonly reported: Units;
  /** What it added to the counter. */
  readonly amount: Units;
  readonly payment: Payment;
  /** ISO 4217 of its money; null where the feature has no price. */
  readonly currency: string | null;
  readonly usedAfter: Units;
  readonly reverses: bigint | null;
  readonly idempotencyKey: string | null;
  readonly properties: string | null;
  /** Properties by whose values the series of the feature is grouped. */
  readonly dimensions: readonly string[];
  readonly occurredAtMs: number;
};

export type NewAnswer = OfCustomer & {
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  readonly answer: string;
};

/** An alert but for its sequence, which the tenant's row gives it as it is stored. */
export type NewAlert = Omit<Alert, 'sequence' | 'acknowledgedAtMs'> & { readonly eventSequence: bigint };

export type NewPosting = OfCustomer & Posting & { readonly sequence: bigint; readonly kind: EntryKind };

export type ChangedGrant = OfCustomer & { readonly grant: Grant; readonly sequence: bigint };

export type ChangedBalance = OfCustomer & { readonly featureKey: string; readonly account: CreditAccount };

export type ChangedWallet = OfCustomer & { readonly wallet: StoredWallet };

/** Money that a wallet's rule asks the biller for, or what became of that. */
export type ChangedTopUp = OfCustomer & {
  readonly currency: string;
  readonly topUp: AskedTopUp;
  readonly state: 'asked' | 'paid' | 'failed';
};

export type ChangedReservation = OfCustomer & {
  readonly reservation: Reservation;
  readonly sequence: bigint;
  /** How its commit was answered, as JSON text; null before. */
  readonly answer: string | null;
};

export type NewValue = OfCustomer & {
  readonly featureKey: string;
  readonly periodStartMs: number;
  /** Hash of the value's canonical JSON. */
  readonly value: string;
};
