/** errors — the one error type of the SDK. A denial is not among them: it is data. */

/** Codes of the gateway's `UserError`s, and of the SDK itself. */
export type MetergraphErrorCode =
  // Answers of the gateway, one for each named error of the schema.
  | 'ALERT_NOT_FOUND'
  | 'ALREADY_SUBSCRIBED'
  | 'API_KEY_NOT_FOUND'
  | 'BILLING_DISABLED'
  | 'BILLING_UNAVAILABLE'
  | 'CREDIT_PACK_NOT_FOUND'
  | 'CUSTOMER_NOT_FOUND'
  | 'EVENT_ALREADY_REVERSED'
  | 'EVENT_NOT_FOUND'
  | 'FEATURE_NOT_FOUND'
  | 'GRANT_NOT_FOUND'
  | 'INVOICE_NOT_FOUND'
  | 'IDEMPOTENCY_CONFLICT'
  | 'INSUFFICIENT_BALANCE'
  | 'INVALID_AMOUNT'
  | 'INVALID_CURSOR'
  | 'INVALID_INPUT'
  | 'INVALID_TIMESTAMP'
  | 'PLAN_NOT_FOR_SALE'
  | 'PLAN_NOT_FOUND'
  | 'RESERVATION_CLOSED'
  | 'RESERVATION_EXPIRED'
  | 'RESERVATION_NOT_FOUND'
  | 'WALLET_NOT_FOUND'
  | 'WEBHOOK_ENDPOINT_NOT_FOUND'
  | 'WEBHOOK_DELIVERY_NOT_FOUND'
  /** The credential is unknown, expired or revoked, or `getToken()` failed. */
  | 'UNAUTHENTICATED'
  /** The credential is too small for this. */
  | 'FORBIDDEN'
  /** The gateway has too much to do, or is stopping; nothing was written. */
  | 'OVERLOADED'
  | 'SHUTTING_DOWN'
  /** The credential or connection has as many subscriptions open as it may. Those that are open go on; this one waits. */
  | 'TOO_MANY_SUBSCRIPTIONS'
  /** The gateway gave up waiting; whether a write was counted is unknown. Repeat it with the same idempotency key. */
  | 'DEADLINE_EXCEEDED'
  /** The gateway's database did not answer; whether a write was counted is unknown. Repeat it with the same key. */
  | 'UNAVAILABLE'
  /** The gateway could not be reached, or the connection broke. */
  | 'NETWORK'
  /** No answer within the deadline. A write may have been counted: send it again with the same idempotency key. */
  | 'TIMEOUT'
  /** The caller's signal aborted. */
  | 'ABORTED'
  /** The client was closed. */
  | 'CLOSED'
  /** The request as such was refused: malformed, too large, or not of this gateway's schema. */
  | 'BAD_REQUEST'
  /** What came back is not an answer this SDK understands. */
  | 'BAD_RESPONSE'
  /** The gateway failed. */
  | 'INTERNAL';

/** What is known of a failure. */
export interface MetergraphErrorDetails {
  readonly retryable?: boolean | undefined;
  readonly path?: readonly string[] | null | undefined;
  readonly cause?: unknown;
  /** Milliseconds the gateway asked to wait. */
  readonly retryAfterMs?: number | undefined;
}

/** Everything the SDK throws or reports. Decide by `code`; show `message` to people. */
export class MetergraphError extends Error {
  override readonly name = 'MetergraphError';
  /** Stable; never renamed. A gateway newer than this SDK may send codes that are not in the list. */
  readonly code: MetergraphErrorCode | (string & {});
  /** True when the same call may pass later. The SDK has then already tried as often as it may. */
  readonly retryable: boolean;
  /** Where in the input, e.g. `['input', 'amount']`; null when it is about the whole. */
  readonly path: readonly string[] | null;
  /** How long the gateway asked to wait, in milliseconds, where it did. */
  readonly retryAfterMs: number | undefined;

  constructor(code: MetergraphError['code'], message: string, details: MetergraphErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.path = details.path ?? null;
    this.retryAfterMs = details.retryAfterMs;
  }
}
