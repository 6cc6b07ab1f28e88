import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvents } from './sse.ts';

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
