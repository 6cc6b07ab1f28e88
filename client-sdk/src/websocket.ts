/** websocket — a link over graphql-transport-ws, by the client of graphql-ws with its own retrying switched off. */
import { createClient } from 'graphql-ws/client';
import { MetergraphError } from './errors.ts';
import { graphQLFailure, networkFailure } from './failures.ts';
import { deferred, type Link, type Sink, type WireRequest } from './link.ts';
import type { WebSocketClass, WebSocketLike } from './option-types.ts';

export interface WebSocketSettings {
  /** `ws:` or `wss:`. */
  readonly url: string;
  readonly webSocketImpl: WebSocketClass;
  /** Milliseconds between pings, and again for the answer. */
  readonly heartbeatMs: number;
}

/** The credential was refused, or has run out. */
const REFUSED: ReadonlySet<number> = new Set([4401, 4403]);
/** We and the gateway do not understand each other; the same again would end the same. */
const FINAL: ReadonlySet<number> = new Set([4004, 4005, 4400, 4406, 4409, 4429]);

/** Resolves when the gateway has accepted the credential. */
export function openWebSocket(settings: WebSocketSettings, token: string, signal: AbortSignal): Promise<Link> {
  const { url, heartbeatMs } = settings;
  return new Promise((resolve, reject) => {
    const { promise: lost, resolve: lose } = deferred<MetergraphError>();
    let over = false;
    let pongTimer: ReturnType<typeof setTimeout> | undefined;

    const end = (why: MetergraphError) => {
      if (over) return;
      over = true;
      clearTimeout(pongTimer);
      signal.removeEventListener('abort', giveUp);
      lose(why);
      reject(why);
      // Waits for a connection that may never be made, and says so by rejecting.
      Promise.resolve(client.dispose()).catch(() => {});
    };
    const client = createClient({
      url,
      webSocketImpl: surviving(settings.webSocketImpl, (error) => end(networkFailure(error))),
      connectionParams: { authorization: `Bearer ${token}` },
      lazy: false,
      retryAttempts: 0,
      onNonLazyError: () => {}, // heard by `closed` and `error` below
      keepAlive: heartbeatMs,
      on: {
        connected: () => {
          signal.removeEventListener('abort', giveUp);
          resolve({ lost, start, close: end });
        },
        closed: (event) => end(lossOf(event)),
        error: (error) => end(networkFailure(error)),
        ping: (received) => {
          if (received) return;
          clearTimeout(pongTimer);
          // A dead peer never completes the closing handshake: terminate, don't wait for it.
          pongTimer = setTimeout(() => client.terminate(), heartbeatMs);
        },
        pong: (received) => {
          if (received) clearTimeout(pongTimer);
        },
      },
    });
    const giveUp = () => client.terminate();
    signal.addEventListener('abort', giveUp);

    function start(request: WireRequest, sink: Sink): () => void {
      let stopped = false;
      const stop = client.subscribe(
        { query: request.query, variables: { ...request.variables } },
        {
          next: (result) => {
            if (!stopped && !over) sink.next(result); // a socket that closes may still deliver
          },
          error: (errors) => {
            if (!stopped && Array.isArray(errors)) sink.failed(graphQLFailure(errors)); // else the socket is lost
          },
          complete: () => {
            if (!stopped && !over) sink.completed();
          },
        },
      );
      sink.started();
      return () => {
        stopped = true;
        stop();
      };
    }
  });
}

/**
 * The same class, with two ways to fail made harmless that graphql-ws leaves open. The package `ws` throws what nobody
 * listens for, and graphql-ws stops listening when it terminates a socket. And a constructor may throw (`ws:` on a page
 * of `https:`), which would become an unhandled rejection: `failed` is told instead, and a socket returned that is none.
 */
const surviving = (implementation: WebSocketClass, failed: (error: unknown) => void): WebSocketClass =>
  new Proxy(implementation, {
    construct(target, [url, protocols]) {
      try {
        const socket = new target(url, protocols);
        socket.addEventListener('error', () => {});
        return socket;
      } catch (error) {
        queueMicrotask(() => failed(error));
        return { addEventListener: () => {}, close: () => {} } satisfies WebSocketLike;
      }
    },
  });

function lossOf(event: unknown): MetergraphError {
  const { code, reason } = isClose(event) ? event : { code: 1006, reason: '' };
  const message = `the connection was closed (${code}${reason && `: ${reason}`})`;
  if (REFUSED.has(code)) return new MetergraphError('UNAUTHENTICATED', message);
  if (FINAL.has(code)) return new MetergraphError('BAD_RESPONSE', message);
  return new MetergraphError('NETWORK', message, { retryable: true });
}

const isClose = (event: unknown): event is { readonly code: number; readonly reason: string } =>
  typeof event === 'object' && event !== null && 'code' in event && 'reason' in event;
