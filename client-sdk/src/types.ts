/**
 * types — what goes in and comes out of the SDK, as `schema.graphql` says it, in plain shapes.
 *
 * Two conventions hold everywhere. Quantities and money are exact decimals and stay **strings** (`'12.5'`): put them
 * through a decimal library or `BigInt`, never through `Number`, when they are billed. Instants are ISO 8601 strings.
 */
import type { MetergraphError } from './errors.ts';

/** An exact decimal as text, e.g. `'1200'` or `'0.25'`: at most 38 digits, 9 of them after the point. */
export type Decimal = string;
/**
 * A decimal handed in. Strings and bigints are sent as they are. A number is accepted only while it is exact: a safe
 * integer, or a fraction of at most 15 significant digits; `0.1 + 0.2` is refused with `INVALID_AMOUNT`.
 */
export type DecimalInput = string | number | bigint;
/** An instant, ISO 8601 in UTC, e.g. `'2026-03-01T00:00:00.000Z'`. */
export type DateTime = string;
/** Anything JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Money in minor units (cents) of `currency` (ISO 4217, lower case). */
export interface Money {
  readonly amount: Decimal;
  readonly currency: string;
}

/** What units cost beyond what is included. */
export interface Price {
  readonly model: 'PER_UNIT' | 'PACKAGE' | 'PERCENTAGE' | 'GRADUATED' | 'VOLUME' | 'STAIRSTEP';
  /** In minor units (may be a fraction of a cent) of `currency`, per unit or per package; null in models without one. */
  readonly unitAmount: Decimal | null;
  readonly currency: string;
  /** Units in a package, of which one that is begun is paid in full; null in every other model. */
  readonly packageSize: Decimal | null;
}

/** Half-open `[start, end)`. `end` is null when the feature never resets. */
export interface Period {
  readonly start: DateTime;
  readonly end: DateTime | null;
}

/**
 * A line that raises one alert per period: a fraction of the limit used or remaining, units used or remaining, money spent
 * in minor units, or each of so many units.
 */
export interface Threshold {
  readonly kind: 'FRACTION' | 'USED' | 'REMAINING' | 'REMAINING_FRACTION' | 'SPEND' | 'EVERY';
  readonly value: Decimal;
  /** Whether it is watched on the way down, for use that is given back. */
  readonly falling: boolean;
}

/** What is metered. `key` is also the name of its events. */
export interface UsageFeature {
  readonly key: string;
  readonly displayName: string;
  /** e.g. `GB`; null when the feature simply counts. */
  readonly unit: string | null;
}

/** The state of one customer and feature in the running period: the number the gate itself uses. */
export interface Usage {
  readonly referenceId: string;
  readonly feature: UsageFeature;
  readonly planKey: string | null;
  /** `false`: neither plan nor own limits name the feature, so every call is denied. */
  readonly entitled: boolean;
  readonly used: Decimal;
  /** Held by open reservations, and not used yet. */
  readonly reserved: Decimal;
  /** null: unlimited. */
  readonly limit: Decimal | null;
  /** Neither used nor reserved. null: unlimited. Never below 0. */
  readonly remaining: Decimal | null;
  /** `HARD` refuses beyond the limit, `SOFT` goes on and bills where a price is set. */
  readonly enforcement: 'HARD' | 'SOFT';
  /** What the customer is entitled to and is not counted, e.g. `10` or `'eu'`; null where nothing is said. */
  readonly value: Json;
  readonly thresholds: readonly Threshold[];
  /** What units beyond what is included cost; null where the feature has no price. */
  readonly price: Price | null;
  readonly period: Period;
  /** Prepaid units left. */
  readonly credits: Decimal;
  readonly wallet: Money | null;
  /** Units beyond limit, credits and wallet in this period. */
  readonly overage: Decimal;
  readonly estimatedCost: Money | null;
  /** Resume point of this customer. Opaque. */
  readonly cursor: string;
}

/** A stored fact: this customer crossed this threshold of this feature in this period. */
export interface Alert {
  readonly id: string;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly threshold: Threshold;
  readonly used: Decimal;
  readonly limit: Decimal | null;
  readonly raisedAt: DateTime;
  readonly acknowledgedAt: DateTime | null;
  /** Resume point for `onAlert({ after })`. Opaque. */
  readonly cursor: string;
}

/** Why a call was refused, in order of precedence: the first that holds is the one reported. */
export type DenialReason =
  | 'NOT_AUTHORIZED'
  | 'RATE_LIMITED'
  | 'FEATURE_NOT_IN_PLAN'
  | 'LIMIT_REACHED'
  | 'SPEND_LIMIT_REACHED'
  | 'INSUFFICIENT_FUNDS'
  | 'BELOW_MINIMUM'
  | 'REFUSED_BY_HOOK';

/** A decision, not an error: the call was understood, and refused. Nothing was counted. */
export interface Denial {
  readonly reason: DenialReason;
  /** A sentence for people. */
  readonly message: string;
  /** When the same call may pass; null when waiting does not help. */
  readonly retryAt: DateTime | null;
}

/** What paid for the units of one call. */
export interface Split {
  readonly included: Decimal;
  readonly credits: Decimal;
  readonly wallet: Decimal;
  readonly overage: Decimal;
  readonly walletCharge: Money;
  readonly overageCost: Money;
}

/** Denied, and why. */
interface Refused {
  readonly allowed: false;
  readonly denial: Denial;
}

/** Allowed: go on. */
interface Permitted {
  readonly allowed: true;
  readonly denial: null;
}

/** What `consume` decided, or what `check` says it would decide. Test `allowed` before doing the work. */
export type Consumption = (Permitted | Refused) & {
  /** Units taken by this call; `'0'` when denied. */
  readonly amount: Decimal;
  readonly split: Split;
  /** The state after this call. */
  readonly usage: Usage;
  /** Alerts raised by this call. */
  readonly alerts: readonly Alert[];
  /** True when this idempotency key was answered before: this is the first answer again, and nothing was counted twice. */
  readonly replayed: boolean;
};

/** One item of `consumeMany`: its decision, or what was wrong with it. */
export type ConsumeOutcome =
  | { readonly ok: true; readonly consumption: Consumption }
  | { readonly ok: false; readonly error: MetergraphError };

/** One use. */
export interface ConsumeInput {
  /** The app's own id of the customer. */
  readonly referenceId: string;
  readonly featureKey: string;
  /** In the feature's unit, or the new level of a gauge, which alone may be 0; default 1. */
  readonly amount?: DecimalInput | undefined;
  /** In place of `amount`, for a feature that adds up time: ISO 8601, e.g. `'PT1M30S'`. */
  readonly duration?: string | undefined;
  /** Who under the customer uses it, e.g. a seat; it counts for both. */
  readonly entityId?: string | undefined;
  /** A plan's key, for this call only. */
  readonly overrideKey?: string | undefined;
  /** Made for you when left out, before the first try, and kept over retries. Give your own to survive a crash. */
  readonly idempotencyKey?: string | undefined;
  /** Stored with the event. */
  readonly properties?: Json | undefined;
  /** `REJECT` (default): all or nothing. `CLAMP`: take what fits. `OVERFLOW`: record all, for work that already happened. */
  readonly mode?: 'REJECT' | 'CLAMP' | 'OVERFLOW' | undefined;
}

/** A customer to make or to bring up to date: `referenceId` decides which. */
export interface RegisterCustomerInput {
  readonly referenceId: string;
  /** Free text: user (default), organization, team, session, ip … */
  readonly referenceType?: string | undefined;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly planKey?: string | undefined;
  /** IANA name; periods follow it. */
  readonly timeZone?: string | undefined;
  readonly metadata?: Json | undefined;
}

/** Who uses, without the metadata: a key that may register need not be one that may read. */
export interface Customer {
  readonly id: string;
  readonly referenceId: string;
  readonly referenceType: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly planKey: string | null;
  readonly timeZone: string;
  readonly createdAt: DateTime;
}

/** Whose usage may be seen with the token, and for how long. */
export interface CreateCustomerTokenInput {
  readonly referenceId: string;
  /** Only these features; all when left out. */
  readonly featureKeys?: readonly string[] | undefined;
  /** Seconds; at most and by default 900. */
  readonly ttlSeconds?: number | undefined;
}

/** A short-lived, read-only credential of one customer, for browsers. */
export interface CustomerToken {
  readonly token: string;
  readonly expiresAt: DateTime;
}

/** Which usage to read. With a customer token `referenceId` may be left out. */
export interface UsageInput {
  readonly referenceId?: string | undefined;
  readonly featureKey: string;
}

/** For one call. */
export interface CallOptions {
  /** Gives up waiting: the promise rejects with code `ABORTED`. A write that was already sent may still be counted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for everything together, retries and waits too. Default: the client's. */
  readonly timeoutMs?: number | undefined;
}

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
