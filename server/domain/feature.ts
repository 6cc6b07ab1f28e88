/** feature — what is metered, and the limit fields that feature, plan and customer may each set. */
import type { Reset } from './period.ts';
import type { Threshold } from './threshold.ts';
import type { Units } from './units.ts';

export const AGGREGATIONS = ['count', 'sum'] as const;
/** `count` counts events, one each; `sum` adds their amounts. */
export type Aggregation = (typeof AGGREGATIONS)[number];

export const ENFORCEMENTS = ['hard', 'soft'] as const;
/** `hard` denies beyond the limit; `soft` allows, alerts, and bills overage where priced. */
export type Enforcement = (typeof ENFORCEMENTS)[number];

/** Price of one unit, in minor units of the currency (may be a fraction of a cent). */
export type UnitPrice = { readonly unitAmount: Units; readonly currency: string };

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
  readonly price?: UnitPrice;
};

export type Feature = LimitFields & {
  readonly tenantId: string;
  /** Also the event name. Unique in the tenant. */
  readonly key: string;
  readonly displayName: string;
  /** Singular, as people say it: `call`, `GB`. */
  readonly unit: string | null;
  readonly aggregation: Aggregation;
  readonly reset: Reset;
  /** Free lines for a price page or tooltip. */
  readonly details: readonly string[];
  /** Set when removed from the config: no new use, history stays. */
  readonly archivedAtMs: number | null;
};
