/** revision — tells one write of a row from every other. */
import { webcrypto } from 'node:crypto';

/**
 * A random number of 64 bits, in the range of a bigint column. A count would not do: a database that was restored, or a
 * standby that took over and lacks the last commits, counts to the same numbers with other contents.
 */
export function newRevision(): bigint {
  if (drawn.length === 0) drawn = [...webcrypto.getRandomValues(new BigInt64Array(DRAWN_AT_ONCE))];
  return drawn.pop() ?? newRevision();
}

/** To ask the system for as many at once takes hardly longer than to ask for one. */
const DRAWN_AT_ONCE = 256;
let drawn: bigint[] = [];
