/** ws — the WebSocket door: graphql-transport-ws, with a bound on everything a client may hold open. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { CredentialWatch } from './auth/credential-watch.ts';
import type { Clock } from './domain/clock.ts';
import { Operations, type OperationsDeps } from './ws-operations.ts';
import { OpenSocket } from './ws-socket.ts';

export type SocketLimits = {
  /** Bytes of one message from a client. */
  readonly frameBytesMax: number;
  readonly subscriptionsPerSocketMax: number;
  readonly socketsPerAddressMax: number;
  /** Per API key, or per customer. */
  readonly socketsPerCredentialMax: number;
  /** How long a client may take to say who it is. */
  readonly initMsMax: number;
  /** Both sides ping; a socket that doesn't answer until the next ping is ended. */
  readonly pingIntervalMs: number;
  /** A socket without a subscription is closed after this. */
  readonly idleMsMax: number;
  /** A client that is told to go and does not is cut off after this. */
  readonly closeMsMax: number;
};

export const SOCKET_LIMITS: SocketLimits = {
  frameBytesMax: 256 * 1_024,
  subscriptionsPerSocketMax: 100,
  socketsPerAddressMax: 20_000,
  socketsPerCredentialMax: 20_000,
  initMsMax: 5_000,
  pingIntervalMs: 12_000,
  idleMsMax: 120_000,
  closeMsMax: 2_000,
};

/** How often sockets that nobody uses are looked for. */
const IDLE_TICK_MS = 1_000;
const NORMAL = 1000;
const GOING_AWAY = 1001;

export type WebSocketDoorDeps = Omit<OperationsDeps, 'subscriptionsMax' | 'initMsMax' | 'admit'> & {
  readonly watch: CredentialWatch;
  readonly clock: Clock;
  readonly limits: SocketLimits;
  /** Whether a page of this origin may open a socket; the same allow-list as for CORS. */
  readonly isOriginAllowed: (request: IncomingMessage) => boolean;
};

export class WebSocketDoor {
  readonly #deps: WebSocketDoorDeps;
  readonly #sockets = new Map<WebSocket, OpenSocket>();
  readonly #perAddress = new Tally();
  readonly #perCredential = new Tally();
  readonly #server: WebSocketServer;
  readonly #operations: Operations;
  readonly #ticker: NodeJS.Timeout;
  #isClosing = false;

  constructor(deps: WebSocketDoorDeps) {
    this.#deps = deps;
    const { frameBytesMax, subscriptionsPerSocketMax, initMsMax } = deps.limits;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: frameBytesMax,
      handleProtocols: (protocols) => protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
    });
    const admit = (socket: OpenSocket) => this.#admit(socket);
    this.#operations = new Operations({ ...deps, initMsMax, subscriptionsMax: subscriptionsPerSocketMax, admit });
    this.#ticker = setInterval(() => this.#closeIdle(), IDLE_TICK_MS).unref();
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { isOriginAllowed, limits } = this.#deps;
    if (this.#isClosing) refuseUpgrade(socket, '503 Service Unavailable');
    else if (!isOriginAllowed(request)) refuseUpgrade(socket, '403 Forbidden');
    else if (this.#perAddress.of(addressOf(request)) >= limits.socketsPerAddressMax) {
      refuseUpgrade(socket, '429 Too Many Requests');
    } else this.#server.handleUpgrade(request, socket, head, (opened) => this.#opened(opened, request));
  }

  /**
   * Answers the operations in flight, then ends every socket with 1001, on which clients connect again, elsewhere.
   * Takes no longer than `closeMsMax`.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#ticker);
    await this.#operations.answered(this.#deps.limits.closeMsMax / 2);
    const gone = [...this.#sockets.keys()].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const open of this.#sockets.values()) open.end(GOING_AWAY, 'Going away');
    await Promise.all(gone);
    this.#server.close();
  }

  #opened(socket: WebSocket, request: IncomingMessage): void {
    const address = addressOf(request);
    const { clock, limits, onBug } = this.#deps;
    const open = new OpenSocket(socket, clock.now(), limits.closeMsMax);
    this.#sockets.set(socket, open);
    this.#perAddress.add(address, 1);
    const stopPinging = keepAlive(socket, limits.pingIntervalMs);
    const closed = this.#operations.opened(open, {
      protocol: socket.protocol,
      send: (text) => open.send(text),
      close: (code = NORMAL, reason = '') => open.end(code, reason),
      onMessage: (hear) => socket.on('message', (data) => void this.#heard(open, data, hear)),
    });
    socket.on('error', () => {}); // a broken frame or connection; `close` follows
    socket.once('close', (code, reason) => {
      stopPinging();
      this.#sockets.delete(socket);
      this.#perAddress.add(address, -1);
      open.gone();
      Promise.resolve(closed(code, String(reason))).catch(onBug);
    });
  }

  async #heard(open: OpenSocket, data: RawData, hear: (text: string) => Promise<void>): Promise<void> {
    if (!open.isOpen) return; // it was told to go: whatever else it sends was sent to nobody
    try {
      await hear(String(data));
    } catch (error) {
      // What only a server may say, graphql-ws takes for a bug.
      if (error instanceof Error && error.message.startsWith('Unexpected message of type')) {
        open.end(CloseCode.BadRequest, 'Invalid message received');
        return;
      }
      this.#deps.onBug(error);
      open.end(CloseCode.InternalServerError, 'Internal server error');
    }
  }

  /** A socket has said who it is. */
  #admit(open: OpenSocket): void {
    const { viewer, authorization } = open;
    if (!viewer || authorization === null) return;
    const credential = viewer.kind === 'api-key' ? viewer.keyId : viewer.customerId;
    if (this.#perCredential.of(credential) >= this.#deps.limits.socketsPerCredentialMax) {
      open.end(CloseCode.TooManyInitialisationRequests, 'Too many sockets of this credential');
      return;
    }
    this.#perCredential.add(credential, 1);
    open.onGone(() => this.#perCredential.add(credential, -1));
    // 4403 is what a client comes back on, with a new credential.
    open.onGone(this.#deps.watch.add(viewer, authorization, (why) => open.end(CloseCode.Forbidden, why)));
  }

  #closeIdle(): void {
    const { clock, limits } = this.#deps;
    const nowMs = clock.now();
    for (const open of this.#sockets.values()) {
      if (open.operations === 0 && nowMs - open.quietSinceMs > limits.idleMsMax) open.end(NORMAL, 'Idle');
    }
  }
}

/** How many there are of each name. */
class Tally {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string, change: 1 | -1): void {
    const count = this.of(name) + change;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }
}

/** Pings, and ends a socket that has not answered by the next ping. @returns what stops it. */
function keepAlive(socket: WebSocket, intervalMs: number): () => void {
  let hasAnswered = true;
  socket.on('pong', () => {
    hasAnswered = true;
  });
  const pinger = setInterval(() => {
    if (!hasAnswered) return socket.terminate();
    hasAnswered = false;
    if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, intervalMs).unref();
  return () => clearInterval(pinger);
}

const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? '';

/** Answers an upgrade that leads nowhere. Nobody else listens for errors of such a socket. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
