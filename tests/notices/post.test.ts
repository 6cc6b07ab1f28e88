/**
 * Goal: whatever a server does with a connection, the try ends, and the connection with it. Method: a server that speaks raw
 * TCP and keeps to no rule; each try must settle, the server must see the end, and nothing may be left on the signal.
 */
import { getEventListeners } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createPost } from '../../server/notices/post.ts';
import { afterUse } from '../support/after-use.ts';

const MESSAGE = { headers: { 'content-type': 'text/plain' }, body: 'x' };

/** @param speak Told of each connection, once the message begins to come. */
async function openRaw(speak: (socket: Socket) => void) {
  const open = new Set<Socket>();
  let ended = () => {};
  const gone = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => speak(socket)).resume();
    socket.once('close', () => {
      open.delete(socket);
      ended();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterUse(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, gone };
}

/** A piece now and again, without an end. */
const drips = (socket: Socket, piece: string, first = '') => {
  socket.write(first);
  const timer = setInterval(() => socket.write(piece), 20);
  socket.once('close', () => clearInterval(timer));
};

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: anything\r\n\r\n';
const LATE = { ok: false, status: null, error: 'No answer within 0.2 s.' };

type Speaks = (socket: Socket) => unknown;

describe('a try ends at a server that', () => {
  it.each<[string, Speaks, unknown]>([
    ['says nothing', () => {}, LATE],
    ['never ends its headers', (socket) => drips(socket, 'a: b\r\n', 'HTTP/1.1 200 OK\r\n'), LATE],
    ['says for ever that it will answer', (socket) => drips(socket, 'HTTP/1.1 102 Processing\r\n\r\n'), LATE],
    ['answers, and says nothing more', (socket) => socket.write(HEAD), { ok: true, status: 200 }],
    ['answers drop by drop', (socket) => drips(socket, 'x', HEAD), { ok: true, status: 200 }],
    ['answers less than it said', (socket) => socket.end(HEAD), { ok: true, status: 200 }],
    ['wants to speak otherwise', (socket) => socket.write(SWITCH), { ok: false, status: 101, error: 'Answered 101.' }],
    ['wants to, and goes', (socket) => socket.end(SWITCH), { ok: false, status: 101, error: 'Answered 101.' }],
    ['hangs up', (socket) => socket.end(), { ok: false, error: 'The connection failed (ECONNRESET).' }],
    [
      'speaks no HTTP',
      (socket) => socket.write('hello\r\n\r\n'),
      { ok: false, error: expect.stringContaining('HPE_') },
    ],
  ])('%s', async (_what, speak, expected) => {
    const { url, gone } = await openRaw(speak);
    const stopping = new AbortController();
    const post = createPost({ allowPrivate: true, timeoutMs: 200 });
    expect(await post(url, MESSAGE, stopping.signal, 0)).toMatchObject(expected as object);
    await gone;
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });

  it('takes its time for the rest of an answer, and not before', async () => {
    let hungUp = false;
    const { url } = await openRaw((socket) => {
      socket.write(HEAD);
      let drops = 0;
      const timer = setInterval(() => {
        socket.write('x');
        drops += 1;
        hungUp = drops === 5;
        if (hungUp) socket.destroy();
      }, 10);
      socket.once('close', () => clearInterval(timer));
    });
    const attempt = await createPost({ allowPrivate: true })(url, MESSAGE, new AbortController().signal, 0);
    expect([attempt, hungUp]).toMatchObject([{ ok: true, status: 200 }, true]);
  });

  it('says nothing, when we stop', async () => {
    const stopping = new AbortController();
    const { url, gone } = await openRaw(() => stopping.abort());
    const attempt = await createPost({ allowPrivate: true })(url, MESSAGE, stopping.signal, 0);
    expect(attempt).toMatchObject({ ok: false, error: 'The gateway stopped.' });
    await gone;
  });

  it('listens, when we have stopped already', async () => {
    const { url } = await openRaw(() => {});
    const attempt = await createPost({ allowPrivate: true })(url, MESSAGE, AbortSignal.abort(), 0);
    expect(attempt).toMatchObject({ ok: false, error: 'The gateway stopped.' });
  });
});
