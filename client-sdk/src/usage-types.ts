/** usage-types — the state of a meter, and the alerts it has raised. */
import type { DateTime, Decimal, Json, Money } from './value-types.ts';

/** What units cost beyond what is included. */
export interface Price {
  readonly model: 'PER_UNIT' | 'PACKAGE' | 'PERCENTAGE' | 'GRADUATED' | 'VOLUME' | 'STAIRSTEP';
  /** In minor units (may be a fraction of a cent) of `currency`, per unit or per package; null in models without one. */
  readonly unitAmount: Decimal | null;
  readonly currency: string;
  /** Units in a package, of which one that is begun is paid in full; null in every other model. */
  readonly packageSize: Decimal | null;
}

/** Half-open `[start, end)`. `end` is null when the feature never resets. */
export interface Period {
  readonly start: DateTime;
  readonly end: DateTime | null;
}

/**
 * A line that raises one alert per period: a fraction of the limit used or remaining, units used or remaining, money spent
 * in minor units, or each of so many units.
 */
export interface Threshold {
  readonly kind: 'FRACTION' | 'USED' | 'REMAINING' | 'REMAINING_FRACTION' | 'SPEND' | 'EVERY';
  readonly value: Decimal;
  /** Whether it is watched on the way down, for use that is given back. */
  readonly falling: boolean;
}

/** What is metered. `key` is also the name of its events. */
export interface UsageFeature {
  readonly key: string;
  readonly displayName: string;
  /** e.g. `GB`; null when the feature simply counts. */
  readonly unit: string | null;
}

/** The state of one customer and feature in the running period: the number the gate itself uses. */
export interface Usage {
  readonly referenceId: string;
  readonly feature: UsageFeature;
  readonly planKey: string | null;
  /** `false`: neither plan nor own limits name the feature, so every call is denied. */
  readonly entitled: boolean;
  readonly used: Decimal;
  /** Held by open reservations, and not used yet. */
  readonly reserved: Decimal;
  /** null: unlimited. */
  readonly limit: Decimal | null;
  /** Neither used nor reserved. null: unlimited. Never below 0. */
  readonly remaining: Decimal | null;
  /** `HARD` refuses beyond the limit, `SOFT` goes on and bills where a price is set. */
  readonly enforcement: 'HARD' | 'SOFT';
  /** What the customer is entitled to and is not counted, e.g. `10` or `'eu'`; null where nothing is said. */
  readonly value: Json;
  readonly thresholds: readonly Threshold[];
  /** What units beyond what is included cost; null where the feature has no price. */
  readonly price: Price | null;
  readonly period: Period;
  /** Prepaid units left. */
  readonly credits: Decimal;
  readonly wallet: Money | null;
  /** Units beyond limit, credits and wallet in this period. */
  readonly overage: Decimal;
  readonly estimatedCost: Money | null;
  /** Resume point of this customer. Opaque. */
  readonly cursor: string;
}

/** Which usage to read. With a customer token `referenceId` may be left out. */
export interface UsageInput {
  readonly referenceId?: string | undefined;
  readonly featureKey: string;
}

/** A stored fact: this customer crossed this threshold of this feature in this period. */
export interface Alert {
  readonly id: string;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly threshold: Threshold;
  readonly used: Decimal;
  readonly limit: Decimal | null;
  readonly raisedAt: DateTime;
  readonly acknowledgedAt: DateTime | null;
  /** Resume point for `onAlert({ after })`. Opaque. */
  readonly cursor: string;
}
