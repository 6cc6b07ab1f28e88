/** types — the parts of the SDK's `Usage` and `Alert` that a meter reads, so that fixtures and other sources stay small. */
import type { Alert, Decimal, Threshold, Usage } from '@metergraph/client-sdk';

export type { Decimal };
export type MeterThreshold = Pick<Threshold, 'kind' | 'value'> & Partial<Pick<Threshold, 'falling'>>;

/** Price of units beyond what is included, in minor units of the currency; of a unit, unless there is a `packageSize`. */
export type MeterPrice = {
  readonly unitAmount: Decimal | null;
  readonly currency: string;
  readonly packageSize?: Decimal | null | undefined;
};

export type MeterUsage = Pick<
  Usage,
  'feature' | 'used' | 'limit' | 'enforcement' | 'period' | 'credits' | 'estimatedCost'
> & {
  readonly thresholds: readonly MeterThreshold[];
  /** Left out, or `null`, the meter says that further use is billed, where it is, but not at what price. */
  readonly price?: MeterPrice | null | undefined;
  /** `false`: the feature is not in the customer's plan. Left out: it is. */
  readonly entitled?: boolean | undefined;
};

export type MeterAlert = Pick<Alert, 'id' | 'featureKey' | 'used' | 'limit' | 'raisedAt'> & {
  readonly threshold: MeterThreshold;
};
