/** consume-types — one use: what is asked, what is decided, and what paid for it. */
import type { MetergraphError } from './errors.ts';
import type { Alert, Usage } from './usage-types.ts';
import type { DateTime, Decimal, DecimalInput, Json, Money } from './value-types.ts';

/** Why a call was refused, in order of precedence: the first that holds is the one reported. */
export type DenialReason =
  | 'NOT_AUTHORIZED'
  | 'RATE_LIMITED'
  | 'FEATURE_NOT_IN_PLAN'
  | 'LIMIT_REACHED'
  | 'SPEND_LIMIT_REACHED'
  | 'INSUFFICIENT_FUNDS'
  | 'BELOW_MINIMUM'
  | 'REFUSED_BY_HOOK';

/** A decision, not an error: the call was understood, and refused. Nothing was counted. */
export interface Denial {
  readonly reason: DenialReason;
  /** A sentence for people. */
  readonly message: string;
  /** When the same call may pass; null when waiting does not help. */
  readonly retryAt: DateTime | null;
}

/** What paid for the units of one call. */
export interface Split {
  readonly included: Decimal;
  readonly credits: Decimal;
  readonly wallet: Decimal;
  readonly overage: Decimal;
  readonly walletCharge: Money;
  readonly overageCost: Money;
}

/** Denied, and why. */
interface Refused {
  readonly allowed: false;
  readonly denial: Denial;
}

/** Allowed: go on. */
interface Permitted {
  readonly allowed: true;
  readonly denial: null;
}

/** What `consume` decided, or what `check` says it would decide. Test `allowed` before doing the work. */
export type Consumption = (Permitted | Refused) & {
  /** Units taken by this call; `'0'` when denied. */
  readonly amount: Decimal;
  readonly split: Split;
  /** The state after this call. */
  readonly usage: Usage;
  /** Alerts raised by this call. */
  readonly alerts: readonly Alert[];
  /** True when this idempotency key was answered before: this is the first answer again, and nothing was counted twice. */
  readonly replayed: boolean;
};

/** One item of `consumeMany`: its decision, or what was wrong with it. */
export type ConsumeOutcome =
  | { readonly ok: true; readonly consumption: Consumption }
  | { readonly ok: false; readonly error: MetergraphError };

/** One use. */
export interface ConsumeInput {
  /** The app's own id of the customer. */
  readonly referenceId: string;
  readonly featureKey: string;
  /** In the feature's unit, or the new level of a gauge, which alone may be 0; default 1. */
  readonly amount?: DecimalInput | undefined;
  /** In place of `amount`, for a feature that adds up time: ISO 8601, e.g. `'PT1M30S'`. */
  readonly duration?: string | undefined;
  /** Who under the customer uses it, e.g. a seat; it counts for both. */
  readonly entityId?: string | undefined;
  /** A plan's key, for this call only. */
  readonly overrideKey?: string | undefined;
  /** Made for you when left out, before the first try, and kept over retries. Give your own to survive a crash. */
  readonly idempotencyKey?: string | undefined;
  /** Stored with the event. */
  readonly properties?: Json | undefined;
  /** `REJECT` (default): all or nothing. `CLAMP`: take what fits. `OVERFLOW`: record all, for work that already happened. */
  readonly mode?: 'REJECT' | 'CLAMP' | 'OVERFLOW' | undefined;
}
