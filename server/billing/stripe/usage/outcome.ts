/** outcome — what Stripe's answer says of a try. */
import Stripe from 'stripe';

/** What became of one try. */
export type Tried =
  | { readonly kind: 'delivered' }
  /** It has not arrived, and may be tried again. `whom`: whether the message is in the way, or everything of the account. */
  | Refused<'refused'>
  /** Nobody knows. */
  | Refused<'unknown'>
  /** It has not arrived, and never will. */
  | { readonly kind: 'dead'; readonly code: string; readonly sentence: string };

type Refused<K extends string> = {
  readonly kind: K;
  readonly whom: 'message' | 'account';
  readonly code: string;
  readonly sentence: string;
  /** As Stripe asks for; null where it doesn't say. */
  readonly retryAfterMs: number | null;
};

export const DELIVERED: Tried = { kind: 'delivered' };

/** So Stripe words it; there is no code for it. */
const DUPLICATE = /already exists with identifier/i;
const IN_FUTURE = /timestamp.*in the future/i;
const SENTENCE_LENGTH_MAX = 500;

/** @param error What the SDK threw. */
export function triedOf(error: unknown): Tried {
  const sentence = sentenceOf(error);
  if (!(error instanceof Stripe.errors.StripeError)) return unknown('unexpected', sentence);
  const { statusCode = 0, code, headers = {} } = error;
  const retryAfterMs = retryAfterOf(headers['retry-after']);
  if (statusCode === 0) return unknown('no_answer', sentence);
  if (statusCode >= 500) return { ...unknown('failed', sentence), retryAfterMs };
  if (statusCode === 429 || statusCode === 409) {
    const whom = code === 'lock_timeout' || statusCode === 409 ? 'message' : 'account';
    return { kind: 'refused', whom, code: code ?? 'rate_limited', sentence, retryAfterMs };
  }
  if (statusCode === 401 || statusCode === 403)
    return { kind: 'refused', whom: 'account', code: 'not_allowed', sentence, retryAfterMs };
  if (code === 'timestamp_in_future' || IN_FUTURE.test(error.message)) return aheadOf(sentence);
  if (statusCode === 400 && DUPLICATE.test(error.message)) return DELIVERED; // an earlier try has arrived
  return { kind: 'dead', code: code ?? (/no active meter/i.test(error.message) ? 'no_meter' : 'refused'), sentence };
}

/** By our clock it has happened, by Stripe's not yet: it will have, or somebody sets the clock. */
const aheadOf = (sentence: string): Tried => ({
  kind: 'refused',
  whom: 'message',
  code: 'clock_ahead',
  sentence,
  retryAfterMs: null,
});

const unknown = (code: string, sentence: string): Refused<'unknown'> => ({
  kind: 'unknown',
  whom: 'message',
  code,
  sentence,
  retryAfterMs: null,
});

const sentenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, SENTENCE_LENGTH_MAX);

function retryAfterOf(header: string | undefined): number | null {
  const seconds = Number(header);
  return header === undefined || !Number.isFinite(seconds) || seconds < 0 ? null : seconds * 1_000;
}
