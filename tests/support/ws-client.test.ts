/** Goal: the raw socket client tells exactly what came, in order, and never hangs. Method: a server of three lines. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { openWs } from './ws-client.ts';

let server: WebSocketServer;
let url: string;
const accepted = async (): Promise<WebSocket> => (await once(server, 'connection'))[0];

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port, not a pipe
});
afterEach(() => server.close());

it('finds the message asked for and leaves the others, in order', async () => {
  const [there, client] = await Promise.all([accepted(), openWs(url)]);
  for (const type of ['a', 'b', 'ping', 'c']) there.send(JSON.stringify({ type }));
  expect(await client.waitForMessage('c')).toEqual({ type: 'c' });
  expect(client.pending()).toEqual([{ type: 'a' }, { type: 'b' }]);
  expect(await client.waitForMessage()).toEqual({ type: 'a' });
  await client.close();
});

it('tells the close code, also to those who ask late or wait for a message', async () => {
  const [there, client] = await Promise.all([accepted(), openWs(url)]);
  const waiting = client.init('a-key');
  there.close(4403, 'Forbidden');
  await expect(waiting).rejects.toThrow('closed with 4403 "Forbidden" before a "connection_ack" came');
  expect(await client.waitForClose()).toEqual({ code: 4403, reason: 'Forbidden' });
  expect(await client.waitForClose()).toEqual({ code: 4403, reason: 'Forbidden' });
});

it('gives up with what did come', async () => {
  const [there, client] = await Promise.all([accepted(), openWs(url)]);
  there.send('{"type":"a"}');
  await client.waitForMessage('a');
  there.send('{"type":"b"}');
  await expect(client.waitForMessage('z', 200)).rejects.toThrow('waited 200 ms for a "z"; unread: {"type":"b"}');
  await client.close();
});

it('rejects a refused handshake', async () => {
  server.options.verifyClient = (_info: unknown, answer: (ok: boolean, status: number) => void) => answer(false, 401);
  await expect(openWs(url)).rejects.toThrow('401');
});
