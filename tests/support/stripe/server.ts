/** server — HTTP on a port of its own, on the loopback. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CUT, type Exchange } from './exchange.ts';

export type Listening = { readonly host: string; readonly port: number; close(): Promise<void> };

const HOST = '127.0.0.1';

export async function listen(exchange: Exchange): Promise<Listening> {
  const server = createServer((request, response) => void serve(exchange, request, response));
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

async function serve(exchange: Exchange, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', `http://${HOST}`);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const answer = await exchange.answer({
    method: request.method ?? 'GET',
    path: pathname,
    query: search.slice(1),
    headers: request.headers,
    body: Buffer.concat(chunks).toString(),
  });
  if (answer === CUT) return void request.socket.destroy();
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
  response.end(JSON.stringify(answer.body));
}
