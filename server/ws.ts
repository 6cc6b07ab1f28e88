/** ws — the WebSocket door: graphql-transport-ws, with a bound on everything a client may hold open. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, type SubscribePayload } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authenticate } from './auth/authenticate.ts';
import { isExpiredToken } from './auth/customer-token.ts';
import type { Clock } from './domain/clock.ts';
import { MeterError } from './domain/errors.ts';
import type { Viewer } from './domain/viewer.ts';
import { toGraphQLError, withCode } from './graphql-errors.ts';
import type { GraphQLServer } from './graphql-server.ts';

export type SocketLimits = {
  /** Bytes of one message from a client. */
  readonly frameBytesMax: number;
  readonly subscriptionsPerSocketMax: number;
  readonly socketsPerAddressMax: number;
  /** Per API key, or per customer. */
  readonly socketsPerCredentialMax: number;
  /** Both sides ping; a socket that doesn't answer until the next ping is ended. */
  readonly pingIntervalMs: number;
  /** A socket without a subscription is closed after this. */
  readonly idleMsMax: number;
};

export const SOCKET_LIMITS: SocketLimits = {
  frameBytesMax: 256 * 1_024,
  subscriptionsPerSocketMax: 100,
  socketsPerAddressMax: 20_000,
  socketsPerCredentialMax: 20_000,
  pingIntervalMs: 12_000,
  idleMsMax: 120_000,
};

/** How often open sockets are looked at: expired tokens, revoked keys, sockets nobody uses. */
const TICK_MS = 1_000;
/** An API key is verified again at every so many ticks, so that a revocation ends its sockets within 10 s. */
const RECHECK_TICKS = 4;

/** Close codes that end a graphql-ws client for good, except 4403: on that it comes back, with a new token. */
const EXPIRED = CloseCode.Forbidden;
const BAD_CREDENTIAL = CloseCode.Unauthorized;
const TOO_MANY = CloseCode.TooManyInitialisationRequests;

type SocketState = {
  readonly address: string;
  viewer: Viewer | null;
  authorization: string | null;
  subscriptions: number;
  quietSinceMs: number;
};

export type WebSocketDoorDeps = {
  readonly graphql: GraphQLServer;
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly limits: SocketLimits;
  /** Whether a page of this origin may open a socket; the same allow-list as for CORS. */
  readonly isOriginAllowed: (request: IncomingMessage) => boolean;
  readonly onBug: (error: unknown) => void;
};

export class WebSocketDoor {
  readonly #deps: WebSocketDoorDeps;
  readonly #sockets = new Map<WebSocket, SocketState>();
  readonly #server: WebSocketServer;
  readonly #protocol: { dispose(): void | Promise<void> };
  readonly #ticker: NodeJS.Timeout;
  #ticks = 0;

  constructor(deps: WebSocketDoorDeps) {
    this.#deps = deps;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: deps.limits.frameBytesMax,
      handleProtocols: (protocols) => protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
    });
    // Registered before graphql-ws, so that a socket has its state when the first message arrives.
    this.#server.on('connection', (socket, request) => this.#opened(socket, request));
    this.#protocol = useServer(
      {
        connectionInitWaitTimeout: 5_000,
        onConnect: (ctx) => this.#connect(ctx.extra.socket, ctx.connectionParams?.authorization),
        onSubscribe: (ctx, _id, payload) => this.#subscribe(ctx.extra, payload),
        onOperation: (ctx) => this.#count(ctx.extra.socket, 1),
        onComplete: (ctx) => this.#count(ctx.extra.socket, -1),
        execute: (args) => (args.rootValue as Executors).execute(args),
        subscribe: (args) => (args.rootValue as Executors).subscribe(args),
      },
      this.#server,
      deps.limits.pingIntervalMs,
    );
    this.#ticker = setInterval(() => void this.#tick(), TICK_MS).unref();
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  get openSubscriptions(): number {
    return [...this.#sockets.values()].reduce((sum, { subscriptions }) => sum + subscriptions, 0);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = request.socket.remoteAddress ?? '';
    const fromAddress = this.#countWhere((state) => state.address === address);
    if (!this.#deps.isOriginAllowed(request)) refuse(socket, '403 Forbidden');
    else if (fromAddress >= this.#deps.limits.socketsPerAddressMax) refuse(socket, '429 Too Many Requests');
    else
      this.#server.handleUpgrade(request, socket, head, (opened) => this.#server.emit('connection', opened, request));
  }

  /** Ends every socket with 1001, on which clients connect again, elsewhere. */
  async close(): Promise<void> {
    clearInterval(this.#ticker);
    await this.#protocol.dispose();
    this.#server.close();
  }

  #opened(socket: WebSocket, request: IncomingMessage): void {
    const address = request.socket.remoteAddress ?? '';
    const quietSinceMs = this.#deps.clock.now();
    this.#sockets.set(socket, { address, viewer: null, authorization: null, subscriptions: 0, quietSinceMs });
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {}); // a broken frame or connection; `close` follows
  }

  async #connect(socket: WebSocket, authorization: unknown): Promise<boolean> {
    const state = this.#sockets.get(socket);
    if (!state) return false;
    const presented = typeof authorization === 'string' ? authorization : null;
    try {
      state.viewer = await this.#deps.authenticate(presented);
      state.authorization = presented;
    } catch (error) {
      this.#closeRefused(socket, error);
      return true; // closed with a code of its own; false would close with 4403
    }
    const credential = credentialOf(state.viewer);
    const ofCredential = this.#countWhere((other) => credentialOf(other.viewer) === credential);
    if (ofCredential > this.#deps.limits.socketsPerCredentialMax)
      socket.close(TOO_MANY, 'Too many sockets of this credential');
    return true;
  }

  /** An expired token is worth another try with a new one; any other bad credential is not. */
  #closeRefused(socket: WebSocket, error: unknown): void {
    if (!(error instanceof MeterError)) {
      this.#deps.onBug(error);
      socket.close(CloseCode.InternalServerError, 'Internal server error');
    } else if (error.code === 'UNAUTHENTICATED' && isExpiredToken(error)) socket.close(EXPIRED, 'Token expired');
    else socket.close(BAD_CREDENTIAL, 'Unauthorized');
  }

  async #subscribe(
    { socket, request }: Extra,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const state = this.#sockets.get(socket);
    const { subscriptionsPerSocketMax } = this.#deps.limits;
    if (!state || state.subscriptions >= subscriptionsPerSocketMax) {
      const sentence = `This socket has ${subscriptionsPerSocketMax} operations open, as many as it may; complete one first.`;
      return [new GraphQLError(sentence, { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } })];
    }
    const params = { query: payload.query, operationName: payload.operationName, variables: payload.variables };
    const { schema, execute, subscribe, contextFactory, parse, validate } = this.#deps.graphql.getEnveloped({
      req: request,
      params,
      viewer: state.viewer,
    });
    try {
      const document = parse(payload.query);
      const errors = validate(schema, document);
      if (errors.length > 0) return errors.map((error: GraphQLError) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
      return {
        schema,
        document,
        operationName: payload.operationName,
        variableValues: payload.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe } satisfies Executors,
      };
    } catch (error) {
      return [
        error instanceof GraphQLError
          ? withCode(error, 'GRAPHQL_PARSE_FAILED')
          : toGraphQLError(error, this.#deps.onBug),
      ];
    }
  }

  #count(socket: WebSocket, change: 1 | -1): void {
    const state = this.#sockets.get(socket);
    if (!state) return;
    state.subscriptions += change;
    state.quietSinceMs = this.#deps.clock.now();
  }

  async #tick(): Promise<void> {
    this.#ticks += 1;
    const nowMs = this.#deps.clock.now();
    for (const [socket, state] of this.#sockets) {
      const { viewer, subscriptions, quietSinceMs } = state;
      const expiresAtMs = viewer?.expiresAtMs ?? null;
      if (expiresAtMs !== null && expiresAtMs <= nowMs) socket.close(EXPIRED, 'Token expired');
      else if (subscriptions === 0 && nowMs - quietSinceMs > this.#deps.limits.idleMsMax) socket.close(NORMAL, 'Idle');
      else if (viewer?.kind === 'api-key' && this.#ticks % RECHECK_TICKS === 0) await this.#recheck(socket, state);
    }
  }

  async #recheck(socket: WebSocket, { authorization }: SocketState): Promise<void> {
    try {
      await this.#deps.authenticate(authorization);
    } catch (error) {
      // Without an answer the socket stays: a database that is away for a moment must not end every stream.
      if (error instanceof MeterError && error.code === 'UNAUTHENTICATED') socket.close(EXPIRED, 'API key revoked');
    }
  }

  #countWhere(matches: (state: SocketState) => boolean): number {
    let count = 0;
    for (const state of this.#sockets.values()) if (matches(state)) count += 1;
    return count;
  }
}

type Executors = Pick<ReturnType<GraphQLServer['getEnveloped']>, 'execute' | 'subscribe'>;

const NORMAL = 1000;

const credentialOf = (viewer: Viewer | null): string | null =>
  viewer && (viewer.kind === 'api-key' ? viewer.keyId : viewer.customerId);

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
