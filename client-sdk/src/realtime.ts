/** realtime — live usage and alerts alone, without the part that sends queries and mutations: small, for pages. */
import { alertSource } from './alert-stream.ts';
import { systemClock } from './clock.ts';
import { createConnection } from './connection.ts';
import { credentialSource } from './credentials.ts';
import { wireRequest } from './link.ts';
import { calling, follow } from './live.ts';
import { LiveUsage } from './live-documents.ts';
import type {
  AlertFilter,
  AlertHandlers,
  LiveUsageHandlers,
  Unsubscribe,
  UsageFilter,
  UsageHandlers,
} from './live-types.ts';
import { linkOpener } from './opener.ts';
import type { RealtimeOptions, WebSocketClass } from './option-types.ts';
import { usageSource } from './usage-stream.ts';

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
  /** Ends every subscription (`closed`) and the connection. Later subscriptions are `closed` from the start. */
  close(): void;
}

/** Two pings and their answers fit into the 12 s in which a silently dead connection shall be noticed. */
const HEARTBEAT_MS = 5_500;
const LINGER_MS = 3_000;
/** Two and a half of the 12 s between a gateway's signs of life on an event stream. */
const SSE_IDLE_MS = 30_000;

/** Makes a live client. Connects with the first subscription, not before. */
export function createMetergraphRealtime(options: RealtimeOptions): MetergraphRealtime {
  const { url, clock = systemClock, random = Math.random } = options;
  const openLink = linkOpener({
    url,
    fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
    webSocketImpl: options.webSocketImpl === undefined ? platformWebSocket() : options.webSocketImpl,
    heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    idleMs: SSE_IDLE_MS,
  });
  const connection = createConnection({
    openLink,
    credentials: credentialSource(options, clock),
    clock,
    random,
    lingerMs: options.lingerMs ?? LINGER_MS,
  });

  return {
    onUsage: (filter, handlers) => follow(connection, usageSource(filter, handlers), handlers),
    onAlert: (filter, handlers) => follow(connection, alertSource(filter, handlers), handlers),
    onLiveUsage: (handlers) =>
      follow<{ liveUsage: Parameters<LiveUsageHandlers['onUsage']>[0] }>(
        connection,
        {
          open: (link, sink) => link.start(wireRequest(LiveUsage, {}), sink),
          next: ({ liveUsage }) => calling(() => handlers.onUsage(liveUsage)),
        },
        handlers,
      ),
    close: () => connection.close(),
  };
}

const platformWebSocket = (): WebSocketClass | null =>
  typeof globalThis.WebSocket === 'function' ? globalThis.WebSocket : null;

export { MetergraphError, type MetergraphErrorCode } from './errors.ts';
export type * from './types.ts';
