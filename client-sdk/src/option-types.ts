/** option-types — how to reach the gateway: credentials, times, and what a platform may lack. */

/** For one call. */
export interface CallOptions {
  /** Gives up waiting: the promise rejects with code `ABORTED`. A write that was already sent may still be counted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for everything together, retries and waits too. Default: the client's. */
  readonly timeoutMs?: number | undefined;
}

/** Time, as the SDK needs it; replaced in tests. */
export interface Clock {
  /** Milliseconds, only ever compared with each other. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Who is asking: a server by API key, or a browser by a customer token that the app's server mints. */
export type Credentials =
  | { readonly apiKey: string; readonly getToken?: undefined }
  | {
      readonly apiKey?: undefined;
      /**
       * Called for each new connection and whenever the last token was refused. May fail; is called again then, and
       * also when it has not answered within 8 s.
       */
      readonly getToken: () => string | Promise<string>;
    };

/** How to reach the gateway for live updates. */
export type RealtimeOptions = Credentials & {
  /** The GraphQL endpoint, e.g. `https://meter.example.com/graphql`. In browsers it may be relative to the page. */
  readonly url: string;
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /**
   * A WebSocket class; default: the platform's. Node 20 has none: pass `ws`'s, or live updates come over SSE.
   * `null` asks for SSE.
   */
  readonly webSocketImpl?: WebSocketClass | null | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
  /** For tests: uniform in [0, 1). */
  readonly random?: (() => number) | undefined;
  /** Milliseconds the connection stays after the last subscription has ended. Default 3,000. */
  readonly lingerMs?: number | undefined;
  /** Milliseconds between two pings, and then again until a missing answer counts as a lost connection. Default 5,500. */
  readonly heartbeatMs?: number | undefined;
};

/** How to reach the gateway. */
export type ClientOptions = RealtimeOptions & {
  /** Milliseconds for one call, retries and waits together. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds for one try of a call. Default 10,000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Tries of one call, the first one counted. Default 4. */
  readonly maxAttempts?: number | undefined;
};

/** A class that makes WebSockets: the browser's, or the one of the package `ws`. */
export type WebSocketClass = new (url: string, protocols?: string | string[]) => WebSocketLike;

/** As much of a WebSocket as the types need to know. */
export interface WebSocketLike {
  addEventListener(type: 'error', listener: () => void): void;
  close(code?: number, reason?: string): void;
}
