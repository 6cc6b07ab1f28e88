/** complaints — tells an operator what is wrong with a hook, each thing once a minute: it may be wrong with every call. */
import type { Logger } from 'pino';
import type { Clock } from '../domain/clock.ts';

const SILENCE_MS = 60_000;

/** What went wrong, by name: each has its own minute. */
export type Complain = (what: string, sentence: string, details?: Readonly<Record<string, unknown>>) => void;

type Told = { readonly atMs: number; since: number };

/** @returns what logs a sentence as a warning, with how often the same was left untold since the last time. */
export function createComplain(logger: Pick<Logger, 'warn'>, clock: Clock): Complain {
  const told = new Map<string, Told>();
  return (what, sentence, details = {}) => {
    const nowMs = clock.now();
    const last = told.get(what);
    if (last && nowMs >= last.atMs && nowMs - last.atMs < SILENCE_MS) {
      last.since += 1;
      return;
    }
    told.set(what, { atMs: nowMs, since: 0 });
    logger.warn({ ...details, ...(last && last.since > 0 && { untold: last.since }) }, sentence);
  };
}
