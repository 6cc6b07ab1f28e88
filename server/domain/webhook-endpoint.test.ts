/** Goal: webhooks go to the internet and nowhere else. Method: a table of addresses, and one of URLs. */
import { expect, it } from 'vitest';
import { rangeOf } from './public-address.ts';
import { problemOfUrl } from './webhook-endpoint.ts';

it.each([
  ['8.8.8.8', null],
  ['93.184.215.14', null],
  ['2606:4700::1111', null],
  ['::ffff:8.8.8.8', null],
  ['64:ff9b::808:808', null], // an IPv4 address, for a network that has none
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['169.254.169.254', 'linkLocal'], // where clouds tell secrets
  ['100.64.0.1', 'carrierGradeNat'],
  ['100.127.255.255', 'carrierGradeNat'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.250', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['240.0.0.1', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['192.0.0.192', 'reserved'],
  ['::1', 'loopback'],
  ['::', 'unspecified'],
  ['fe80::1', 'linkLocal'],
  ['fe80::1%eth0', 'linkLocal'],
  ['fc00::1', 'uniqueLocal'],
  ['fd00:ec2::254', 'uniqueLocal'],
  ['ff02::1', 'multicast'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:a9fe:a9fe', 'linkLocal'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b::a9fe:a9fe', 'linkLocal'],
  ['64:ff9b:1::1', 'rfc6052'],
  ['2002:7f00:1::', '6to4'],
  ['2001::1', 'teredo'],
  ['2001:db8::1', 'reserved'],
  ['fec0::1', 'deprecatedSiteLocal'],
  ['4000::1', 'reserved'],
  ['::7f00:1', 'reserved'], // an old way to write 127.0.0.1
  ['localhost', 'invalid'],
  ['', 'invalid'],
])('%s is %s', (address, range) => expect(rangeOf(address)).toBe(range));

it.each([
  // url                              problem                          with METERGRAPH_WEBHOOKS_ALLOW_PRIVATE
  ['https://example.com/hook?a=b', null, null],
  ['https://example.com:8443', null, null],
  ['https://8.8.8.8/', null, null],
  ['mailto:ops@example.com', null, null],
  ['http://example.com', 'begins with "http:"', null],
  ['https://127.0.0.1/', 'loopback', null],
  ['https://localhost/', 'loopback', null],
  ['https://app.localhost/', 'loopback', null],
  ['https://0x7f.1/', 'loopback', null],
  ['https://2130706433/', 'loopback', null],
  ['https://[::1]/', 'loopback', null],
  ['https://[::ffff:169.254.169.254]/', 'linkLocal', null],
  ['https://10.1.2.3/', 'private', null],
  ['https://user:secret@example.com/', 'user name or password', 'user name or password'],
  ['ftp://example.com/', 'begins with "ftp:"', 'begins with "ftp:"'],
  ['file:///etc/passwd', 'begins with "file:"', 'begins with "file:"'],
  ['javascript:alert(1)', 'begins with "javascript:"', 'begins with "javascript:"'],
  ['example.com', 'is no URL', 'is no URL'],
  ['mailto:ops@example.com,eve@example.com', 'no address for mail', 'no address for mail'],
  ['mailto:ops@example.com?bcc=eve@example.com', 'no address for mail', 'no address for mail'],
  ['mailto:ops%0d%0a@example.com', 'no address for mail', 'no address for mail'],
  ['mailto:%', 'no address for mail', 'no address for mail'],
  [`https://example.com/${'a'.repeat(2_048)}`, 'at most 2048 fit', 'at most 2048 fit'],
] as const)('%s: %s', (url, problem, problemAtHome) => {
  const says = (found: string | null, expected: string | null) =>
    expected === null ? expect(found).toBeNull() : expect(found).toContain(expected);
  says(problemOfUrl(url, false), problem);
  says(problemOfUrl(url, true), problemAtHome);
});
