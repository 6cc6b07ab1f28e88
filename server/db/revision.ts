/** revision — tells one write of a row from every other. */
import { randomBytes } from 'node:crypto';

/**
 * A random number of 64 bits, in the range of a bigint column. A count would not do: a database that was restored, or a
 * standby that took over and lacks the last commits, counts to the same numbers with other contents.
 */
export const newRevision = (): bigint => randomBytes(8).readBigInt64LE();
