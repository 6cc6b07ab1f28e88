/**
 * rate-limit — at most so many calls in a window of time, by several rules at once.
 *
 * A window is fixed: it opens with the first call, is as long as its rule says, and the next one opens with the first
 * call after it. So around the end of a window nearly twice the limit may pass within its length. Counted are allowed
 * calls only, and a call that one rule refuses counts for none.
 */

/** `limit` calls per `windowMs`. Both at least 1. */
export type RateLimit = { readonly limit: number; readonly windowMs: number };

/** A limit and whose calls it counts: the key of a feature, or '' for the customer's calls of all features together. */
export type RateRule = RateLimit & { readonly scope: string };

/** When a window opened and how many calls it let through. */
export type RateWindow = { readonly startMs: number; readonly calls: number };

/** The windows a customer is in, by `rateKey`. */
export type RateWindows = ReadonlyMap<string, RateWindow>;

export type RateVerdict =
  | { readonly passes: true; readonly windows: RateWindows }
  /** The rule that refuses longest. At `retryAtMs` the call passes, if no other came first. */
  | { readonly passes: false; readonly rule: RateRule; readonly retryAtMs: number };

/**
 * Names the window of a rule by what it counts and for how long: `api_calls 60000`. A changed limit holds for the window
 * that is open; a changed length opens a window of its own.
 */
export const rateKey = ({ scope, windowMs }: RateRule): string => `${scope} ${windowMs}`;

const windowMsOf = (key: string): number => Number(key.slice(key.lastIndexOf(' ') + 1));

/**
 * Whether one more call passes all rules now, and the windows after it: those of the rules with the call counted, and
 * of others those still open, so that there are never more than rules in force. Without a rule every call passes and the
 * windows stay the same map.
 */
export function admitAll(rules: readonly RateRule[], windows: RateWindows, atMs: number): RateVerdict {
  if (rules.length === 0) return { passes: true, windows };
  let refusal: Extract<RateVerdict, { passes: false }> | null = null;
  for (const rule of rules) {
    const open = openWindow(windows, rateKey(rule), atMs);
    if (!open || open.calls < rule.limit) continue;
    const retryAtMs = open.startMs + rule.windowMs;
    if (!refusal || retryAtMs > refusal.retryAtMs) refusal = { passes: false, rule, retryAtMs };
  }
  return refusal ?? { passes: true, windows: counted(rules, windows, atMs) };
}

function counted(rules: readonly RateRule[], windows: RateWindows, atMs: number): RateWindows {
  const next = new Map<string, RateWindow>();
  for (const [key, window] of windows) if (isOpen(key, window, atMs)) next.set(key, window);
  for (const rule of rules) {
    const key = rateKey(rule);
    const { startMs, calls } = openWindow(windows, key, atMs) ?? { startMs: atMs, calls: 0 };
    next.set(key, { startMs, calls: calls + 1 }); // once, also for two rules that share the window
  }
  return next;
}

function openWindow(windows: RateWindows, key: string, atMs: number): RateWindow | null {
  const window = windows.get(key);
  return window && isOpen(key, window, atMs) ? window : null;
}

const isOpen = (key: string, { startMs }: RateWindow, atMs: number): boolean => atMs < startMs + windowMsOf(key);
