/** public-address — which addresses anybody on the internet could reach, and which are somebody's own network. Pure. */
import ipaddr from 'ipaddr.js';

/**
 * What keeps an address from being public, e.g. `loopback`, `private`, `linkLocal`; null for one that is, and `invalid`
 * for what is no address. An IPv4 address that is mapped into IPv6, or translated (NAT64), counts as what it is.
 */
export function rangeOf(text: string): string | null {
  const bare = text.split('%')[0] ?? ''; // the zone says through which interface, and only local ones have it
  if (!ipaddr.isValid(bare)) return 'invalid';
  const address = ipaddr.parse(bare);
  const range = address instanceof ipaddr.IPv6 ? rangeOfSix(address) : address.range();
  return range === 'unicast' ? null : range;
}

function rangeOfSix(address: ipaddr.IPv6): string {
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().range();
  if (address.match(TRANSLATED)) return new ipaddr.IPv4(address.toByteArray().slice(-4)).range();
  return address.match(GLOBAL) ? address.range() : notGlobal(address.range());
}

const notGlobal = (range: string): string => (range === 'unicast' ? 'reserved' : range);

/** All that is given out of IPv6 to reach each other by. */
const GLOBAL: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];
/** The well-known prefix, by which a network without IPv4 reaches it. */
const TRANSLATED: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96];
