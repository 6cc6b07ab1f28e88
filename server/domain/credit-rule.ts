/** credit-rule — the credits that a plan allocates for a feature, and what becomes of unused ones when they renew. */
import type { Interval, Reset } from './period.ts';
import type { Units } from './units.ts';

/** Unused credits roll over into a grant of their own, as far as the cap allows. */
export type Rollover = {
  /** The most that may be held rolled over, in units; null where `maxFraction` says it, or without a cap. */
  readonly max: Units | null;
  /** The same as a fraction of the allocation: 0.5 is half. */
  readonly maxFraction: Units | null;
  /** How long rolled over credits live; null for ever. */
  readonly expiresAfter: Interval | null;
};

/** `reset`: unused ones go. `add`: they stay. Or they roll over, up to a cap. */
export type OnRenewal = 'reset' | 'add' | Rollover;

export type CreditRule = {
  /** Units given at the start of each period. Above 0. */
  readonly allocation: Units;
  readonly onRenewal: OnRenewal;
  /** When they renew; null: with the feature's counter. Monthly credits on a yearly counter are possible. */
  readonly reset: Reset | null;
  /** Lower burns first. */
  readonly priority: number;
};

/** What plan credits burn at unless they say otherwise: before grants that were bought, which default to more. */
export const PLAN_PRIORITY = 0;
export const GRANT_PRIORITY = 100;
