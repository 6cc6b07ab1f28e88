/** bodies — what the requests say: a fresh idempotency key for every call, and a customer by a seeded generator. */
import { CONSUME, CONSUME_MANY, FEATURE_KEY, referenceOf } from '../catalog.ts';
import type { Job } from './job.ts';

export type NextBody = () => string;

type Wanted = Pick<Job, 'customers' | 'keyPrefix' | 'callsPerRequest'>;

/** All of it is ASCII, so a character is a byte. */
export function bodies({ customers, keyPrefix, callsPerRequest }: Wanted): NextBody {
  const query = JSON.stringify(callsPerRequest === 1 ? CONSUME : CONSUME_MANY);
  const references = Array.from({ length: customers }, (_, i) => referenceOf(i));
  const next = xorshift();
  let sent = 0;
  const call = () => {
    sent += 1;
    return `{"referenceId":"${references[next() % customers]}","featureKey":"${FEATURE_KEY}","idempotencyKey":"${keyPrefix}-${sent}"}`;
  };
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
