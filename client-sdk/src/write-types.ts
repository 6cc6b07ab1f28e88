/** write-types — what goes in and comes out of the calls that write, beside `consume`. See types.ts for the conventions. */
import type { ConsumeInput, Denial, Split } from './consume-types.ts';
import type { Period, Usage } from './usage-types.ts';
import type { DateTime, Decimal, DecimalInput, Money } from './value-types.ts';

/** Use that has happened already. */
export interface RecordUsageInput extends Omit<ConsumeInput, 'mode'> {
  /** When: at most 35 days back and 5 minutes ahead; default now. It counts in that period. */
  readonly timestamp?: DateTime | undefined;
}

/** Use to come, of which only the most is known. */
export interface ReserveInput extends ConsumeInput {
  /** Seconds until the units are given back: at most 86,400, default 900. */
  readonly ttlSeconds?: number | undefined;
}

/** What a reservation that was allowed holds. */
interface HeldUnits {
  readonly allowed: true;
  readonly denial: null;
  /** What to commit or release it by. */
  readonly id: string;
  readonly state: 'OPEN' | 'COMMITTED' | 'RELEASED' | 'EXPIRED';
  readonly createdAt: DateTime;
  /** When its units are given back if nobody ends it before. */
  readonly expiresAt: DateTime;
}

/** There is nothing to commit or release. */
interface NotHeld {
  readonly allowed: false;
  readonly denial: Denial;
  readonly id: null;
  readonly state: null;
  readonly createdAt: null;
  readonly expiresAt: null;
}

/** What `reserve` decided. Test `allowed` before doing the work. */
export type Reservation = (HeldUnits | NotHeld) & {
  readonly referenceId: string;
  readonly featureKey: string;
  readonly entityId: string | null;
  /** Units that are held; `'0'` when denied. */
  readonly amount: Decimal;
  readonly split: Split;
  /** The state after this call. */
  readonly usage: Usage;
  readonly committedAmount: Decimal | null;
  readonly closedAt: DateTime | null;
  /** True when this is the first answer to the same call again. */
  readonly replayed: boolean;
};

/** What was used of what was reserved. */
export interface CommitReservationInput {
  readonly reservationId: string;
  /** Default: all that was reserved. Less gives the rest back; more is decided as a use of its own. */
  readonly amount?: DecimalInput | undefined;
  /** For what goes beyond the reservation; default `REJECT`. */
  readonly mode?: ConsumeInput['mode'];
  /** Made for you when left out. */
  readonly idempotencyKey?: string | undefined;
}

export type ResetName = 'HOURLY' | 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'QUARTERLY' | 'YEARLY' | 'INTERVAL';

/** A length of time, like 6 hours. */
export interface Interval {
  readonly every: number;
  readonly unit: 'MINUTE' | 'HOUR' | 'DAY' | 'WEEK' | 'MONTH' | 'YEAR';
}

/** Prepaid units for one feature of one customer. */
export interface GrantCreditsInput {
  readonly referenceId: string;
  readonly featureKey: string;
  readonly amount: DecimalInput;
  /** Default `PURCHASE`. */
  readonly source?: 'PURCHASE' | 'PROMOTION' | 'ADJUSTMENT' | undefined;
  /** Lower burns first; default 100, after what a plan allocates. */
  readonly priority?: number | undefined;
  readonly effectiveFrom?: DateTime | undefined;
  readonly expiresAt?: DateTime | undefined;
  /** Given anew with each period. */
  readonly recurring?:
    | {
        readonly reset?: ResetName | undefined;
        readonly resetInterval?: Interval | undefined;
        readonly onRenewal?: 'RESET' | 'ADD' | 'ROLLOVER' | undefined;
        readonly rollover?:
          | {
              readonly max?: Decimal | undefined;
              readonly maxFraction?: Decimal | undefined;
              readonly expiresAfter?: Interval | undefined;
            }
          | undefined;
      }
    | undefined;
  /** Whether they first pay for overage of the running period. */
  readonly settlesOverage?: boolean | undefined;
  /** Made for you when left out. */
  readonly idempotencyKey?: string | undefined;
}

/** Prepaid units of a feature. */
export interface Grant {
  readonly id: string;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly source: 'PLAN' | 'PURCHASE' | 'PROMOTION' | 'ADJUSTMENT';
  readonly amount: Decimal;
  readonly remaining: Decimal;
  readonly priority: number;
  readonly effectiveFrom: DateTime;
  /** null: never. */
  readonly expiresAt: DateTime | null;
  readonly state: 'PENDING' | 'LIVE' | 'SPENT' | 'EXPIRED' | 'VOIDED';
  readonly renewsAt: DateTime | null;
  /** The grant that this one came of, by renewal or rollover. */
  readonly originId: string | null;
  readonly rolledOver: boolean;
  readonly createdAt: DateTime;
}

/** Money put into a wallet, or paid out of it. */
export interface WalletMoneyInput {
  readonly referenceId: string;
  /** In minor units (cents), above 0. */
  readonly amount: DecimalInput;
  /** Default `usd`. */
  readonly currency?: string | undefined;
  /** Made for you when left out. */
  readonly idempotencyKey?: string | undefined;
}

/** A floor of a wallet's own, or (null) the plan's. */
export interface SetWalletInput {
  readonly referenceId: string;
  readonly currency?: string | undefined;
  /** In minor units; below 0 it is credit. */
  readonly floor: DecimalInput | null;
}

/** For billers: what became of the top-up that a wallet asked for. */
export interface SettleTopUpInput {
  readonly referenceId: string;
  readonly currency?: string | undefined;
  readonly outcome: 'PAID' | 'FAILED';
}

/** Prepaid money of a customer in one currency. */
export interface Wallet {
  readonly currency: string;
  readonly balance: Money;
  /** Use never takes the balance below. */
  readonly floor: Money;
  readonly available: Money;
}

export interface ReverseEventInput {
  /** The `id` of the event. */
  readonly eventId: string;
  /** Made for you when left out. */
  readonly idempotencyKey?: string | undefined;
}

export interface ResetUsageInput {
  readonly referenceId: string;
  readonly featureKey: string;
  /** Made for you when left out. */
  readonly idempotencyKey?: string | undefined;
}

/** A period that was ended by hand. */
export interface UsageReset {
  readonly usage: Usage;
  readonly ended: Period | null;
  readonly replayed: boolean;
}

/** Who pays on a page, and for what: exactly one of `plan`, `creditPack` and `walletTopUp`. */
export interface CreateCheckoutSessionInput {
  readonly referenceId: string;
  /** A subscription. Left out, interval and currency are those of the plan's first price. */
  readonly plan?:
    | {
        readonly planKey: string;
        readonly interval?: 'DAY' | 'WEEK' | 'MONTH' | 'YEAR' | undefined;
        readonly currency?: string | undefined;
      }
    | undefined;
  /** Prepaid units, by the key of a pack. */
  readonly creditPack?: { readonly key: string } | undefined;
  /** Money for the wallet, in minor units (cents), whole. */
  readonly walletTopUp?: { readonly amount: DecimalInput; readonly currency?: string | undefined } | undefined;
  /** Where the customer goes when it has paid; its origin is in the config's `billing.redirectOrigins`. */
  readonly successUrl: string;
  /** Where it goes when it does not pay; the same holds. */
  readonly cancelUrl: string;
  readonly idempotencyKey?: string | undefined;
}

/** A page on which a customer pays. */
export interface CheckoutSession {
  readonly id: string;
  /** Send the customer there. */
  readonly url: string;
  readonly expiresAt: DateTime;
}

export interface CreatePortalSessionInput {
  readonly referenceId: string;
  /** Where the customer goes afterwards; its origin is in the config's `billing.redirectOrigins`. */
  readonly returnUrl: string;
  readonly idempotencyKey?: string | undefined;
}

/** A page on which a customer sees to its subscription, payment methods and invoices. */
export interface PortalSession {
  readonly url: string;
}
