/** define-config — the config file as a user writes it, typed so that a key which doesn't exist is a compile error. */
import type { Aggregation, Enforcement } from './domain/feature.ts';
import type { Reset } from './domain/period.ts';
import type { BillingInterval } from './domain/plan.ts';

/** An exact decimal: a number, or a string where a number can't hold it (`'0.000000001'`). */
export type DecimalInput = number | string;

/** A fraction of the limit, or an absolute number of units: used (at or above), or remaining (at or below). */
export type ThresholdConfig = DecimalInput | { readonly used: DecimalInput } | { readonly remaining: DecimalInput };

/** What feature and plan may each set; a plan's fields win over the feature's, one by one. */
export type LimitConfig = {
  /** Units per period; `null` is unlimited, `0` nothing. */
  readonly limit?: DecimalInput | null;
  /** Units per period that cost nothing. Unset: the limit, or 0 where there is a price and no limit. */
  readonly included?: DecimalInput;
  /** `hard` denies beyond the limit, `soft` allows. Unset: `hard`, or `soft` where there is a price. */
  readonly enforcement?: Enforcement;
  /** Floor of use that can be given back; setting it allows negative amounts. */
  readonly minLimit?: DecimalInput;
  /** Lines that raise one alert a period each. Unset: `[0.8, 1]`. */
  readonly thresholds?: readonly ThresholdConfig[];
  /** Price of one unit, in minor units (cents) of the currency; `usd` when unset. */
  readonly price?: { readonly unitAmount: DecimalInput; readonly currency?: string };
};

export type FeatureConfig = LimitConfig & {
  /** Unset: made from the key. */
  readonly displayName?: string;
  /** Singular, as people say it: `call`, `GB`. */
  readonly unit?: string;
  /** `sum` adds amounts, `count` counts events. Unset: `sum`. */
  readonly aggregation?: Aggregation;
  /** When counters start again, by the customer's calendar. Unset: `monthly`. */
  readonly reset?: Reset;
  /** Free lines for a price page or tooltip. */
  readonly details?: readonly string[];
};

export type PlanConfig<FeatureKey extends string = string> = {
  /** Unset: made from the key. */
  readonly displayName?: string;
  /** Base prices, in minor units (cents). */
  readonly price?: readonly {
    readonly amount: DecimalInput;
    /** `usd` when unset. */
    readonly currency?: string;
    readonly interval: BillingInterval;
  }[];
  /** At most so many calls of a customer in a window, an ISO 8601 duration like `PT1M`. */
  readonly rateLimit?: { readonly limit: number; readonly window: string };
  /** The features this plan entitles to, with what it sets for each. */
  readonly features: { readonly [Key in FeatureKey]?: LimitConfig };
};

export type Config<FeatureKey extends string = string, PlanKey extends string = string> = {
  readonly features: { readonly [Key in FeatureKey]: FeatureConfig };
  readonly plans?: { readonly [Key in PlanKey]: PlanConfig<NoInfer<FeatureKey>> };
  /** Given to a customer who is registered without a plan. Unset: none, and such a customer may use every feature. */
  readonly defaultPlan?: NoInfer<PlanKey>;
};

/**
 * Types the default export of `metergraph.config.ts`; it changes nothing.
 *
 * @example
 * export default defineConfig({
 *   features: { api_calls: { unit: 'call', limit: 1_000 } },
 *   plans: { free: { features: { api_calls: { limit: 5 } } } },
 *   defaultPlan: 'free',
 * });
 */
export const defineConfig = <const FeatureKey extends string, const PlanKey extends string = never>(
  config: Config<FeatureKey, PlanKey>,
): Config<FeatureKey, PlanKey> => config;
