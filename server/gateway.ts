/** gateway — joins the rooms: a database and a clock in, a listening server out. Tests start here. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Logger } from 'pino';
import type { Change } from './actions/deps.ts';
import { type Assets, builtAssets } from './assets.ts';
import { ApiKeys } from './auth/api-keys.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { CredentialWatch } from './auth/credential-watch.ts';
import type { Services } from './context.ts';
import { Catalogs } from './db/catalogs.ts';
import type { Database, Query } from './db/client.ts';
import { migrationState } from './db/migrate.ts';
import { alertSequences, catalogVersions, customerSequences } from './db/queries/positions.ts';
import { alertsAfter } from './db/queries/stored-alerts.ts';
import type { Clock } from './domain/clock.ts';
import { EVENT_STREAM_LIMITS, type EventStreamLimits, EventStreams } from './event-streams.ts';
import { CHANNEL, decodeMessage, encodeMessage, hintOf, type Message } from './events/bus.ts';
import { Streams } from './events/streams.ts';
import type { Truth } from './events/truth.ts';
import { createGraphQLServer } from './graphql-server.ts';
import { createHttpHandler, type LivePageStart, type Readiness } from './http.ts';
import { Engine, type EngineOptions } from './metering/engine.ts';
import { Ledger } from './metering/ledger.ts';
import { UsageReader } from './metering/usage-reader.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { schema } from './schema/index.ts';
import { refuseUpgrade, SOCKET_LIMITS, type SocketLimits, WebSocketDoor } from './ws.ts';

export type GatewayOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tokenSecret: Uint8Array;
  /** Origins that browsers may call from, besides our own; scheme, host and port. */
  readonly corsOrigins?: readonly string[];
  readonly engine?: Partial<EngineOptions>;
  readonly socketLimits?: Partial<SocketLimits>;
  readonly eventStreamLimits?: Partial<EventStreamLimits>;
  /** How often to look for changes that no hint has told. */
  readonly pollIntervalMs?: number;
  /** What browsers load; by default what was built. */
  readonly assets?: Assets;
  /** The key that the live page may use; set by the demo. */
  readonly demoKey?: string;
};

/** When the gateway closes, connections that are still open after this are cut: it is gone within 10 s. */
const CLOSE_GRACE_MS = 8_000;
/** How often, until then, connections are closed that have had their answer. */
const CLOSE_SWEEP_MS = 50;
/** A database that has not answered by then is as good as none. */
const READINESS_MS_MAX = 2_000;
const POLL_INTERVAL_MS = 5_000;

export class Gateway {
  readonly services: Services;
  readonly metrics: Metrics;
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #sockets: WebSocketDoor;
  readonly #eventStreams: EventStreams;
  readonly #watch: CredentialWatch;
  readonly #streams: Streams;
  readonly #id = randomUUID();
  readonly #poller: NodeJS.Timeout;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { database, clock, logger } = options;
    const onBug = (error: unknown) => logger.error({ err: error }, 'unexpected error');
    this.metrics = createMetrics();
    const catalogs = new Catalogs();
    const usageReader = new UsageReader(database, catalogs, clock);
    this.#streams = new Streams({
      truth: truthOf(database.query, usageReader),
      clock,
      onDrop: () => this.metrics.fanOutDrops.inc(),
      onError: (error) => logger.warn({ err: error }, 'changes could not be read; the next poll tries again'),
    });
    const engine = this.#createEngine(catalogs);
    const announce = (change: Change) => this.#announce(change);
    const { tokenSecret } = options;
    this.services = { database, catalogs, clock, announce, tokenSecret, engine, usageReader, streams: this.#streams };

    const authenticate = createAuthenticate(new ApiKeys(database.query, clock), tokenSecret, clock);
    this.#watch = new CredentialWatch(authenticate, clock);
    this.#eventStreams = new EventStreams({ ...EVENT_STREAM_LIMITS, ...options.eventStreamLimits }, this.#watch);
    const corsOrigins = options.corsOrigins ?? [];
    const graphql = createGraphQLServer({
      schema,
      services: this.services,
      authenticate,
      corsOrigins,
      eventStreams: this.#eventStreams,
      onBug,
    });
    const limits = { ...SOCKET_LIMITS, ...options.socketLimits };
    const isOriginAllowed = (request: IncomingMessage) => isOwnOrListed(request, corsOrigins);
    const watch = this.#watch;
    this.#sockets = new WebSocketDoor({ graphql, authenticate, watch, clock, limits, isOriginAllowed, onBug });
    const livePage = (): LivePageStart => ({ demoKey: options.demoKey ?? null });
    const { metrics } = this;
    const { assets = builtAssets } = options;
    const handle = createHttpHandler({ graphql, metrics, assets, readiness: () => this.readiness(), livePage });
    this.#server = createServer((request, response) => {
      Promise.resolve(handle(request, response)).catch((error: unknown) => {
        onBug(error);
        response.destroy();
      });
    });
    this.#server.on('upgrade', (request, socket, head) => {
      if (request.url?.split('?', 1)[0] === '/graphql') this.#sockets.upgrade(request, socket, head);
      else refuseUpgrade(socket, '404 Not Found');
    });
    this.metrics.observe({
      queueLength: () => engine.queueLength,
      sockets: () => this.#sockets.openSockets,
      subscriptions: () => this.#streams.openStreams,
    });
    this.#poller = setInterval(() => void this.#streams.poll(), options.pollIntervalMs ?? POLL_INTERVAL_MS).unref();
  }

  /** Opens the port, and begins to hear other gateways. @returns the URL it answers at. */
  async listen({ host, port }: { host: string; port: number }): Promise<{ url: string }> {
    await this.#options.database.listen?.(
      CHANNEL,
      (payload) => this.#heard(payload),
      () => void this.#streams.poll(),
    );
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
    clearInterval(this.#poller);
    this.#watch.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const grace = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    const sweep = setInterval(() => this.#server.closeIdleConnections(), CLOSE_SWEEP_MS);
    await this.services.engine.drain();
    await this.#sockets.close();
    this.#eventStreams.close();
    this.#streams.close();
    await closed;
    clearTimeout(grace);
    clearInterval(sweep);
  }

  #createEngine(catalogs: Catalogs): Engine {
    const { database, clock, logger } = this.#options;
    const ledger = new Ledger({
      database,
      catalogs,
      clock,
      onCommitted: (committed) => this.#streams.committed(committed),
      hintOf: (changes) => (database.listen ? hintOf(this.#id, changes) : null),
    });
    const onUnreachable = (cause: unknown) => {
      logger.error({ err: cause }, 'the database did not answer; connecting anew');
      database.lane.reset();
    };
    const onBatch = (size: number, durationMs: number) => {
      this.metrics.batchSize.observe(size);
      this.metrics.batchSeconds.observe(durationMs / 1_000);
    };
    const onAnswered = (outcome: string, durationMs: number) => {
      this.metrics.consumes.inc({ outcome });
      this.metrics.consumeSeconds.observe(durationMs / 1_000);
    };
    return new Engine({ ledger, clock, onUnreachable, onBatch, onAnswered }, this.#options.engine);
  }

  #announce(change: Change): void {
    const message: Message = { from: this.#id, ...change };
    this.#streams.heard(message);
    const { database, logger } = this.#options;
    if (!database.listen) return;
    database
      .query({ text: 'SELECT pg_notify($1, $2)', params: [CHANNEL, encodeMessage(message)] })
      .catch((error: unknown) => logger.warn({ err: error }, 'other gateways were not told; their poll will find out'));
  }

  #heard(payload: string): void {
    const message = decodeMessage(payload);
    if (message && message.from !== this.#id) this.#streams.heard(message);
  }
}

function truthOf(query: Query, usageReader: UsageReader): Truth {
  return {
    meters: (tenantId, selections) => usageReader.read(tenantId, selections),
    alertsAfter: (position, limit) => alertsAfter(query, position, limit),
    alertSequences: (tenantIds) => alertSequences(query, tenantIds),
    customerSequences: (customerIds) => customerSequences(query, customerIds),
    catalogVersions: (tenantIds) => catalogVersions(query, tenantIds),
  };
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
