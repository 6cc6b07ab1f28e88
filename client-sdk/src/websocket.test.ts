import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { clientClosed } from './failures.ts';
import { type Link, wireRequest } from './link.ts';
import { AlertStart } from './live-documents.ts';
import { gatewayOf } from './testing/peers.ts';
import { openWebSocket } from './websocket.ts';

/** Sockets whose messages are first told to `before`. */
const heardFirst = (before: (text: string) => void) =>
  new Proxy(WebSocket, {
    construct: (target, [url, protocols]: [string, string[]]) =>
      new target(url, protocols).on('message', (data) => before(String(data))),
  });

it('says nothing more once it is closed, even if its socket has an answer on the way', async () => {
  const gateway = await gatewayOf();
  let link: Link | undefined;
  let answers = 0;
  const webSocketImpl = heardFirst((text) => {
    if (!text.includes('alertCursor')) return;
    answers++;
    link?.close(clientClosed());
  });
  const url = gateway.url.replace('http:', 'ws:');
  link = await openWebSocket({ url, webSocketImpl, heartbeatMs: 5_000 }, 'mg_test', new AbortController().signal);
  const told: string[] = [];
  const gone = gateway.socketGone();
  link.start(wireRequest(AlertStart, {}), {
    started: () => told.push('started'),
    next: () => told.push('next'),
    failed: () => told.push('failed'),
    completed: () => told.push('completed'),
  });
  await gone;
  expect([answers, told]).toEqual([1, ['started']]);
});
