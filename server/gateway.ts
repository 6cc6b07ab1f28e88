/** gateway — joins the rooms: a database and a clock in, a listening server out. Tests start here. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Assets, builtAssets } from './assets.ts';
import { ApiKeys } from './auth/api-keys.ts';
import { type Authenticate, createAuthenticate } from './auth/authenticate.ts';
import { CredentialWatch } from './auth/credential-watch.ts';
import type { StripeBilling } from './billing/stripe/stripe-billing.ts';
import type { UsageReporter } from './billing/stripe/usage/reporter.ts';
import { type Context, contextFor, type Services } from './context.ts';
import { Core, type CoreOptions } from './core.ts';
import { migrationState } from './db/migrate.ts';
import { DocumentCache } from './document-cache.ts';
import type { Viewer } from './domain/viewer.ts';
import { EVENT_STREAM_LIMITS, type EventStreamLimits, EventStreams } from './event-streams.ts';
import { ExportsDoor } from './exports/exports-door.ts';
import { FanOut } from './fan-out.ts';
import { FastDoor } from './fast-door.ts';
import { createGraphQLServer, type GraphQLServer, type GraphQLServerDeps } from './graphql-server.ts';
import { createHttpHandler, type Handler, type LivePageStart, type Readiness } from './http.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { Notices } from './notices/notices.ts';
import { schema } from './schema/index.ts';
import { createWebhookDoor } from './webhook-door.ts';
import { refuseUpgrade, SOCKET_LIMITS, type SocketLimits, WebSocketDoor } from './ws.ts';

export type GatewayOptions = CoreOptions & {
  /** Origins that browsers may call from, besides our own; scheme, host and port. */
  readonly corsOrigins?: readonly string[];
  readonly socketLimits?: Partial<SocketLimits>;
  readonly eventStreamLimits?: Partial<EventStreamLimits>;
  /** Default true. False: each subscriber's document is executed for itself, to compare with. */
  readonly isFanOutShared?: boolean;
  /** Whether plain calls may take the short way past yoga, which answers them alike. Default true. */
  readonly fastDoor?: boolean;
  /** What browsers load; by default what was built. */
  readonly assets?: Assets;
  /** The key that the live page may use; set by the demo. */
  readonly demoKey?: string;
  /**
   * While the gateway closes, for so long every open connection may still ask, and is told with its answer that it ends
   * with it; 300 by default.
   */
  readonly closeNoticeMs?: number;
};

/** When the gateway closes, connections that are still open after this are cut: it is gone within 10 s. */
const CLOSE_GRACE_MS = 8_000;
const CLOSE_NOTICE_MS = 300;
/** How often, until then, connections are closed that have had their answer. */
const CLOSE_SWEEP_MS = 50;
/** A database that has not answered by then is as good as none. */
const READINESS_MS_MAX = 2_000;

export class Gateway {
  readonly metrics: Metrics = createMetrics();
  readonly #options: GatewayOptions;
  readonly #core: Core;
  readonly #watch: CredentialWatch;
  readonly #fanOut: FanOut;
  readonly #eventStreams: EventStreams;
  readonly #sockets: WebSocketDoor;
  readonly #exports: ExportsDoor;
  readonly #server: Server;
  #isClosing = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { database, clock, tokenSecret } = options;
    this.#core = new Core(options, this.metrics);
    const authenticate = createAuthenticate(new ApiKeys(database.query, clock), tokenSecret, clock);
    this.#watch = new CredentialWatch(authenticate, clock);
    this.#fanOut = new FanOut({
      isShared: options.isFanOutShared ?? true,
      onExecuted: () => this.metrics.executions.inc(),
      onPushed: () => this.metrics.pushes.inc(),
    });
    const streamLimits = { ...EVENT_STREAM_LIMITS, ...options.eventStreamLimits };
    this.#eventStreams = new EventStreams(streamLimits, this.#watch, this.#fanOut);
    const documents = new DocumentCache();
    const forViewer = (viewer: Viewer | null): Context => contextFor(this.services, viewer);
    const graphql = this.#createGraphQL({ documents, authenticate, contextFor: forViewer });
    this.#sockets = this.#createSockets(graphql, authenticate);
    this.#exports = new ExportsDoor({ database, authenticate, clock, onBug: this.#onBug });
    const { counts } = this.metrics;
    const onAnswered = () => {
      counts.fastAnswers += 1;
    };
    const fastDoor = new FastDoor({ graphql, documents, authenticate, contextFor: forViewer, onAnswered });
    const answer: Handler = (request, response) => graphql.handle(request, response);
    this.#server = this.#createServer(options.fastDoor === false ? answer : fastDoor.handle);
    const { engine, streams } = this.services;
    const { notices } = this.#core;
    this.metrics.observe({
      queueLength: () => engine.queueLength,
      sockets: () => this.#sockets.openSockets,
      subscriptions: () => streams.openStreams,
      audiences: () => this.#fanOut.audiences,
      topics: () => streams.customersWatched + streams.tenantsWatched,
      webhookQueueAge: () => notices.queueAgeMs / 1_000,
    });
  }

  /** What hears of Stripe and charges what wallets ask for; null without Stripe. */
  get stripe(): StripeBilling | null {
    return this.#core.stripe;
  }

  /** Brings usage to Stripe; null without. */
  get usageReporter(): UsageReporter | null {
    return this.#core.usageReporter;
  }

  /** Tests move the clock, and have it look for readers that stand still. */
  get exports(): ExportsDoor {
    return this.#exports;
  }

  get services(): Services {
    return this.#core.services;
  }

  /** What tells other systems: tests run it by hand. */
  get notices(): Notices {
    return this.#core.notices;
  }

  /** Opens the port, and begins to hear other gateways. @returns the URL it answers at. */
  async listen({ host, port }: { host: string; port: number }): Promise<{ url: string }> {
    await this.#core.listen();
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    const bound = typeof address === 'object' && address ? address.port : port;
    return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}` };
  }

  /** Whether this gateway can serve: the database answers, and its tables are of this version. */
  async readiness(): Promise<Readiness> {
    try {
      const { applied, known } = await within(READINESS_MS_MAX, migrationState(this.#options.database));
      const migrations = applied === known ? 'current' : `${applied} of ${known} applied`;
      return { ready: applied === known, checks: { database: 'reachable', migrations } };
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'not ready');
      return { ready: false, checks: { database: 'unreachable' } };
    }
  }

  /**
   * Stops accepting, answers what is in flight, then ends the streams so that clients connect elsewhere. Calls that
   * come meanwhile, over connections that are open, hear `SHUTTING_DOWN`. Takes less than 10 s, whoever stalls.
   */
  async close(): Promise<void> {
    this.#watch.close();
    this.#isClosing = true;
    const drained = this.#core.drain();
    await sleep(this.#options.closeNoticeMs ?? CLOSE_NOTICE_MS);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const grace = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    const sweep = setInterval(() => this.#server.closeIdleConnections(), CLOSE_SWEEP_MS);
    await drained;
    await this.#sockets.close();
    this.#eventStreams.close();
    this.#exports.close();
    this.services.streams.close();
    await closed;
    clearTimeout(grace);
    clearInterval(sweep);
  }

  #createGraphQL(deps: Pick<GraphQLServerDeps, 'documents' | 'authenticate' | 'contextFor'>): GraphQLServer {
    const { corsOrigins = [] } = this.#options;
    return createGraphQLServer({
      ...deps,
      schema,
      corsOrigins,
      eventStreams: this.#eventStreams,
      onBug: this.#onBug,
    });
  }

  #createSockets(graphql: GraphQLServer, authenticate: Authenticate): WebSocketDoor {
    const { clock, socketLimits, corsOrigins = [] } = this.#options;
    const limits = { ...SOCKET_LIMITS, ...socketLimits };
    const isOriginAllowed = (request: IncomingMessage) => isOwnOrListed(request, corsOrigins);
    const watch = this.#watch;
    const fanOut = this.#fanOut;
    const onBug = this.#onBug;
    return new WebSocketDoor({ graphql, fanOut, authenticate, watch, clock, limits, isOriginAllowed, onBug });
  }

  #createServer(graphql: Handler): Server {
    const { assets = builtAssets, demoKey = null } = this.#options;
    const { metrics } = this;
    const livePage = (): LivePageStart => ({ demoKey });
    const { stripe } = this.#core;
    const stripeWebhook = createWebhookDoor(stripe && ((body, signature) => stripe.receive(body, signature)));
    const readiness = () => this.readiness();
    const exports = this.#exports;
    const handle = createHttpHandler({ graphql, stripeWebhook, exports, metrics, assets, readiness, livePage });
    const server = createServer((request, response) => {
      if (this.#isClosing) response.setHeader('Connection', 'close');
      Promise.resolve(handle(request, response)).catch((error: unknown) => {
        this.#onBug(error);
        response.destroy();
      });
    });
    return server.on('upgrade', (request, socket, head) => {
      if (request.url?.split('?', 1)[0] === '/graphql') this.#sockets.upgrade(request, socket, head);
      else refuseUpgrade(socket, '404 Not Found');
    });
  }

  readonly #onBug = (error: unknown): void => this.#options.logger.error({ err: error }, 'unexpected error');
}

/** @throws when the work takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Browsers say where a page is from; what is not a browser says nothing. */
function isOwnOrListed(request: IncomingMessage, listed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  return listed.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host);
}
