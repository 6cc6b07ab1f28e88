/** opener — chooses the way to the gateway: WebSocket, or server-sent events where that cannot be had. */
import type { Link, OpenLink } from './link.ts';
import type { WebSocketClass } from './option-types.ts';
import { openSse, type SseSettings } from './sse.ts';
import { openWebSocket } from './websocket.ts';

/** Proxies that block WebSockets block them each time; three failures at the start are no accident. */
const PATIENCE = 3;

export interface OpenerSettings extends SseSettings {
  readonly webSocketImpl: WebSocketClass | null;
  readonly heartbeatMs: number;
}

/**
 * WebSocket first. After three failures before it has ever worked, SSE and WebSocket take turns until one of them works
 * (the gateway may just be down), and that one it stays.
 */
export function linkOpener(settings: OpenerSettings): OpenLink {
  const { webSocketImpl } = settings;
  if (!webSocketImpl) return async (token) => openSse(settings, token);
  let failures = 0;
  let proven = false;

  return async (token, signal) => {
    if (!proven && failures >= PATIENCE) {
      failures = PATIENCE - 1; // the next turn is WebSocket's, unless a stream proves that SSE works
      return provenBy(openSse(settings, token), () => {
        failures = Number.POSITIVE_INFINITY;
      });
    }
    try {
      const url = webSocketUrl(settings.url); // not before it is needed: a server that renders pages has no `location`
      const link = await openWebSocket({ ...settings, url, webSocketImpl }, token, signal);
      proven = true;
      return link;
    } catch (error) {
      if (!proven && !signal.aborted) failures++;
      throw error;
    }
  };
}

/** Tells of the first operation that the gateway has taken. */
const provenBy = (link: Link, tell: () => void): Link => ({
  ...link,
  start: (request, sink) =>
    link.start(request, {
      ...sink,
      started: () => {
        tell();
        sink.started();
      },
    }),
});

/** `https://…` → `wss://…`; what is relative is relative to the page. */
export function webSocketUrl(url: string): string {
  const base = typeof location === 'undefined' ? undefined : location.href;
  return new URL(url, base).href.replace(/^http/, 'ws');
}
