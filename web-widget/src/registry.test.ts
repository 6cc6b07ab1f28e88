// @vitest-environment jsdom
/** Goal: meters that mean the same connection share it, and only those. Method: tables, and a fetch that answers here. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { endpoint, fetchToken, lease, type Source, sourceKey } from './registry.ts';
import { HandRealtime } from './testing/hand-realtime.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('endpoint', () => {
  it.each([
    ['https://meter.example.com', 'https://meter.example.com/graphql'],
    ['https://meter.example.com/', 'https://meter.example.com/graphql'],
    ['https://meter.example.com/graphql', 'https://meter.example.com/graphql'],
    ['https://example.com/metering/', 'https://example.com/metering/graphql'],
    ['/', 'http://localhost:3000/graphql'],
  ])('%s → %s', (url, says) => expect(endpoint(url)).toBe(says));
});

describe('sharing', () => {
  const a = (): string => 'token';
  const b = (): string => 'token';
  it.each<[string, Source, Source, boolean]>([
    ['one function', { url: '/', getToken: a }, { url: '/', getToken: a }, true],
    ['two functions', { url: '/', getToken: a }, { url: '/', getToken: b }, false],
    ['one token', { url: '/', token: 't' }, { url: '/', token: 't' }, true],
    ['two tokens', { url: '/', token: 't' }, { url: '/', token: 'u' }, false],
    ['two gateways', { url: '/a/', token: 't' }, { url: '/b/', token: 't' }, false],
    ['a token and a token URL', { url: '/', token: 't' }, { url: '/', tokenUrl: 't' }, false],
    ['a function before a token', { url: '/', getToken: a, token: 't' }, { url: '/', getToken: a, token: 'u' }, true],
  ])('%s', (_, one, other, shared) => expect(sourceKey(one) === sourceKey(other)).toBe(shared));

  it('one feed per client and customer; a client that was handed in is never closed', () => {
    const client = new HandRealtime();
    const leases = [lease({ client }, 'acme'), lease({ client }, 'acme'), lease({ client }, 'globex')];
    expect(leases[0]?.feed).toBe(leases[1]?.feed);
    expect(leases[0]?.feed).not.toBe(leases[2]?.feed);
    for (const held of leases) held.release();
    expect(client.isClosed).toBe(false);
  });

  it('a feed is forgotten a moment after its last user has gone, however long its client lives', () => {
    vi.useFakeTimers();
    const client = new HandRealtime();
    const [first, second] = [lease({ client }, 'acme'), lease({ client }, 'acme')];
    first.release();
    vi.advanceTimersByTime(3_000);
    const back = lease({ client }, 'acme');
    expect(back.feed).toBe(first.feed); // the second has kept it
    second.release();
    back.release();
    back.release(); // counts once
    const again = lease({ client }, 'acme'); // as after a page change
    vi.advanceTimersByTime(3_000);
    expect(again.feed).toBe(first.feed);
    again.release();
    vi.advanceTimersByTime(3_000);
    expect(lease({ client }, 'acme').feed).not.toBe(first.feed);
  });
});

describe('a token from a URL', () => {
  const answer = (body: string, status = 200) => vi.stubGlobal('fetch', async () => new Response(body, { status }));

  it.each([
    ['text', ' abc.def.ghi\n'],
    ['JSON', '{ "token": "abc.def.ghi", "expiresAt": "2026-12-01T00:00:00Z" }'],
  ])('may be %s', async (_, body) => {
    answer(body);
    await expect(fetchToken('/token')).resolves.toBe('abc.def.ghi');
  });

  it('fails with a sentence', async () => {
    answer('{"error":"who are you?"}');
    await expect(fetchToken('/token')).rejects.toThrow('/token answered JSON without "token"');
    answer('', 401);
    await expect(fetchToken('/token')).rejects.toThrow('/token answered 401');
  });

  it('is not waited for in vain: a request that hangs is ended', async () => {
    const limit = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(limit.signal);
    vi.stubGlobal('fetch', (_url: string, { signal }: RequestInit) => {
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    });
    const answer = fetchToken('/token');
    limit.abort(new Error('too late'));
    await expect(answer).rejects.toThrow('too late');
    expect(timeout).toHaveBeenCalledWith(8_000);
  });
});
