/** gateway — a whole gateway on a free port, with a tenant, an admin key and a clock you move. */
import { randomBytes, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { createApiKey } from '../../server/actions/create-api-key.ts';
import { saveFeature } from '../../server/actions/save-feature.ts';
import { savePlan } from '../../server/actions/save-plan.ts';
import type { Database } from '../../server/db/client.ts';
import { tenants } from '../../server/db/tables/index.ts';
import type { FeatureDefinition, PlanDefinition } from '../../server/domain/definitions.ts';
import type { ApiKeyScope } from '../../server/domain/viewer.ts';
import { Gateway, type GatewayOptions } from '../../server/gateway.ts';
import { ManualClock } from './clock.ts';
import { type HttpClient, httpClient } from './http-client.ts';

export type TestGateway = {
  readonly gateway: Gateway;
  readonly clock: ManualClock;
  readonly tenantId: string;
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** `…/graphql` */
  readonly endpoint: string;
  /** Of the tenant, with scope admin. */
  readonly adminKey: string;
  /** Posts with the admin key. */
  readonly admin: HttpClient;
  /** A key of the tenant with these scopes. */
  key(scopes: readonly ApiKeyScope[]): Promise<string>;
  close(): Promise<void>;
};

export type TestGatewayOptions = Partial<Omit<GatewayOptions, 'database' | 'clock'>> & {
  /** Migrated; it is not closed with the gateway. */
  readonly database: Database;
  readonly clock?: ManualClock;
  /** An existing tenant, to run a second gateway beside the first. Left out, one is made. */
  readonly tenantId?: string;
  readonly port?: number;
  readonly features?: readonly FeatureDefinition[];
  readonly plans?: readonly PlanDefinition[];
};

/** Two gateways of one database sign alike. */
const TOKEN_SECRET = randomBytes(32);

export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const { database, clock = new ManualClock(), features = [], plans = [], port = 0 } = options;
  const logger = pino({ level: 'silent' });
  const gateway = new Gateway({ logger, tokenSecret: TOKEN_SECRET, ...options, database, clock });
  const tenantId = options.tenantId ?? (await makeTenant(database));
  for (const feature of features) await saveFeature(gateway.services, tenantId, feature);
  for (const plan of plans) await savePlan(gateway.services, tenantId, plan);
  const { url } = await gateway.listen({ host: '127.0.0.1', port });
  const key = async (scopes: readonly ApiKeyScope[]) =>
    (await createApiKey(gateway.services, tenantId, { name: 'test', scopes, expiresAtMs: null })).text;
  const adminKey = await key(['admin']);
  const endpoint = `${url}/graphql`;
  return {
    gateway,
    clock,
    tenantId,
    url,
    endpoint,
    adminKey,
    admin: httpClient(endpoint, adminKey),
    key,
    close: () => gateway.close(),
  };
}

/** A tenant in live mode, without features. */
export async function makeTenant(database: Database): Promise<string> {
  const id = randomUUID();
  await database.db.insert(tenants).values({ id, name: 'Test', mode: 'live' });
  return id;
}
