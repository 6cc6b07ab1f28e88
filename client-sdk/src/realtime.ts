/** realtime — live usage and alerts alone, without the part that sends queries and mutations: small, for pages. */
import type {
  AlertFilter,
  AlertHandlers,
  LiveUsageHandlers,
  RealtimeOptions,
  Unsubscribe,
  UsageFilter,
  UsageHandlers,
} from './types.ts';

/** Live subscriptions over one connection that comes back by itself. */
export interface MetergraphRealtime {
  /**
   * Follows one customer's usage: first the whole state, then each change, without a gap after a lost connection.
   *
   * @example const stop = realtime.onUsage({ featureKeys: ['api_calls'] }, { onChange: ({ usages }) => draw(usages) });
   */
  onUsage(filter: UsageFilter, handlers: UsageHandlers): Unsubscribe;
  /** Follows alerts: every one exactly once, also those raised while the connection was lost. */
  onAlert(filter: AlertFilter, handlers: AlertHandlers): Unsubscribe;
  /** Follows the whole tenant, coalesced: for pages that watch everything. */
  onLiveUsage(handlers: LiveUsageHandlers): Unsubscribe;
  /** Ends every subscription (`closed`) and the connection. Later subscriptions fail with `CLOSED`. */
  close(): void;
}

/** Makes a live client. Connects with the first subscription, not before. */
export declare function createMetergraphRealtime(options: RealtimeOptions): MetergraphRealtime;
