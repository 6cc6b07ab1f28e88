/** said — what the processes of a fan-out run ask each other, and answer. */

export type GatewayQuestion =
  | { readonly ask: 'tokens'; readonly references: readonly string[] }
  /** Collects garbage first. */
  | { readonly ask: 'memory' }
  | { readonly ask: 'cpu' }
  /** What was committed since it was last asked. */
  | { readonly ask: 'commits' }
  /** The gateway's own counts, as `/metrics` has them. */
  | { readonly ask: 'metrics' };

export type Memory = { readonly rssBytes: number; readonly heapBytes: number; readonly outsideBytes: number };
/** `[customer and units used after it, when it was committed]`: which update it was, and by the machine's monotonic clock. */
export type Commit = readonly [update: string, atNs: number];

export type WatchersQuestion =
  | { readonly ask: 'open'; readonly url: string; readonly watchers: readonly Watcher[] }
  /** How many updates have come since it was last asked. */
  | { readonly ask: 'received' }
  /** How late they came, each from its commit on; those of no commit that is named are left out. */
  | { readonly ask: 'latencies'; readonly commits: readonly Commit[] }
  | { readonly ask: 'close' };

export type Watcher = {
  readonly bearer: string;
  readonly query: string;
  /** Whether something comes before anything has changed. */
  readonly hasSnapshot: boolean;
};

export type Latencies = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

export const updateOf = (referenceId: string, used: string): string => `${referenceId} ${used}`;

/** The same clock in every process of a machine. */
export const nowNs = (): number => Number(process.hrtime.bigint());
