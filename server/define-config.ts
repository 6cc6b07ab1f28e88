/** define-config — the config file as a user writes it, typed so that a key which doesn't exist is a compile error. */
import type { HooksConfig } from './config-hooks.ts';
import type { ExistingCustomers } from './domain/definitions.ts';
import type { Aggregation, Billing, Enforcement, EntitlementValue } from './domain/feature.ts';
import type { Anchor, IntervalUnit, NamedReset } from './domain/period.ts';
import type { BillingInterval } from './domain/plan.ts';
import type { AuthorizeReference } from './hooks.ts';

/** An exact decimal: a number, or a string where a number can't hold it (`'0.000000001'`). */
export type DecimalInput = number | string;

/** A length of time of one's own, e.g. `{ every: 6, unit: 'hour' }`. */
export type IntervalConfig = { readonly every: number; readonly unit: IntervalUnit };

/** When something starts again, by a name or after a time of one's own, which is counted from the customer's start. */
export type ResetConfig = NamedReset | IntervalConfig;

/**
 * A line that raises an alert: a fraction of the limit (`0.8`), units used, units or the fraction of the limit remaining,
 * money spent beyond what is included, or each of so many units. Some are watched on the way down with `falling: true`.
 */
export type ThresholdConfig =
  | DecimalInput
  | { readonly fraction: DecimalInput; readonly falling?: boolean }
  | { readonly used: DecimalInput; readonly falling?: boolean }
  | { readonly remaining: DecimalInput }
  | { readonly remainingFraction: DecimalInput }
  | { readonly spend: DecimalInput }
  | { readonly every: DecimalInput };

/** What all prices may have. */
type PriceBounds = {
  /** ISO 4217; `usd` when unset. */
  readonly currency?: string;
  /** The least that a period with any use costs; put on the invoice. */
  readonly minimumSpend?: DecimalInput | null;
  /** The most that a period costs. */
  readonly maximumSpend?: DecimalInput | null;
};

/** Up to and including `upTo` units (`null` in the last: all others), for so much each and a fee for reaching the tier. */
export type TierConfig = {
  readonly upTo: DecimalInput | null;
  readonly unitAmount?: DecimalInput;
  readonly flatAmount?: DecimalInput;
};

/** What units cost, in minor units (cents), which may be fractions. */
export type PriceConfig = PriceBounds &
  (
    | {
        /** For each unit, or with `per` for each so many units begun. */
        readonly unitAmount: DecimalInput;
        readonly per?: DecimalInput;
      }
    | {
        /** Of the quantity, which is itself money in minor units. */
        readonly percent: DecimalInput;
      }
    | {
        /** In ascending order, the last one open. */
        readonly tiers: readonly TierConfig[];
        /** `graduated`: each unit by its own tier. `volume`: all by the tier that the total reaches. Unset: `graduated`. */
        readonly mode?: 'graduated' | 'volume';
      }
    | {
        readonly tiers: readonly { readonly upTo: DecimalInput | null; readonly flatAmount: DecimalInput }[];
        /** The fee of the tier that the total reaches, and nothing a unit. */
        readonly mode: 'stairstep';
      }
  );

/** Prepaid units that come again. */
export type CreditsConfig = {
  /** Units given at the start of each period. */
  readonly allocation: DecimalInput;
  /** What becomes of unused ones: they go (`reset`), stay (`add`), or roll over up to a cap. Unset: `reset`. */
  readonly onRenewal?:
    | 'reset'
    | 'add'
    | {
        readonly rollover: {
          /** Units, or a part of the allocation like `'50%'`. Unset: no cap. */
          readonly max?: DecimalInput;
          /** Unset: never. */
          readonly expiresAfter?: IntervalConfig;
        };
      };
  /** Unset: with the feature's counter. */
  readonly reset?: ResetConfig | null;
  /** Lower burns first. Unset: 0, before credits that were bought. */
  readonly priority?: number;
};

/** At most so many calls of a customer in a window, an ISO 8601 duration like `PT1M`. */
export type RateLimitConfig = { readonly limit: number; readonly window: string };

/** One rate limit, or several that must all pass. */
type RateLimitsConfig =
  | { readonly rateLimit?: RateLimitConfig; readonly rateLimits?: never }
  | { readonly rateLimits?: readonly RateLimitConfig[]; readonly rateLimit?: never };

/** What feature and plan may each set; a plan's fields win over the feature's, one by one. */
export type LimitConfig = RateLimitsConfig & {
  /** Units per period; `null` is unlimited, `0` nothing. */
  readonly limit?: DecimalInput | null;
  /** Units per period that cost nothing. Unset: the limit, or 0 where there is a price or credits and no limit. */
  readonly included?: DecimalInput;
  /** `hard` denies beyond the limit, `soft` allows. Unset: `hard`, or `soft` where there is a price. */
  readonly enforcement?: Enforcement;
  /** Floor of use that can be given back; setting it allows negative amounts. */
  readonly minLimit?: DecimalInput;
  /** Lines that raise one alert a period each. Unset: `[0.8, 1]`. */
  readonly thresholds?: readonly ThresholdConfig[];
  /** What units cost beyond included and credits. */
  readonly price?: PriceConfig;
  /** `postpaid` bills what wallet and credits don't pay, `prepaid` refuses it. Unset: `postpaid`. */
  readonly billing?: Billing;
  /** The most that units may cost in a period, in minor units (cents); `null` is no limit. */
  readonly spendLimit?: DecimalInput | null;
  /** Prepaid units that come again each period; `null` takes away those of the feature. */
  readonly credits?: CreditsConfig | null;
  /** What each entity (seat, workspace) may use of the limit; `null` is no limit of its own. */
  readonly entityLimit?: DecimalInput | null;
  /** What is granted and not counted: 10 projects, the region `'eu'`. */
  readonly value?: EntitlementValue;
};

/** `of` goes with `unique`, and only with it. */
type AggregationConfig =
  | {
      readonly aggregation: 'unique';
      /** The property whose distinct values are counted. */
      readonly of: string;
    }
  | {
      /** How amounts become what is used. Unset: `sum`. */
      readonly aggregation?: Exclude<Aggregation, 'unique'>;
      readonly of?: never;
    };

export type FeatureConfig = LimitConfig &
  AggregationConfig & {
    /** Unset: made from the key. */
    readonly displayName?: string;
    /** Singular, as people say it: `call`, `GB`. Of a duration: `second`, `minute`, `hour` or `day`. */
    readonly unit?: string;
    /** When counters start again. Unset: `monthly`. */
    readonly reset?: ResetConfig;
    /** Whether periods follow the calendar or the customer's own start. Unset: `calendar`. */
    readonly anchor?: Anchor;
    /** Properties by whose values the usage series can be grouped, at most 5. */
    readonly dimensions?: readonly string[];
    /** Free lines for a price page or tooltip. */
    readonly details?: readonly string[];
  };

export type WalletConfig = {
  /** ISO 4217; `usd` when unset. */
  readonly currency?: string;
  /** Use never takes the balance below, in minor units (cents): 0, or below 0, which is credit. Unset: 0. */
  readonly floor?: DecimalInput;
  /** Asks the biller for money when the wallet runs low. */
  readonly autoTopUp?: {
    /** Asked for when the balance is below this. */
    readonly threshold: DecimalInput;
    readonly amount: DecimalInput;
    /** Unset: 10. */
    readonly maxPerMonth?: number;
    /** How long nothing is asked for after a top-up that failed, an ISO 8601 duration. Unset: `PT24H`. */
    readonly coolOff?: string;
  };
};

export type PlanConfig<FeatureKey extends string = string> = RateLimitsConfig & {
  /** Unset: made from the key. */
  readonly displayName?: string;
  /** Base prices, in minor units (cents). */
  readonly price?: readonly {
    readonly amount: DecimalInput;
    /** `usd` when unset. */
    readonly currency?: string;
    readonly interval: BillingInterval;
  }[];
  /** The most that a customer may spend in a calendar month beyond what is included, of all features. */
  readonly spendLimit?: { readonly amount: DecimalInput; readonly currency?: string };
  /** How wallets of this plan's customers behave. */
  readonly wallet?: WalletConfig;
  /** Whether a changed plan holds for those who have it: they `stay` on their version, or `move`. Unset: `stay`. */
  readonly existingCustomers?: ExistingCustomers;
  /** The features this plan entitles to, with what it sets for each; `true` sets nothing, `false` leaves it out. */
  readonly features: { readonly [Key in FeatureKey]?: LimitConfig | boolean };
};

/** Prepaid units of a feature that customers can buy in a checkout. */
export type CreditPackConfig<FeatureKey extends string> = {
  /** As customers read it. Unset: made from the key. */
  readonly displayName?: string;
  readonly feature: FeatureKey;
  /** How many units it gives. */
  readonly amount: DecimalInput;
  /** In whole minor units (cents); `usd` when no currency is named. */
  readonly price: { readonly amount: DecimalInput; readonly currency?: string };
};

/** What holds for payments of all customers. */
export type BillingConfig = {
  /** Where checkout and portal may send customers back to: origins like `https://app.example.com`. Unset: nowhere. */
  readonly redirectOrigins?: readonly string[];
  /** For so many days after an invoice was due a customer keeps its plan. Unset: 7. */
  readonly dunningGraceDays?: number;
  /** Of checkouts that name none. Unset: `usd`. */
  readonly defaultCurrency?: string;
};

export type Config<FeatureKey extends string = string, PlanKey extends string = string> = {
  readonly features: { readonly [Key in FeatureKey]: FeatureConfig };
  readonly plans?: { readonly [Key in PlanKey]: PlanConfig<NoInfer<FeatureKey>> };
  /** Given to a customer who is registered without a plan. Unset: none, and such a customer may use every feature. */
  readonly defaultPlan?: NoInfer<PlanKey>;
  /** What customers can buy once, by key. */
  readonly creditPacks?: { readonly [key: string]: CreditPackConfig<NoInfer<FeatureKey>> };
  readonly billing?: BillingConfig;
  readonly hooks?: HooksConfig;
  /** Whether an API key may act for a customer. Unset: for every one of its tenant. */
  readonly authorizeReference?: AuthorizeReference;
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
