/**
 * Goal: a name that leads into our own network is never connected to, whatever it resolved to before. Method: names that
 * resolve as told, by turns, and a server on loopback that must not hear a thing.
 */
import { once } from 'node:events';
import { get } from 'node:http';
import { isIPv6, type LookupFunction } from 'node:net';
import { describe, expect, it } from 'vitest';
import { guardedLookup, type Resolve, resolveByDns } from '../../server/notices/guarded-lookup.ts';
import { createPost } from '../../server/notices/post.ts';
import { type Names, openNameServer } from './name-server.ts';
import { openReceiver } from './receiver.ts';

const MESSAGE = { headers: { 'content-type': 'text/plain' }, body: 'x' };
const never = new AbortController().signal;

/** Names resolve to each of these in turn. */
const resolving = (...turns: readonly (readonly string[])[]): Resolve => {
  let turn = 0;
  return async () => {
    const addresses = turns[Math.min(turn, turns.length - 1)] ?? [];
    turn += 1;
    return addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  };
};

/** What a socket is handed for a name. */
const looked = (lookup: LookupFunction, hostname = 'hooks.example'): Promise<unknown> =>
  new Promise((resolve) => {
    lookup(hostname, { all: true }, (error, addresses) => resolve(error?.message ?? addresses));
  });

describe('a name', () => {
  it.each([
    ['of loopback', ['127.0.0.1'], 'loopback'],
    ['of the cloud’s own', ['169.254.169.254'], 'linkLocal'],
    ['of IPv6 loopback', ['::1'], 'loopback'],
    ['of a mapped address', ['::ffff:10.0.0.1'], 'private'],
    ['of a public address and one that is not', ['93.184.215.14', '10.0.0.1'], 'private'],
  ])('%s is not sent to', async (_of, addresses, range) => {
    const post = createPost({ allowPrivate: false, resolve: resolving(addresses) });
    const attempt = await post('https://hooks.example/', MESSAGE, never, 0);
    expect(attempt).toMatchObject({ ok: false, status: null, error: expect.stringContaining(`not public (${range})`) });
    expect(attempt).toMatchObject({ error: expect.stringMatching(/^Not sent: hooks\.example resolves to /) });
  });

  it('is looked at again each time: public first, loopback then', async () => {
    const lookup = guardedLookup(resolving(['93.184.215.14'], ['127.0.0.1']));
    // What is handed to the socket is what was looked at: it asks no second time.
    expect(await looked(lookup)).toEqual([{ address: '93.184.215.14', family: 4 }]);
    expect(await looked(lookup)).toBe('hooks.example resolves to 127.0.0.1, which is not public (loopback)');
  });

  it('that leads to loopback is not connected to, even where somebody listens', async () => {
    const receiver = await openReceiver();
    const { port } = new URL(receiver.url);
    const url = `https://hooks.example:${port}/`;
    const post = createPost({ allowPrivate: false, resolve: resolving(['127.0.0.1']) });
    expect(await post(url, MESSAGE, never, 0)).toMatchObject({ ok: false, error: expect.stringMatching(/^Not sent/) });
    expect(receiver.connected()).toBe(0);
    // The same without the guard is heard of: that nobody connected was the guard's doing.
    const lookup: LookupFunction = (_hostname, _options, callback) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    const [answer] = await once(get({ host: 'hooks.example', port, lookup, agent: false }), 'response');
    answer.resume();
    expect(receiver.connected()).toBe(1);
  });

  it('without an address says so', async () => {
    const post = createPost({ allowPrivate: false, resolve: resolving([]) });
    expect(await post('https://hooks.example/', MESSAGE, never, 0)).toMatchObject({ error: 'The connection failed.' });
  });
});

describe('names, as their servers know them', () => {
  const open = (names: Names) => openNameServer({ 'hooks.example': ['93.184.215.14'], ...names });

  it.each<[string, readonly string[] | undefined, unknown]>([
    ['of IPv4', ['93.184.215.14'], [{ address: '93.184.215.14', family: 4 }]],
    ['of IPv6 alone', ['2606:4700::1111'], [{ address: '2606:4700::1111', family: 6 }]],
    [
      'of both',
      ['2606:4700::1111', '93.184.215.14', '93.184.215.15'],
      [
        { address: '93.184.215.14', family: 4 },
        { address: '93.184.215.15', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
    ],
    ['private by its IPv4', ['10.0.0.1', '2606:4700::1111'], expect.stringContaining('not public (private)')],
    ['private by its IPv6', ['93.184.215.14', 'fd00::1'], expect.stringContaining('not public (uniqueLocal)')],
    ['without an address', [], expect.stringContaining('ENODATA')],
    ['that does not exist', undefined, expect.stringContaining('ENOTFOUND')],
  ])('one %s', async (_of, addresses, expected) => {
    const server = await open(addresses ? { 'their.example': addresses } : {});
    expect(await looked(guardedLookup(resolveByDns([server.address])), 'their.example')).toEqual(expected);
  });

  it('that never answer keep no other waiting', async () => {
    const silent = Array.from({ length: 12 }, (_, i) => `silent${i}.example`);
    const server = await open(Object.fromEntries(silent.map((name) => [name, null])));
    const lookup = guardedLookup(resolveByDns([server.address]));
    let heard = 0;
    const waiting = silent.map((name) => looked(lookup, name).then(() => (heard += 1)));
    while (new Set(server.asked).size < silent.length) await new Promise(setImmediate);
    expect(await looked(lookup)).toEqual([{ address: '93.184.215.14', family: 4 }]);
    expect([waiting.length, heard]).toEqual([12, 0]);
  });
});

it.each([
  ['an address', 'https://127.0.0.1', 'Not sent: 127.0.0.1 is not public (loopback).'],
  ['an address of IPv6', 'https://[::ffff:127.0.0.1]', 'Not sent: [::ffff:7f00:1] is not public (loopback).'],
  ['plain http', 'http://hooks.example', 'Not sent: "http:" is not allowed, only "https:".'],
])('%s that was allowed once is not sent to any more', async (_what, url, error) => {
  const post = createPost({ allowPrivate: false, resolve: resolving(['93.184.215.14']) });
  expect(await post(url, MESSAGE, never, 0)).toMatchObject({ ok: false, error });
});

it('whoever hosts it may allow their own network', async () => {
  const receiver = await openReceiver();
  const post = createPost({ allowPrivate: true });
  expect(await post(receiver.url, MESSAGE, never, 0)).toEqual({ ok: true, status: 204 });
  expect(receiver.heard[0]).toMatchObject({
    body: 'x',
    headers: { 'user-agent': 'Metergraph', 'content-length': '1' },
  });
});
