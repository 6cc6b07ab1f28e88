import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MetergraphError } from './errors.ts';
import type { Sink } from './link.ts';
import { openSse, readEvents } from './sse.ts';

const encoder = new TextEncoder();

async function events(chunks: readonly Uint8Array<ArrayBuffer>[]): Promise<string[]> {
  const stream = (async function* () {
    yield* chunks;
  })();
  const told: string[] = [];
  for await (const { event, data } of readEvents(stream)) told.push(`${event}|${data}`);
  return told;
}

/** Goal: the event stream format, as servers and proxies send it. Method: a table; and every way to cut it. */
describe('readEvents', () => {
  it.each([
    ['event: next\ndata: {"a":1}\n\n', ['next|{"a":1}']],
    [':\n\nevent: next\ndata: 1\n\n:\n\n', ['next|1']], // comments keep the line open
    ['event:next\r\ndata:1\r\n\r\n', ['next|1']],
    ['event: next\rdata: 1\r\rdata: 2\r\r.', ['next|1', 'message|2']],
    ['data: 1\ndata: 2\n\n', ['message|1\n2']],
    ['event: complete\ndata:\n\n', ['complete|']],
    ['event: complete\n\n', ['complete|']],
    ['id: 7\nretry: 10\ndata: a: b\n\n', ['message|a: b']],
    ['data: half', []], // cut off: not an event
  ])('%j', async (text, expected) => expect(await events([encoder.encode(text)])).toEqual(expected));

  it('reads the same however the bytes are cut', async () => {
    const bytes = encoder.encode(
      'event: next\r\ndata: {"name":"Zoë 😀"}\r\n\r\n:\r\n\r\nevent: complete\r\ndata:\r\n\r\n',
    );
    const whole = await events([bytes]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.slice(at[index], end));
        expect(await events(chunks)).toEqual(whole);
      }),
    );
  });
});

/** Goal: a refusal is told to whom it concerns: the operation, or the whole link. Method: answers as servers give them. */
describe('openSse', () => {
  const errors = (code: string) => JSON.stringify({ errors: [{ message: 'no', extensions: { code } }] });
  const event = (data: string) => `event: next\ndata: ${data}\n\nevent: complete\ndata:\n\n`;
  const [stream, json, page] = ['text/event-stream', 'application/json', 'text/html'];

  /** Opens one operation; resolves with the first thing that is told. */
  const told = (answer: () => Promise<Response>, idleMs = 1_000) =>
    new Promise<string>((resolve) => {
      const link = openSse({ url: 'http://test/', fetch: answer, idleMs }, 'token');
      const sink: Sink = {
        started: () => {},
        next: ({ errors }) => resolve(errors ? 'next with errors' : 'next'),
        failed: ({ code }) => resolve(`failed ${code}`),
        completed: () => resolve('completed'),
      };
      link.start({ query: '', variables: {} }, sink);
      void link.lost.then(({ code }) => resolve(`lost ${code}`));
    });

  it.each([
    [200, stream, event('{"data":{}}'), 'next'],
    [200, stream, event(errors('FORBIDDEN')), 'next with errors'],
    [200, stream, 'event: complete\ndata:\n\n', 'completed'],
    [200, stream, ':\n\n', 'lost NETWORK'], // ended early
    [200, stream, event('7'), 'failed BAD_RESPONSE'],
    [200, page, '<html>', 'failed BAD_RESPONSE'],
    [200, json, errors('CUSTOMER_NOT_FOUND'), 'failed CUSTOMER_NOT_FOUND'],
    [400, json, errors('GRAPHQL_VALIDATION_FAILED'), 'failed BAD_REQUEST'],
    [500, stream, event(errors('CUSTOMER_NOT_FOUND')), 'failed CUSTOMER_NOT_FOUND'],
    [401, stream, event(errors('UNAUTHENTICATED')), 'lost UNAUTHENTICATED'],
    [401, page, '<html>', 'lost UNAUTHENTICATED'],
    [403, page, '<html>', 'failed FORBIDDEN'],
    [503, page, '<html>', 'lost NETWORK'],
    [429, json, errors('OVERLOADED'), 'lost OVERLOADED'],
    [429, stream, event(errors('TOO_MANY_SUBSCRIPTIONS')), 'failed TOO_MANY_SUBSCRIPTIONS'], // the others go on
  ])('%s %s %s → %s', async (status, type, body, expected) => {
    const answer = async () => new Response(body, { status, headers: { 'content-type': type } });
    expect(await told(answer)).toBe(expected);
  });

  it('is lost when it cannot connect', async () => {
    expect(await told(() => Promise.reject(new TypeError('fetch failed')))).toBe('lost NETWORK');
  });

  it('is lost when nothing is heard for too long', async () => {
    const silent = async () => new Response(new ReadableStream(), { headers: { 'content-type': stream } });
    expect(await told(silent, 20)).toBe('lost NETWORK');
  });

  it('says why it was closed', async () => {
    const link = openSse({ url: 'http://test/', fetch: () => new Promise(() => {}), idleMs: 1_000 }, 'token');
    link.close(new MetergraphError('CLOSED', 'enough'));
    await expect(link.lost).resolves.toMatchObject({ code: 'CLOSED' });
  });
});
