/**
 * bodies — what the requests say: a fresh idempotency key for every call, and a customer by a seeded generator; where a job
 * wants replays, a share of the calls as they were sent lately.
 */
import { CONSUME, CONSUME_MANY, FEATURE_KEY, referenceOf, withReplayed } from '../catalog.ts';
import type { Job } from './job.ts';

export type NextBody = () => string;

type Wanted = Pick<Job, 'customers' | 'keyPrefix' | 'callsPerRequest' | 'replayShare'>;

/** Calls that may be sent again: those of a second or two, as of a queue that redelivers. */
const LATELY_MAX = 10_000;
/** The generator's numbers are below it. */
const NUMBERS = 2 ** 32;

/** All of it is ASCII, so a character is a byte. */
export function bodies({ customers, keyPrefix, callsPerRequest, replayShare }: Wanted): NextBody {
  const document = callsPerRequest === 1 ? CONSUME : CONSUME_MANY;
  const query = JSON.stringify(replayShare === 0 ? document : withReplayed(document));
  const references = Array.from({ length: customers }, (_, i) => referenceOf(i));
  const next = xorshift();
  const lately: string[] = [];
  let sent = 0;
  const newCall = () => {
    sent += 1;
    return `{"referenceId":"${references[next() % customers]}","featureKey":"${FEATURE_KEY}","idempotencyKey":"${keyPrefix}-${sent}"}`;
  };
  const callOrReplay = () => {
    if (lately.length > 0 && next() < replayShare * NUMBERS) return lately[next() % lately.length];
    const made = newCall();
    lately[(sent - 1) % LATELY_MAX] = made;
    return made;
  };
  const call = replayShare === 0 ? newCall : callOrReplay;
  const input = () =>
    callsPerRequest === 1 ? call() : `{"inputs":[${Array.from({ length: callsPerRequest }, call).join()}]}`;
  return () => `{"query":${query},"variables":{"input":${input()}}}`;
}

/** Whole numbers below 2³², the same ones in every job. */
export function xorshift(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
