/**
 * rate-limit — at most so many calls in a window of time.
 *
 * The window opens with the first call and is as long as the rule says; the call after the last one allowed hears when
 * the next window opens. Counted are allowed calls only.
 */

/** `limit` calls per `windowMs`. Both at least 1. */
export type RateLimit = { readonly limit: number; readonly windowMs: number };

/** The window a customer is in: when it opened and how many calls it let through. */
export type RateWindow = { readonly startMs: number; readonly calls: number };

export type RateVerdict =
  | { readonly passes: true; readonly window: RateWindow | null }
  | { readonly passes: false; readonly rule: RateLimit; readonly retryAtMs: number };

/** Whether one more call fits now, and the window after it. Without a rule every call passes. */
export function admit(rule: RateLimit | null, window: RateWindow | null, atMs: number): RateVerdict {
  if (rule === null) return { passes: true, window };
  if (window === null || atMs >= window.startMs + rule.windowMs) {
    return { passes: true, window: { startMs: atMs, calls: 1 } };
  }
  if (window.calls < rule.limit) return { passes: true, window: { ...window, calls: window.calls + 1 } };
  return { passes: false, rule, retryAtMs: window.startMs + rule.windowMs };
}
