/** usage-stream — one customer's usage, merged from a snapshot and what changed since. */

import { wireRequest } from './link.ts';
import { calling, type LiveSource } from './live.ts';
import { UsageChanged } from './live-documents.ts';
import type { UsageFilter, UsageHandlers, UsageState } from './live-types.ts';
import type { DataOf } from './operation.ts';

type UsageChangedData = DataOf<typeof UsageChanged>;
/** What the gateway streams. */
export type UsageItem = UsageChangedData['usageChanged'];

/**
 * The state after one more item. A snapshot replaces everything, a delta one feature; after `CursorExpired` nothing is
 * known (null) until the snapshot that follows. Pure; the state handed in is left as it is.
 */
export function mergeUsage(state: UsageState | null, item: UsageItem): UsageState | null {
  switch (item.__typename) {
    case 'UsageSnapshot':
      return { usages: new Map(item.usages.map((usage) => [usage.feature.key, usage])), cursor: item.cursor };
    case 'UsageDelta':
      return { usages: new Map(state?.usages).set(item.usage.feature.key, item.usage), cursor: item.cursor };
    case 'CursorExpired':
      return null;
    default:
      return item satisfies never;
  }
}

export function usageSource({ referenceId, featureKeys }: UsageFilter, handlers: UsageHandlers) {
  let state: UsageState | null = null;
  const source: LiveSource<UsageChangedData> = {
    open: (link, sink) =>
      link.start(wireRequest(UsageChanged, { referenceId, featureKeys, after: state?.cursor }), sink),
    next: ({ usageChanged }) => {
      const merged = mergeUsage(state, usageChanged);
      state = merged;
      if (merged) calling(() => handlers.onChange(merged));
    },
  };
  return source;
}
