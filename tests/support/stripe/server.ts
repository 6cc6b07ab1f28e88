/** server — HTTP on a port of its own, on the loopback. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CUT, type Exchange, type Received } from './exchange.ts';
import type { Page } from './pages.ts';

export type Listening = { readonly host: string; readonly port: number; close(): Promise<void> };

const HOST = '127.0.0.1';

/** @param pageOf Of what is no call of the API. */
export async function listen(exchange: Exchange, pageOf: (received: Received) => Page | undefined): Promise<Listening> {
  const server = createServer((request, response) => void serve(exchange, pageOf, request, response));
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port, not a pipe
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { host: HOST, port, close };
}

async function serve(
  exchange: Exchange,
  pageOf: (received: Received) => Page | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const received = await receive(request);
  const page = pageOf(received);
  if (page) return show(page, response);
  const answer = await exchange.answer(received);
  if (answer === CUT) return void request.socket.destroy();
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
  response.end(JSON.stringify(answer.body));
}

async function receive(request: IncomingMessage): Promise<Received> {
  const { pathname, search } = new URL(request.url ?? '/', `http://${HOST}`);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  return { method: request.method ?? 'GET', path: pathname, query: search.slice(1), headers: request.headers, body };
}

function show({ status, location, html = '' }: Page, response: ServerResponse): void {
  response.writeHead(status, { 'content-type': 'text/html', ...(location === undefined ? {} : { location }) });
  response.end(html);
}
