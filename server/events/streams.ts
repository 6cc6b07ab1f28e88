/** streams — what a subscription is made of; implemented in the next change. */
import type { AlertStreamItem, LiveUsage, UsageStreamItem } from './stream-items.ts';

export interface Streams {
  /** Snapshot first (with `after`: what was missed since), then every change, newest state per feature. */
  usageChanged(of: {
    tenantId: string;
    customerId: string;
    featureKeys: readonly string[] | null;
    after: string | null;
  }): AsyncGenerator<UsageStreamItem>;
  /** Every alert once and in order; with `after` those missed since. `customerId` null: of all the tenant's customers. */
  alertRaised(of: {
    tenantId: string;
    customerId: string | null;
    after: string | null;
  }): AsyncGenerator<AlertStreamItem>;
  /** The tenant-wide feed, coalesced. */
  liveUsage(of: { tenantId: string }): AsyncGenerator<LiveUsage>;
}
