/**
 * guarded-lookup — resolves names for sockets, and refuses those that lead into a network of one's own.
 *
 * The socket connects to the very addresses that were looked at: a name that resolves to something else a moment later
 * (DNS rebinding) gains nothing by it.
 */
import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { rangeOf } from '../domain/public-address.ts';

export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';

  constructor(host: string, address: string, range: string) {
    super(`${host} resolves to ${address}, which is not public (${range})`);
  }
}

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

const DNS_TIMEOUT_MS = 2_000;
const DNS_TRIES = 2;

/**
 * Asks the name servers themselves. The system's own lookup takes a thread for each name, of which there are few: two names
 * whose servers never answer would keep every other waiting. What is public is in no hosts file.
 *
 * @param servers By default those of the system, as it names them at that moment.
 */
export const resolveByDns =
  (servers: readonly string[] | null = null): Resolve =>
  async (hostname) => {
    const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
    if (servers !== null) resolver.setServers(servers);
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const addresses = [...addressesOf(four, 4), ...addressesOf(six, 6)];
    if (addresses.length === 0 && four.status === 'rejected') throw four.reason;
    return addresses;
  };

const addressesOf = (found: PromiseSettledResult<readonly string[]>, family: 4 | 6): readonly LookupAddress[] =>
  found.status === 'fulfilled' ? found.value.map((address) => ({ address, family })) : [];

/** One address that is not public is enough to refuse the name: which one is taken, is not ours to say. */
export function guardedLookup(resolve: Resolve = resolveByDns()): LookupFunction {
  return (hostname, options, callback) => {
    publicAddresses(resolve, hostname).then(
      (addresses) => {
        if (options.all) callback(null, [...addresses]);
        else callback(null, addresses[0].address, addresses[0].family);
      },
      (error) => callback(error, ''),
    );
  };
}

/** @throws {PrivateAddressError} */
async function publicAddresses(
  resolve: Resolve,
  hostname: string,
): Promise<readonly [LookupAddress, ...LookupAddress[]]> {
  const [first, ...others] = await resolve(hostname);
  if (!first) throw new Error(`${hostname} has no address`);
  for (const { address } of [first, ...others]) {
    const range = rangeOf(address);
    if (range !== null) throw new PrivateAddressError(hostname, address, range);
  }
  return [first, ...others];
}
