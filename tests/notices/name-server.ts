/** name-server — a DNS server on loopback that knows a few names, and of some says nothing at all. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { afterUse } from '../support/after-use.ts';

/** By name: its addresses; null for one of which nothing is ever heard. Others do not exist. */
export type Names = Readonly<Record<string, readonly string[] | null>>;

/** @returns where it listens, as `host:port`. */
export async function openNameServer(names: Names): Promise<{ readonly address: string; readonly asked: string[] }> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, type, end } = questionOf(query);
    asked.push(name);
    const addresses = names[name];
    if (addresses !== null) socket.send(answerTo(query.subarray(0, end), type, addresses), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  afterUse(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked };
}

const HEADER_BYTES = 12;
const TYPES = { 1: 4, 28: 16 } as const; // A, AAAA: the bytes of their addresses

function questionOf(query: Buffer) {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** @param addresses Left out: there is no such name. */
function answerTo(question: Buffer, type: number, addresses: readonly string[] | undefined): Buffer {
  const records = (addresses ?? [])
    .map(bytesOf)
    .filter(({ length }) => TYPES[type as keyof typeof TYPES] === length)
    .map((bytes) => Buffer.concat([recordHead(type, bytes.length), bytes]));
  const head = Buffer.from(question);
  head.writeUInt16BE(addresses === undefined ? 0x8183 : 0x8180, 2); // an answer: NXDOMAIN, or none wrong
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...records]);
}

/** The name as in the question, class IN, for no time. */
function recordHead(type: number, length: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 + HEADER_BYTES, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(length, 10);
  return head;
}

/** Of IPv6, one with at most a single `::`. */
function bytesOf(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [left = [], right = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const groups = [...left, ...zeros, ...right].map((group) => group.padStart(4, '0'));
  return Buffer.from(groups.join(''), 'hex');
}
