/** meter-state — all that one decision depends on: what is known of the customer and the feature, and what is asked. */
import type { Report } from './aggregation.ts';
import type { Counter } from './counter.ts';
import type { Aggregation } from './feature.ts';
import type { Funds } from './payment.ts';
import type { LimitPolicy } from './policy.ts';
import type { RateRule, RateWindows } from './rate-limit.ts';
import type { Paid } from './refund.ts';
import type { Units } from './units.ts';

export const CONSUME_MODES = ['REJECT', 'CLAMP', 'OVERFLOW'] as const;
/** `REJECT`: all or nothing. `CLAMP`: what fits. `OVERFLOW`: all, even past a hard limit. */
export type ConsumeMode = (typeof CONSUME_MODES)[number];

/** What an entity under the customer (a seat, a workspace) has taken of the shared limit. */
export type EntityUse = {
  readonly id: string;
  /** Used or held; for a call that gives back, what is used alone. */
  readonly taken: Units;
};

/** All that one decision depends on: the customer's state as far as this feature is concerned. */
export type MeterState = {
  readonly featureKey: string;
  readonly aggregation: Aggregation;
  readonly policy: LimitPolicy;
  /** The plan that was looked at, for the sentence of a denial. */
  readonly planKey: string | null;
  /** Whether plan or override name the feature at all. */
  readonly entitled: boolean;
  /** Of the customer and of this feature. All must pass. */
  readonly rateRules: readonly RateRule[];
  readonly rateWindows: RateWindows;
  readonly counter: Counter;
  /** Null for a call that names no entity. */
  readonly entity: EntityUse | null;
  readonly funds: Funds;
  /** What paid for the use of this period: from what units can be given back. */
  readonly paid: Paid;
};

/** One call. */
export type UsageRequest = Report & {
  readonly mode: ConsumeMode;
  /** `use` counts; `record` counts what has happened already, and is not refused for lack of anything; `hold` reserves. */
  readonly purpose: 'use' | 'record' | 'hold';
};
