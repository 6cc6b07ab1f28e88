/** time-range — what callers may ask for by `from` and `to`: instants that every calendar and the database know. */

const FIRST_MS = Date.UTC(1970, 0, 1);
const LAST_MS = Date.UTC(2200, 0, 1);

/** Which argument, and a sentence that says what was found and what is allowed. */
export type TimeRangeProblem = { readonly field: 'from' | 'to'; readonly sentence: string };

/** What is wrong with a half-open time, open-ended where an end is null; null when nothing is. */
export function problemOfTimeRange(fromMs: number | null, toMs: number | null): TimeRangeProblem | null {
  if (fromMs !== null && !isWithin(fromMs)) return { field: 'from', sentence: outside('from', fromMs) };
  if (toMs !== null && !isWithin(toMs)) return { field: 'to', sentence: outside('to', toMs) };
  if (fromMs === null || toMs === null || fromMs < toMs) return null;
  return { field: 'to', sentence: `\`to\` is ${iso(toMs)} and \`from\` is ${iso(fromMs)}; \`to\` must be later.` };
}

const isWithin = (atMs: number): boolean => FIRST_MS <= atMs && atMs <= LAST_MS;

const outside = (field: string, atMs: number): string =>
  `\`${field}\` is ${iso(atMs)}; from ${iso(FIRST_MS)} to ${iso(LAST_MS)} is allowed.`;

const iso = (atMs: number): string => new Date(atMs).toISOString();
