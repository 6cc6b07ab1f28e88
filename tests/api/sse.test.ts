/** Goal: a subscription over HTTP is a stream like any other: live, bounded, and no longer than its credential lives. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ADMIN_KEY } from '../support/gateway.ts';
import { CONSUME, makeKey, makeToken, openRig, type Rig, revokeKey, use, WATCH } from './rig.ts';

type Item = { readonly event: string; readonly data: string };

type Stream = {
  readonly response: Response;
  /** The next event; null when the stream has ended. @throws when it was cut. */
  next(): Promise<Item | null>;
  /** The next comment, which is what a heartbeat is. */
  heartbeat(): Promise<void>;
  abort(): void;
};

async function openStream(
  rig: Rig,
  credential = ADMIN_KEY,
  init: RequestInit & { path?: string } = {},
): Promise<Stream> {
  const controller = new AbortController();
  const { path = '', ...rest } = init;
  const response = await fetch(`${rig.graphqlUrl}${path}`, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      authorization: `Bearer ${credential}`,
    },
    body: JSON.stringify({ query: WATCH, variables: { referenceId: 'acme' } }),
    signal: controller.signal,
    ...rest,
  });
  const blocks = blocksOf(response);
  const next = async (wanted: (block: string) => boolean): Promise<string | null> => {
    for (;;) {
      const { done, value } = await blocks.next();
      if (done) return null;
      if (wanted(value)) return value;
    }
  };
  return {
    response,
    next: async () => {
      const block = await next((text) => !text.startsWith(':'));
      if (block === null) return null;
      const [, event = '', data = ''] = /^event: (.*)\ndata: ?(.*)$/.exec(block) ?? [];
      return { event, data };
    },
    heartbeat: async () => {
      if ((await next((text) => text.startsWith(':'))) === null) throw new Error('the stream ended');
    },
    abort: () => controller.abort(),
  };
}

async function* blocksOf({ body }: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = '';
  if (!body) return;
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    yield* blocks;
  }
}

const open = (rig: Rig): number => rig.gateway.services.streams.openStreams;
const nobodyListens = (rig: Rig) => vi.waitUntil(() => open(rig) === 0, 8_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig();
});

describe('an event stream', () => {
  it('begins with the snapshot and tells every change', async () => {
    const stream = await openStream(rig);
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({
      data: { usageChanged: { __typename: 'UsageSnapshot' } },
    });
    await rig.data(CONSUME, use({ amount: '2.5' }));
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({
      data: { usageChanged: { __typename: 'UsageDelta', usage: { used: '2.5' } } },
    });
    stream.abort();
    await nobodyListens(rig);
  });

  it('goes through proxies as it is', async () => {
    const stream = await openStream(rig);
    const { headers, status } = stream.response;
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(headers.get('content-encoding')).toBeNull();
    stream.abort();
    await nobodyListens(rig);
  });

  it('may be asked for by GET', async () => {
    const path = `?${new URLSearchParams({ query: WATCH, variables: '{"referenceId":"acme"}' })}`;
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${ADMIN_KEY}` };
    const stream = await openStream(rig, ADMIN_KEY, { method: 'GET', body: null, headers, path });
    expect((await stream.next())?.data).toContain('UsageSnapshot');
    stream.abort();
    await nobodyListens(rig);
  });

  it('shows that it lives while nothing happens', async () => {
    const stream = await openStream(rig);
    await stream.next();
    await stream.heartbeat();
    await stream.heartbeat();
    stream.abort();
    await nobodyListens(rig);
  });

  it('resumes after a cursor, without what was heard', async () => {
    const { consume } = await rig.data<{ consume: { usage: { cursor: string } } }>(CONSUME, use());
    await rig.data(CONSUME, use());
    const body = JSON.stringify({ query: WATCH, variables: { referenceId: 'acme', after: consume.usage.cursor } });
    const stream = await openStream(rig, ADMIN_KEY, { body });
    expect((await stream.next())?.data).toContain('UsageDelta');
    stream.abort();
    await nobodyListens(rig);
  });

  it.each<[what: string, credential: string, variables: Record<string, unknown>, code: string]>([
    ['an unknown customer', ADMIN_KEY, { referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND'],
    ['a bad credential', 'nonsense', { referenceId: 'acme' }, 'UNAUTHENTICATED'],
    ['a cursor of nonsense', ADMIN_KEY, { referenceId: 'acme', after: 'nonsense' }, 'INVALID_CURSOR'],
  ])('of %s ends with its error', async (_, credential, variables, code) => {
    const stream = await openStream(rig, credential, { body: JSON.stringify({ query: WATCH, variables }) });
    expect((await stream.next())?.data).toContain(`"code":"${code}"`);
    expect(await stream.next()).toMatchObject({ event: 'complete' });
    expect(await stream.next()).toBeNull();
    await nobodyListens(rig);
  });
});

describe('an event stream ends with its credential', () => {
  it('a token that expires', async () => {
    const stream = await openStream(rig, await makeToken(rig, { ttlSeconds: 60 }));
    await stream.next();
    rig.clock.advance(60_000);
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({
      errors: [{ message: expect.stringContaining('Token expired'), extensions: { code: 'UNAUTHENTICATED' } }],
    });
    expect(await stream.next()).toMatchObject({ event: 'complete' });
    expect(await stream.next()).toBeNull();
    await nobodyListens(rig);
  });

  it('a key that is revoked, within 10 s; others go on', async () => {
    const { secret, keyId } = await makeKey(rig, ['read']);
    const [stream, other] = [await openStream(rig, secret), await openStream(rig)];
    await Promise.all([stream.next(), other.next()]);
    await revokeKey(rig, keyId);
    rig.clock.advance(10_000);
    expect((await stream.next())?.data).toContain('UNAUTHENTICATED');
    expect(await stream.next()).toMatchObject({ event: 'complete' });
    await rig.data(CONSUME, use());
    expect((await other.next())?.data).toContain('UsageDelta');
    other.abort();
    await nobodyListens(rig);
  });

  it('also when its reader has stalled', async () => {
    const stream = await openStream(rig, await makeToken(rig, { ttlSeconds: 60 }));
    await vi.waitUntil(() => open(rig) === 1);
    rig.clock.advance(60_000);
    await nobodyListens(rig);
    stream.abort();
  });
});

describe('event streams of one credential', () => {
  it('are as many as they may be; another has its own', async () => {
    const small = await openRig({ eventStreamLimits: { streamsPerCredentialMax: 2 } });
    const streams = [await openStream(small), await openStream(small)];
    await Promise.all(streams.map((stream) => stream.next()));
    const refused = await openStream(small);
    expect(refused.response.status).toBe(429);
    expect((await refused.next())?.data).toContain('"code":"TOO_MANY_SUBSCRIPTIONS"');
    expect(open(small)).toBe(2);
    const other = await openStream(small, await makeToken(small));
    expect((await other.next())?.data).toContain('UsageSnapshot');
    for (const stream of [...streams, other]) stream.abort();
    await nobodyListens(small);
    const again = await openStream(small);
    expect((await again.next())?.data).toContain('UsageSnapshot');
    again.abort();
  });
});
