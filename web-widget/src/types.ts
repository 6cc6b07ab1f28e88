/** types — the parts of the SDK's `Usage` and `Alert` that a meter reads, so that fixtures and other sources stay small. */
import type { Alert, Decimal, Threshold, Usage } from '@metergraph/client-sdk';

export type { Decimal };
export type MeterThreshold = Threshold;

/** Price of one unit beyond what is included, in minor units of the currency. */
export type MeterPrice = { readonly unitAmount: Decimal; readonly currency: string };

export type MeterUsage = Pick<
  Usage,
  'feature' | 'used' | 'limit' | 'enforcement' | 'thresholds' | 'period' | 'credits' | 'estimatedCost'
> & {
  /** Left out, or `null`, the meter says that further use is billed, where it is, but not at what price. */
  readonly price?: MeterPrice | null | undefined;
  /** `false`: the feature is not in the customer's plan. Left out: it is. */
  readonly entitled?: boolean | undefined;
};

export type MeterAlert = Pick<Alert, 'id' | 'featureKey' | 'threshold' | 'used' | 'limit' | 'raisedAt'>;
