/** retry — how often, how long, and what may be tried again. The only place that decides it for queries and mutations. */
import { MetergraphError } from './errors.ts';
import { networkFailure } from './failures.ts';
import type { Clock } from './option-types.ts';

/** Waits grow from `baseMs`, doubling, up to `capMs`; each is a random part of that ("full jitter"). Milliseconds. */
export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/** @param failures How many tries have failed before, from 0. */
export const fullJitterMs = ({ baseMs, capMs }: Backoff, failures: number, random: () => number): number =>
  random() * Math.min(capMs, baseMs * 2 ** failures);

/** The bounds of one call. */
export interface RetryPolicy {
  /** Tries, the first one counted. */
  readonly maxAttempts: number;
  /** Milliseconds for everything together. */
  readonly timeoutMs: number;
  /** Milliseconds for one try. */
  readonly attemptTimeoutMs: number;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ends the call at once; its reason, a MetergraphError, is what the call throws. */
  readonly signal: AbortSignal;
}

/**
 * Milliseconds to wait before the next try, or null when there shall be none: the failure is final, the tries are used
 * up, or the wait would outlast the deadline.
 */
export function waitBeforeRetry(
  error: MetergraphError,
  attempt: number,
  remainingMs: number,
  policy: Pick<RetryPolicy, 'maxAttempts' | 'backoff' | 'random'>,
): number | null {
  if (!error.retryable || attempt >= policy.maxAttempts) return null;
  const waitMs = Math.max(fullJitterMs(policy.backoff, attempt - 1, policy.random), error.retryAfterMs ?? 0);
  return waitMs < remainingMs ? waitMs : null;
}

/** Runs `task` until it succeeds or must not be tried again. Throws only MetergraphErrors. */
export async function retrying<T>(task: (signal: AbortSignal) => Promise<T>, policy: RetryPolicy): Promise<T> {
  const { clock, signal } = policy;
  const startedAt = clock.now();
  const remainingMs = () => policy.timeoutMs - (clock.now() - startedAt);
  for (let attempt = 1; ; attempt++) {
    try {
      return await bounded(task, Math.min(policy.attemptTimeoutMs, remainingMs()), policy);
    } catch (cause) {
      const error = cause instanceof MetergraphError ? cause : networkFailure(cause);
      const waitMs = waitBeforeRetry(error, attempt, remainingMs(), policy);
      if (waitMs === null) throw error;
      await clock.sleep(waitMs, signal);
      if (signal.aborted) throw signal.reason;
    }
  }
}

/** One try. It ends with the first of: an answer, its time, the caller's signal; a `fetch` that ignores signals too. */
async function bounded<T>(
  task: (signal: AbortSignal) => Promise<T>,
  limitMs: number,
  { clock, signal }: RetryPolicy,
): Promise<T> {
  if (signal.aborted) throw signal.reason;
  const attempt = new AbortController();
  const timer = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const interrupt = () => attempt.abort(signal.reason);
    signal.addEventListener('abort', interrupt);
    attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason));
    void clock.sleep(limitMs, timer.signal).then(() => {
      if (!timer.signal.aborted) attempt.abort(timedOut(limitMs));
    });
    task(attempt.signal)
      .then(resolve, reject)
      .finally(() => {
        timer.abort();
        signal.removeEventListener('abort', interrupt);
      });
  }).finally(() => timer.abort());
}

const timedOut = (limitMs: number) =>
  new MetergraphError('TIMEOUT', `no answer within ${Math.round(limitMs)} ms`, { retryable: true });
