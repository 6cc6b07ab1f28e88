/**
 * gateway — a real gateway in this process, on a real database, with a clock that the test moves.
 *
 * ```ts
 * describeEngines('consume', (engine) => {
 *   it('counts', async () => {
 *     const gateway = await startGateway({ database: await engine.open() }); // closed by itself after the test
 *     await gateway.data('mutation { … }');
 * ```
 */
import pino from 'pino';
import { bootstrap, tokenSecretOf } from '../../server/actions/bootstrap.ts';
import { syncConfig } from '../../server/actions/sync-config.ts';
import type { Database } from '../../server/db/client.ts';
import type { Clock } from '../../server/domain/clock.ts';
import { Gateway, type GatewayOptions } from '../../server/gateway.ts';
import { defineConfig } from '../../server/index.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { afterUse } from './after-use.ts';
import { ManualClock } from './clock.ts';
import { type HttpClient, httpClient } from './http-client.ts';
import { openWs, type WsClient, type WsOptions } from './ws-client.ts';

/** What the gateways of the tests sell, unless a test says otherwise. */
export const TEST_CONFIG = defineConfig({
  features: {
    api_calls: { displayName: 'API Calls', unit: 'call', reset: 'monthly', limit: 1_000 },
    storage: { displayName: 'Storage', unit: 'GB', reset: 'never', minLimit: 0 },
    exports: { displayName: 'Exports', aggregation: 'count', reset: 'daily', limit: 10 },
  },
  plans: {
    free: { features: { api_calls: { limit: 5 } } },
    pro: { features: { api_calls: { limit: null }, storage: { limit: 100 }, exports: {} } },
  },
});

/** An admin key of the first tenant, the same for every gateway on a database. */
export const ADMIN_KEY = 'mg_live_Harness1_0123456789ABCDEFGHIJabcdefghij01';

/** Timers take no more. */
const NEVER_MS = 2 ** 31 - 1;

export type TestGateway = HttpClient & {
  readonly gateway: Gateway;
  readonly database: Database;
  readonly clock: Clock;
  /** `http://127.0.0.1:<port>`; the endpoint is `graphqlUrl`. */
  readonly url: string;
  readonly graphqlUrl: string;
  readonly tenantId: string;
  /** The same endpoint as somebody else: another key, a customer token, or nobody. */
  as(credential: string | undefined): HttpClient;
  /** A raw socket; with `key` it is initialised and acknowledged already. */
  openWs(key?: string, options?: WsOptions): Promise<WsClient>;
  /** Also happens by itself, after the test, or after the file when a hook started it. The database stays open. */
  close(): Promise<void>;
};

export type TestGatewayOptions = Omit<GatewayOptions, 'clock' | 'logger' | 'tokenSecret'> & {
  /** Default: a `ManualClock`. Hand the same one in to move it. */
  readonly clock?: Clock;
  /** As a config file's default export; null leaves the catalog as it is. */
  readonly config?: unknown;
};

/** Several on one database are several gateways, as in production. `METERGRAPH_TEST_LOG=debug` shows what they log. */
export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const { config = TEST_CONFIG, clock = new ManualClock(), ...rest } = options;
  const { database } = options;
  const { tenant } = await bootstrap({ database, clock }, { bootstrapKey: ADMIN_KEY, demo: false });
  const tokenSecret = await tokenSecretOf({ database }, null);
  const gateway = new Gateway({
    closeNoticeMs: 0, // hundreds of them are closed
    noticeIntervalMs: NEVER_MS, // statements are counted; who tests webhooks runs `notices` by hand
    ...rest,
    clock,
    tokenSecret,
    logger: pino({ level: process.env.METERGRAPH_TEST_LOG ?? 'silent' }),
  });
  const { announce } = gateway.services;
  if (config !== null)
    await syncConfig({ database, clock, announce }, tenant.id, parseConfig(config, 'the test').definition);
  const { url } = await gateway.listen({ host: '127.0.0.1', port: 0 });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= gateway.close();
    return closed;
  };
  afterUse(close);
  const graphqlUrl = `${url}/graphql`;
  return {
    ...httpClient(graphqlUrl, ADMIN_KEY),
    gateway,
    database,
    clock,
    url,
    graphqlUrl,
    tenantId: tenant.id,
    as: (credential) => httpClient(graphqlUrl, credential),
    openWs: async (key, wsOptions) => {
      const client = await openWs(graphqlUrl, wsOptions);
      if (key !== undefined) await client.init(key);
      return client;
    },
    close,
  };
}
