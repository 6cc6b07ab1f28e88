/** refusal — Stripe's error envelope, by what went wrong. */

export type RefusalBody = {
  readonly type:
    | 'api_error'
    | 'card_error'
    | 'idempotency_error'
    | 'invalid_request_error'
    | 'temporary_session_expired';
  readonly message: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly advice_code?: string;
  readonly param?: string;
  readonly payment_intent?: unknown;
  readonly payment_method?: unknown;
};

/** An answer that is an error. What has changed before it is thrown stays, as at Stripe. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly body: RefusalBody;
  readonly headers: Record<string, string>;

  constructor(status: number, body: RefusalBody, headers: Record<string, string> = {}) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

const DO_NOT_RETRY = { 'stripe-should-retry': 'false' };
const RETRY = { 'stripe-should-retry': 'true' };

export const invalid = (message: string, more: { param?: string; code?: string } = {}): Refusal =>
  new Refusal(400, { type: 'invalid_request_error', message, ...more }, DO_NOT_RETRY);

/** 404 where the id is in the path, 400 where it is a parameter. */
export const missing = (kind: string, id: string, param?: string): Refusal =>
  new Refusal(
    param && param !== 'id' ? 400 : 404,
    {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message: `No such ${kind}: '${id}'`,
      param: param ?? 'id',
    },
    DO_NOT_RETRY,
  );

export const unauthorized = (message: string): Refusal => new Refusal(401, { type: 'invalid_request_error', message });

export const sessionExpired = (): Refusal =>
  new Refusal(401, {
    type: 'temporary_session_expired',
    code: 'billing_meter_event_session_expired',
    message: 'The temporary session token has expired.',
  });

export const keyReused = (key: string): Refusal =>
  new Refusal(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Key: '${key}'`,
  });

export const keyInUse = (key: string): Refusal =>
  new Refusal(
    409,
    {
      type: 'idempotency_error',
      code: 'idempotency_key_in_use',
      message: `Another request with the key '${key}' is still in progress.`,
    },
    RETRY,
  );

/** @param retryAfterSeconds Only some of Stripe's limiters say so. */
export const rateLimited = (retryAfterSeconds?: number): Refusal =>
  new Refusal(
    429,
    { type: 'invalid_request_error', code: 'rate_limit', message: 'Too many requests: slow down.' },
    {
      'stripe-rate-limited-reason': 'global-rate',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` }),
    },
  );

/** @param status Stripe has answered both. */
export const lockTimeout = (status: 409 | 429 = 429): Refusal =>
  new Refusal(
    status,
    { type: 'invalid_request_error', code: 'lock_timeout', message: 'Another request is using this object right now.' },
    RETRY,
  );

export const serverFailure = (): Refusal =>
  new Refusal(500, { type: 'api_error', message: 'Something went wrong on our side.' });
