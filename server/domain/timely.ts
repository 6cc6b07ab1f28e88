/** timely — how late use may be reported, and how far ahead a client's clock may be. */
import { invalidTimestamp } from './errors.ts';

const PAST_MAX_MS = 35 * 24 * 3_600_000;
const AHEAD_MAX_MS = 5 * 60_000;

/** @param atMs When the use happened, as its sender says. */
export const isTimely = (atMs: number, nowMs: number): boolean =>
  atMs >= nowMs - PAST_MAX_MS && atMs <= nowMs + AHEAD_MAX_MS;

/** @throws {MeterError} `INVALID_TIMESTAMP` */
export function refuseUntimely(atMs: number, nowMs: number): void {
  if (isTimely(atMs, nowMs)) return;
  const bound = atMs < nowMs ? nowMs - PAST_MAX_MS : nowMs + AHEAD_MAX_MS;
  const side = atMs < nowMs ? 'before' : 'after';
  throw invalidTimestamp(
    `\`timestamp\` is ${iso(atMs)}, ${side} ${iso(bound)}; use is recorded up to 35 days back and 5 minutes ahead of the server's clock.`,
  );
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
