/**
 * gateway — for tests: a peer on the wire that serves `schema.graphql` over HTTP, SSE and WebSocket.
 *
 * It decides nothing worth testing. It keeps a log of stream items, remembers what it was asked, and can be cut off,
 * refused and silenced, which a real gateway is built not to be.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { useServer } from 'graphql-ws/use/ws';
import { createSchema, createYoga } from 'graphql-yoga';
import { type WebSocket, WebSocketServer } from 'ws';
import { type GatewayState, type LogEntry, newGatewayState, resolvers } from './gateway-schema.ts';
import { type Recorder, recorder } from './recorder.ts';

export { anAlert, aUsage } from './gateway-schema.ts';

/** What the next HTTP request gets instead of an answer; `vanish` answers nothing and hangs up. */
export type HttpFault = { readonly status: number; readonly headers?: Record<string, string> } | 'vanish' | 'hang';

export interface TestGateway {
  readonly url: string;
  /** Everything it was asked, oldest first. */
  readonly state: GatewayState;
  /** The credentials of each WebSocket and HTTP request, oldest first. */
  readonly credentials: string[];
  /** Credentials it takes; all when empty. */
  readonly accepted: Set<string>;
  /** For the next HTTP requests, one each. */
  readonly faults: HttpFault[];
  readonly openSockets: () => number;
  /** WebSockets that were asked for, accepted or not. */
  readonly upgrades: Recorder;
  publish(topic: LogEntry['topic'], item: LogEntry['item']): void;
  /** Resolves when the next WebSocket has gone. */
  socketGone(): Promise<void>;
  /** Cuts every WebSocket and event stream without a word, as a dead network does. */
  cut(): void;
  /** Closes every WebSocket with a code. */
  closeSockets(code: number, reason: string): void;
  /** Stops hearing and answering on every open WebSocket, which stay open. */
  silence(): void;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** What becomes of a WebSocket that is asked for: `ignore` leaves it connecting for ever. */
  readonly webSockets?: 'accept' | 'refuse' | 'ignore';
}

export async function startGateway({ webSockets = 'accept' }: GatewayOptions = {}): Promise<TestGateway> {
  const state = newGatewayState();
  const credentials: string[] = [];
  const accepted = new Set<string>();
  const faults: HttpFault[] = [];
  const takes = (credential: string) => accepted.size === 0 || accepted.has(credential);

  const typeDefs = readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8');
  const schema = createSchema({ typeDefs, resolvers: resolvers(state) });
  const yoga = createYoga({ schema, logging: false, maskedErrors: false });
  const http = createServer((request, response) => {
    credentials.push(request.headers.authorization ?? '');
    const fault = faults.shift();
    if (fault === 'hang') return;
    if (fault === 'vanish') return void request.socket.destroy();
    if (fault) return void response.writeHead(fault.status, fault.headers).end();
    if (takes(request.headers.authorization ?? '')) return void yoga(request, response);
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ message: 'who?', extensions: { code: 'UNAUTHENTICATED' } }] }));
  });
  const sockets = new Set<WebSocket>();
  const ignored = new Set<Duplex>();
  const upgrades = recorder();
  const wss = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => {
    upgrades.push('asked');
    if (webSockets === 'refuse') return socket.destroy();
    if (webSockets === 'ignore') return void ignored.add(socket);
    wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request));
  });
  wss.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      wss.emit('gone');
    });
  });
  const protocol = useServer(
    {
      schema,
      onConnect: ({ connectionParams }) => {
        const credential = String(connectionParams?.authorization);
        credentials.push(credential);
        return takes(credential);
      },
    },
    wss,
  );
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo; // a TCP server's address is never a pipe's name

  return {
    url: `http://127.0.0.1:${port}/graphql`,
    state,
    credentials,
    accepted,
    faults,
    openSockets: () => sockets.size,
    upgrades,
    publish: (topic, item) => state.append({ topic, item }),
    socketGone: () => new Promise((resolve) => wss.once('gone', resolve)),
    cut: () => {
      for (const socket of sockets) socket.terminate();
      http.closeAllConnections();
    },
    closeSockets: (code, reason) => {
      for (const socket of sockets) socket.close(code, reason);
    },
    silence: () => {
      for (const socket of sockets) socket.pause();
    },
    stop: async () => {
      for (const socket of sockets) socket.terminate();
      for (const socket of ignored) socket.destroy();
      await protocol.dispose();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}
