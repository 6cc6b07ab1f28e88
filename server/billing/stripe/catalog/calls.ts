/**
 * calls — one request to Stripe, asked again where asking again is safe: with the same words and the same idempotency key.
 *
 * The SDK asks again by itself after a cut connection or a failure of the server; this also waits where Stripe says that
 * there were too many, and outlasts what takes longer.
 */
import Stripe from 'stripe';
import { StripeSyncError } from './sync-error.ts';

export type Wait = (ms: number) => Promise<void>;

const TRIES = 5;
const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 8_000;
/** Longer than Stripe ever asks for; whoever waits at a terminal should hear of more. */
const ASKED_MAX_MS = 60_000;

const { StripeError, StripeRateLimitError, StripeConnectionError, StripeAPIError } = Stripe.errors;

/** @throws what the last try threw. */
export async function patiently<T>(wait: Wait, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === TRIES || !mayPass(error)) throw error;
      await wait(delayOf(error, attempt));
    }
  }
}

/** Whether the same request may succeed later: too many, locked by another, or no answer. */
export const mayPass = (error: unknown): boolean =>
  error instanceof StripeRateLimitError ||
  error instanceof StripeConnectionError ||
  error instanceof StripeAPIError ||
  (error instanceof StripeError && error.statusCode === 409);

/** What Stripe asks for, or a random part of a time that doubles: those who were refused together come back apart. */
function delayOf(error: unknown, attempt: number): number {
  const asked = error instanceof StripeError ? Number(error.headers?.['retry-after']) : Number.NaN;
  if (asked > 0) return Math.min(asked * 1_000, ASKED_MAX_MS);
  return Math.random() * Math.min(BACKOFF_MS * 2 ** attempt, BACKOFF_MAX_MS);
}

/** Whether the request was understood and can't be done as things are: there is one already, or none. */
export const isRefusal = (
  error: unknown,
): error is Stripe.errors.StripeInvalidRequestError | Stripe.errors.StripeIdempotencyError =>
  error instanceof Stripe.errors.StripeInvalidRequestError || error instanceof Stripe.errors.StripeIdempotencyError;

/** @param doing As in `could not create the price "pro"`. */
export function syncErrorOf(error: unknown, doing: string): unknown {
  if (!(error instanceof StripeError)) return error;
  const said = withoutKeys(error.message);
  if (mayPass(error)) {
    return new StripeSyncError(
      'unreachable',
      `Stripe could not ${doing}: ${said} What was done before is kept; run it again, that does the rest.`,
    );
  }
  const code = error.code ? ` (${error.code})` : '';
  return new StripeSyncError('refused', `Stripe refused to ${doing}: ${said}${code}`);
}

/** Stripe shortens the keys it mentions; not all proxies do. */
const withoutKeys = (message: string): string => {
  const sentence = message.replace(/\b((?:sk|rk)_(?:test|live)_)[\w*]+/g, '$1…').trim();
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
};
