/** feature — what is metered, and the limit fields that feature, plan and customer may each set. */
import type { CreditRule } from './credit-rule.ts';
import type { Anchor, Reset } from './period.ts';
import type { Price } from './price.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Threshold } from './threshold.ts';
import type { Units } from './units.ts';

export const AGGREGATIONS = ['count', 'sum', 'max', 'unique', 'duration', 'latest', 'weighted_sum'] as const;
/**
 * How reported amounts become what is used. `count` counts events, one each; `sum` adds amounts; `duration` adds times in
 * the feature's unit; `max` keeps the largest; `unique` counts distinct values of the property `of`; `latest` is a gauge
 * (the amount is the new level); `weighted_sum` adds amounts weighed by the share of the period they are held for.
 */
export type Aggregation = (typeof AGGREGATIONS)[number];

/** What a feature counts, for sentences: `"seats" counts distinct values`. */
export const COUNTED = {
  count: 'events',
  sum: 'amounts',
  max: 'the largest amount',
  unique: 'distinct values',
  duration: 'time',
  latest: 'the latest level',
  weighted_sum: 'amounts by how long they are held',
} as const satisfies Record<Aggregation, string>;

export const ENFORCEMENTS = ['hard', 'soft'] as const;
/** `hard` denies beyond the limit; `soft` allows, alerts, and bills overage where priced. */
export type Enforcement = (typeof ENFORCEMENTS)[number];

export const BILLINGS = ['postpaid', 'prepaid'] as const;
/** Whether use beyond credits and wallet is billed at the end of the period (`postpaid`) or refused (`prepaid`). */
export type Billing = (typeof BILLINGS)[number];

/** A static entitlement: what a plan grants that is not counted, e.g. 10 projects or the region "eu". */
export type EntitlementValue = string | number | boolean;

/** What a feature, a plan or a customer may set; a field left out leaves what was set before it. */
export type LimitFields = {
  /** `null` is unlimited, `0` nothing. */
  readonly limit?: Units | null;
  /** Units per period that cost nothing. */
  readonly included?: Units;
  readonly enforcement?: Enforcement;
  /** Floor for use that can be given back; setting it allows negative amounts. */
  readonly minLimit?: Units;
  readonly thresholds?: readonly Threshold[];
  /** What units beyond included and credits cost. */
  readonly price?: Price;
  readonly billing?: Billing;
  /** The most that units beyond included and credits may cost in a period, in minor units; `null` is no limit. */
  readonly spendLimit?: Units | null;
  /** Prepaid units that the plan allocates every period. */
  readonly credits?: CreditRule | null;
  /** Rate limits of this feature alone, beside those of the plan. All must pass. */
  readonly rateLimits?: readonly RateLimit[];
  /** What each entity (seat, workspace) may use of the customer's shared limit, where amounts add up; `null` is no limit of its own. */
  readonly entityLimit?: Units | null;
  readonly value?: EntitlementValue;
};

export type Feature = LimitFields & {
  readonly tenantId: string;
  /** Also the event name. Unique in the tenant. */
  readonly key: string;
  readonly displayName: string;
  /** Singular, as people say it: `call`, `GB`. For `duration` one of `DURATION_UNITS`. */
  readonly unit: string | null;
  readonly aggregation: Aggregation;
  /** The property whose distinct values `unique` counts; null for every other aggregation. */
  readonly of: string | null;
  readonly reset: Reset;
  /** Whether periods follow the calendar or the customer's own start. */
  readonly anchor: Anchor;
  /** Properties by whose values the usage series can be grouped. */
  readonly dimensions: readonly string[];
  /** Free lines for a price page or tooltip. */
  readonly details: readonly string[];
  /** Set when removed from the config: no new use, history stays. */
  readonly archivedAtMs: number | null;
};
