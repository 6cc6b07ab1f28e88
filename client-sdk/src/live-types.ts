/** live-types — what is followed as it happens, and who is told. */
import type { MetergraphError } from './errors.ts';
import type { Alert, Usage } from './usage-types.ts';
import type { DateTime } from './value-types.ts';

/**
 * `connecting` at first, `live` while subscribed, `reconnecting` after a lost connection (what was shown last is stale
 * but true until then), `closed` when it has ended for good: by `close()`, or after an `onError` that says why.
 */
export type LiveStatus = 'connecting' | 'live' | 'reconnecting' | 'closed';

/** What every subscription tells beside its data. No handler is called after its `unsubscribe()`. */
export interface LiveHandlers {
  readonly onStatus?: ((status: LiveStatus) => void) | undefined;
  /** Told of each failure. With `retryable: true` it goes on by itself; otherwise `closed` follows. */
  readonly onError?: ((error: MetergraphError) => void) | undefined;
}

/** Whose usage to follow. With a customer token `referenceId` may be left out; all features when `featureKeys` is. */
export interface UsageFilter {
  readonly referenceId?: string | undefined;
  readonly featureKeys?: readonly string[] | undefined;
}

/** Everything known of one customer's usage. A new object for each change; safe to compare by identity. */
export interface UsageState {
  /** By feature key, in the order of the snapshot. */
  readonly usages: ReadonlyMap<string, Usage>;
  /** The stream's newest resume point. */
  readonly cursor: string;
}

/** Told of every change of usage. */
export interface UsageHandlers extends LiveHandlers {
  readonly onChange: (state: UsageState) => void;
}

/** Whose alerts to follow: of all customers when left out and the credential is an API key. */
export interface AlertFilter {
  readonly referenceId?: string | undefined;
  /** An `Alert.cursor`: everything raised after it comes first. Left out: from now on. */
  readonly after?: string | undefined;
}

/** Told of every alert exactly once, in order, also of those raised while the connection was lost. */
export interface AlertHandlers extends LiveHandlers {
  readonly onAlert: (alert: Alert) => void;
  /** The resume point was too old: alerts may be missing in between. Read them with the `alerts` query. */
  readonly onGap?: ((message: string) => void) | undefined;
}

/** The newest usages of the whole tenant since the last one, at most four a second. */
export interface LiveUsage {
  readonly usages: readonly Usage[];
  readonly at: DateTime;
}

/** Told of the tenant-wide feed. Needs an API key with the scope `read`. */
export interface LiveUsageHandlers extends LiveHandlers {
  readonly onUsage: (live: LiveUsage) => void;
}

/** Ends a subscription. No handler is called afterwards; calling it twice does nothing. */
export type Unsubscribe = () => void;
