/**
 * Goal: a name that leads into our own network is never connected to, whatever it resolved to before. Method: names that
 * resolve as told, by turns, and a server on loopback that must not hear a thing.
 */
import { describe, expect, it } from 'vitest';
import type { Resolve } from '../../server/notices/guarded-lookup.ts';
import { guardedLookup } from '../../server/notices/guarded-lookup.ts';
import { createPost } from '../../server/notices/post.ts';
import { openReceiver } from './receiver.ts';

const MESSAGE = { headers: { 'content-type': 'text/plain' }, body: 'x' };
const never = new AbortController().signal;

/** Names resolve to each of these in turn. */
const resolving = (...turns: readonly (readonly string[])[]): Resolve => {
  let turn = 0;
  return (_hostname, callback) => {
    const addresses = turns[Math.min(turn, turns.length - 1)] ?? [];
    turn += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
};

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
    const receiver = await openReceiver();
    const lookup = guardedLookup(resolving(['93.184.215.14'], ['127.0.0.1']));
    const addressesOf = () =>
      new Promise((resolve) => {
        lookup('hooks.example', { all: true }, (error, addresses) => resolve(error?.message ?? addresses));
      });
    // What is handed to the socket is what was looked at: it asks no second time.
    expect(await addressesOf()).toEqual([{ address: '93.184.215.14', family: 4 }]);
    expect(await addressesOf()).toBe('hooks.example resolves to 127.0.0.1, which is not public (loopback)');
    expect(receiver.heard).toEqual([]);
  });

  it('without an address says so', async () => {
    const post = createPost({ allowPrivate: false, resolve: resolving([]) });
    expect(await post('https://hooks.example/', MESSAGE, never, 0)).toMatchObject({ error: 'The connection failed.' });
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
