/** attempt — what comes of one try to tell an endpoint of something. */

export type Attempt = { readonly ok: true; readonly status: number | null } | FailedAttempt;

export type FailedAttempt = {
  readonly ok: false;
  /** Of the answer; null where there was none. */
  readonly status: number | null;
  /** A sentence for the log of deliveries. */
  readonly error: string;
  /** What the receiver asked us to wait. */
  readonly retryAfterMs: number | null;
  /** It says that it will never hear again. */
  readonly isGone: boolean;
};

export const failed = (error: string, status: number | null = null): FailedAttempt => ({
  ok: false,
  status,
  error,
  retryAfterMs: null,
  isGone: false,
});
