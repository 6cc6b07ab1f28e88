/**
 * guarded-lookup — resolves names for sockets, and refuses those that lead into a network of one's own.
 *
 * The socket connects to the very addresses that were looked at: a name that resolves to something else a moment later
 * (DNS rebinding) gains nothing by it.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { rangeOf } from '../domain/public-address.ts';

export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';

  constructor(host: string, address: string, range: string) {
    super(`${host} resolves to ${address}, which is not public (${range})`);
  }
}

/** All addresses of a name. */
export type Resolve = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const resolveBySystem: Resolve = (hostname, callback) => systemLookup(hostname, { all: true }, callback);

/** One address that is not public is enough to refuse the name: which one is taken, is not ours to say. */
export function guardedLookup(resolve: Resolve = resolveBySystem): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) return callback(error ?? new Error(`${hostname} has no address`), '');
      for (const { address } of addresses) {
        const range = rangeOf(address);
        if (range !== null) return callback(new PrivateAddressError(hostname, address, range), '');
      }
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
}
