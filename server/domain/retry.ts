/**
 * retry — when a delivery that failed is tried again. Pure.
 *
 * 5 s, then four times as long each time, up to 8 h; each a fifth longer or shorter by chance, so that what failed
 * together does not come back together. The last try is 3 days after the first.
 */

export const RETRIED_FOR_MS = 3 * 24 * 3_600_000;

const FIRST_DELAY_MS = 5_000;
const FACTOR = 4;
const DELAY_MAX_MS = 8 * 3_600_000;
/** A fifth to either side. */
const JITTER = 0.2;

export type Tried = {
  /** With the one that failed. */
  readonly attempts: number;
  /** No try is later. */
  readonly retryUntilMs: number;
  /** What the receiver asked us to wait; null where it said nothing. */
  readonly retryAfterMs: number | null;
};

/**
 * @param random From 0 to below 1.
 * @returns null when it was the last.
 */
export function nextTryMs(
  { attempts, retryUntilMs, retryAfterMs }: Tried,
  nowMs: number,
  random: number,
): number | null {
  if (nowMs >= retryUntilMs) return null;
  const delayMs = Math.min(FIRST_DELAY_MS * FACTOR ** (attempts - 1), DELAY_MAX_MS);
  const jittered = Math.round(delayMs * (1 - JITTER + 2 * JITTER * random));
  return Math.min(nowMs + Math.max(jittered, retryAfterMs ?? 0), retryUntilMs);
}

/** As in `Thu, 01 Jan 1970 00:00:00 GMT`: other texts that could be read as dates are none here. */
const HTTP_DATE = /^[A-Z][a-z]+,? .*\d/;

/** What a `Retry-After` asks for: seconds, or a date of HTTP; null where it is neither. */
export function retryAfterMsOf(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const atMs = HTTP_DATE.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(atMs - nowMs, 0);
}

/** An endpoint that has heard nothing for so long is sent nothing more. */
export const GIVEN_UP_AFTER_MS = 5 * 24 * 3_600_000;

export const isGivenUp = (failingSinceMs: number, nowMs: number): boolean =>
  nowMs - failingSinceMs >= GIVEN_UP_AFTER_MS;
