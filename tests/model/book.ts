/**
 * book — all that is remembered of one modelled customer: plain lists of what happened, and no totals.
 *
 * Whatever is asked (`questions.ts`) is worked out from the lists each time. That is slow, and wrong in other ways than
 * the engine's running totals would be.
 */
import type { OnRenewal } from '../../server/domain/credit-rule.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import type { Reset } from '../../server/domain/period.ts';
import type { Units } from '../../server/domain/units.ts';
import type { Told } from './told.ts';

/** What paid for some units, and what they cost in minor units. All of it is below 0 where units were given back. */
export type Paid = {
  included: Units;
  credits: Units;
  wallet: Units;
  overage: Units;
  /** Of wallet and overage units. */
  cost: Units;
  walletCharge: Units;
  draws: Draw[];
};
export type Draw = { readonly grantId: string; readonly units: Units };

export const NOTHING_PAID: Paid = {
  included: 0n,
  credits: 0n,
  wallet: 0n,
  overage: 0n,
  cost: 0n,
  walletCharge: 0n,
  draws: [],
};

/** Some units of a feature, used or held. */
export type Entry = {
  readonly id: number;
  readonly featureKey: string;
  readonly entityId: string | null;
  readonly periodStartMs: number;
  /** When it happened, and when it was told. */
  readonly atMs: number;
  readonly toldAtMs: number;
  /** As reported: an amount, a level, a change of level. */
  readonly reported: Units;
  /** The distinct value, of a feature that counts those. */
  readonly value: string | null;
  taken: Units;
  paid: Paid;
  /** `undone` entries are holds that were let go; they count for nothing. */
  state: 'used' | 'held' | 'undone';
  /** The customer's sequence as the engine told it; only to name the event in a reversal. */
  sequence: bigint | null;
  reversed: boolean;
  readonly isReversal: boolean;
  /** What a quantity that is held over time brings along from the period before. */
  readonly isCarry: boolean;
};

export type Hold = {
  readonly id: string;
  readonly entryId: number;
  readonly expiresAtMs: number;
  state: 'open' | 'committed' | 'released' | 'expired';
  readonly reserved: Units;
  /** What was asked to be committed. */
  committed: Units | null;
  /** How its commit was answered: committing twice hears the same. */
  told: Told | null;
};

export type LossReason = 'expired' | 'voided' | 'withdrawn' | 'rolled_over';

export type ModelGrant = {
  readonly id: string;
  readonly featureKey: string;
  readonly isPlan: boolean;
  amount: Units;
  priority: number;
  readonly effectiveFromMs: number;
  expiresAtMs: number | null;
  readonly createdAtMs: number;
  renewal: { reset: Reset; onRenewal: OnRenewal; amount: Units } | null;
  renewsAtMs: number | null;
  readonly originId: string;
  readonly rolledOver: boolean;
  /** Units that went another way than being used. */
  lost: { units: Units; reason: LossReason }[];
  isVoided: boolean;
};

/** A call that passed, and the windows of the rate limits that held then: it takes a slot of no other. */
export type Call = { readonly atMs: number; readonly windows: ReadonlySet<string> };

export type Book = {
  readonly referenceId: string;
  readonly timeZone: string;
  readonly createdAtMs: number;
  /** Which plan from when on; the last one whose time has come holds. Its credits begin when it is settled. */
  plans: { planKey: string; fromMs: number; isSettled: boolean }[];
  overrides: Map<string, LimitFields>;
  entries: Entry[];
  grants: ModelGrant[];
  holds: Hold[];
  /** Money put in and paid out; what use took is in the entries. */
  money: { amount: Units }[];
  /** Whether the wallet ever paid for anything, be it that all of it came back. */
  hasPaid: boolean;
  /** Calls that took a slot of rate limits. */
  calls: Call[];
  alerts: { featureKey: string; periodStartMs: number; mark: string }[];
  /** The first answer under each idempotency key. */
  answers: Map<string, { readonly content: string; readonly told: Told }>;
  /** Periods that were ended by hand: from then on another one counts. */
  restarts: { featureKey: string; atMs: number }[];
};

export const newBook = (who: Pick<Book, 'referenceId' | 'timeZone' | 'createdAtMs'> & { planKey: string }): Book => ({
  referenceId: who.referenceId,
  timeZone: who.timeZone,
  createdAtMs: who.createdAtMs,
  plans: [{ planKey: who.planKey, fromMs: who.createdAtMs, isSettled: false }],
  overrides: new Map(),
  entries: [],
  grants: [],
  holds: [],
  money: [],
  hasPaid: false,
  calls: [],
  alerts: [],
  answers: new Map(),
  restarts: [],
});
