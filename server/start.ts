/** start — from settings to a gateway that listens, in order; and back, in the opposite order. */
import type { Logger } from 'pino';
import { type Bootstrapped, bootstrap, tokenSecretOf } from './actions/bootstrap.ts';
import { syncConfig } from './actions/sync-config.ts';
import { connectStripe, modeOfKey, problemOfMode } from './billing/stripe/client.ts';
import type { StripeConnection } from './billing/stripe/connection.ts';
import { type Settings, strayVariables } from './config.ts';
import { Catalogs } from './db/catalogs.ts';
import type { Database } from './db/client.ts';
import { makeEventMonths } from './db/event-months.ts';
import { migrate } from './db/migrate.ts';
import { endDemoKeys, newDemoKey, prepareDemo } from './demo/index.ts';
import type { DemoMeter } from './demo/meters.ts';
import { seededRandom } from './demo/random.ts';
import { startTraffic } from './demo/traffic.ts';
import { parseApiKey } from './domain/api-key.ts';
import { systemClock } from './domain/clock.ts';
import type { CatalogDefinition } from './domain/definitions.ts';
import { Gateway } from './gateway.ts';
import { loadConfig } from './load-config.ts';
import { openDatabase } from './open-database.ts';
import { findPort } from './port.ts';
import { StartError } from './start-error.ts';

const DAY_MS = 24 * 3_600_000;

const BILLED_TWICE =
  'The config has `billing.biller: "manual"` and STRIPE_SECRET_KEY is set: who subscribes at Stripe would be billed by both. Leave out one of them.';

export type Started = {
  readonly url: string;
  /** Where the data is, as people are told. */
  readonly place: string;
  /** A key to be shown now and never again; null when there was one before. */
  readonly key: { readonly kind: 'demo' | 'first'; readonly text: string } | null;
  /** Something that can be consumed at once, for the example; null in an empty catalog. */
  readonly example: {
    readonly referenceId: string;
    readonly featureKey: string;
    readonly isRegistered: boolean;
  } | null;
  /** Stops accepting, answers what is in flight, closes the streams and the database. */
  close(): Promise<void>;
};

/**
 * @throws a reason not to start, which `reasonOf` puts into a sentence; everything that was opened is closed again.
 */
export async function start(settings: Settings, logger: Logger): Promise<Started> {
  for (const sentence of strayVariables()) logger.warn(sentence);
  const loaded = await loadConfig(settings.configFile);
  for (const sentence of loaded?.notices ?? []) logger.warn(sentence);
  if (loaded?.invoicing && settings.stripeSecretKey !== null) throw new StartError(BILLED_TWICE);
  const config = loaded?.definition ?? null;
  const { database, place, publishUrl, close: closeDatabase } = await openDatabase(settings);
  const closers = [closeDatabase];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    const { host, port } = settings;
    await findPort(host, port); // refused before anything is made; found again below, since that takes seconds
    const { tenantId, firstKey, demo, catalogChanged } = await prepare(database, settings, config, logger);
    const gateway = new Gateway({
      database,
      clock: systemClock,
      logger,
      tokenSecret: await tokenSecretOf({ database }, settings.tokenSecret),
      corsOrigins: settings.corsOrigins,
      eventsKeptMs: settings.eventsKeptDays === null ? null : settings.eventsKeptDays * DAY_MS,
      stripe: stripeOf(settings),
      webhooks: { allowPrivate: settings.webhooksAllowPrivate },
      mail: settings.mail && { ...settings.mail, alertsTo: settings.alertEmailTo },
      ...(loaded && { hooks: loaded.hooks, billing: loaded.billing, invoicing: loaded.invoicing }),
      ...(demo && { demoKey: demo.key }),
    });
    closers.push(() => gateway.close());
    const { url } = await gateway.listen({ host, port: await findPort(host, port) });
    publishUrl(url);
    if (catalogChanged) gateway.services.announce({ kind: 'catalog', tenantId }); // to gateways that run already
    if (demo) closers.push(runTraffic(gateway, demo.meters, logger));
    logger.info({ url, place, demo: demo !== null }, 'listening');
    return { url, place, key: keyOf(demo, firstKey), example: exampleOf(config, demo?.meters ?? null), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function stripeOf({ stripeSecretKey, stripeApiBase, stripeWebhookSecrets }: Settings): StripeConnection | null {
  if (stripeSecretKey === null) return null;
  const stripe = connectStripe({ secretKey: stripeSecretKey, apiBase: stripeApiBase });
  return { stripe, mode: modeOfKey(stripeSecretKey), webhookSecrets: stripeWebhookSecrets };
}

type Demo = { readonly key: string; readonly meters: readonly DemoMeter[] };

/** Brings the database to where a gateway can serve from it. */
async function prepare(database: Database, settings: Settings, config: CatalogDefinition | null, logger: Logger) {
  const deps = { database, clock: systemClock };
  await migrate(database);
  await makeEventMonths(database, systemClock.now());
  const demoWanted = wantsDemo(database, settings, config);
  await endDemoKeys(database);
  const { bootstrapKey, stripeSecretKey } = settings;
  const { tenant, firstKey }: Bootstrapped = await bootstrap(deps, { bootstrapKey, demo: demoWanted });
  const problem = stripeSecretKey === null ? null : problemOfMode(stripeSecretKey, tenant);
  if (problem !== null) throw new StartError(problem);
  let catalogChanged = false;
  if (config) {
    const announce = () => {
      catalogChanged = true;
    };
    const { saved, archived } = await syncConfig({ ...deps, announce }, tenant.id, config);
    if (saved.length + archived.length > 0) logger.info({ saved, archived }, 'features and plans follow the config');
  }
  const demo = demoWanted && tenant.demo ? await makeDemo(database, tenant.id, config) : null;
  return { tenantId: tenant.id, firstKey, demo, catalogChanged };
}

/**
 * The demo is for a database that has nothing else: embedded, and empty or made by the demo. It needs features to show,
 * and its tenant is a test tenant, so a live bootstrap key asks for another.
 */
function wantsDemo({ engine }: Database, { demo, bootstrapKey }: Settings, config: CatalogDefinition | null): boolean {
  const asksForLive = bootstrapKey !== null && parseApiKey(bootstrapKey)?.mode === 'live';
  return demo && engine === 'pglite' && !asksForLive && config !== null && config.features.length > 0;
}

async function makeDemo(database: Database, tenantId: string, config: CatalogDefinition | null): Promise<Demo> {
  const deps = { database, catalogs: new Catalogs(), clock: systemClock, random: seededRandom(systemClock.now()) };
  const planKeys = config?.plans.map(({ key }) => key) ?? [];
  const meters = await prepareDemo(deps, tenantId, planKeys);
  return { key: await newDemoKey(deps, tenantId), meters };
}

/** @returns what ends it. */
function runTraffic({ services }: Gateway, meters: readonly DemoMeter[], logger: Logger): () => Promise<void> {
  const { engine, streams } = services;
  const traffic = startTraffic({
    engine,
    clock: systemClock,
    meters,
    random: Math.random,
    isWatched: () => streams.openStreams > 0,
    onError: (error) => logger.debug({ err: error }, 'a call of the demo failed'),
  });
  return () => traffic.stop();
}

function keyOf(demo: Demo | null, firstKey: string | null): Started['key'] {
  if (demo) return { kind: 'demo', text: demo.key };
  return firstKey === null ? null : { kind: 'first', text: firstKey };
}

function exampleOf(config: CatalogDefinition | null, meters: readonly DemoMeter[] | null): Started['example'] {
  const [meter] =
    meters?.filter(({ usage: { feature, policy } }) => policy.limit !== null && feature.reset === 'daily') ?? [];
  const usage = meter?.usage ?? meters?.[0]?.usage;
  if (usage) return { referenceId: usage.referenceId, featureKey: usage.feature.key, isRegistered: true };
  const defaultPlan = config?.plans.find(({ key }) => key === config.defaultPlanKey);
  const [featureKey] = [...(defaultPlan?.features.keys() ?? []), ...(config?.features.map(({ key }) => key) ?? [])];
  return featureKey === undefined ? null : { referenceId: 'acme', featureKey, isRegistered: false };
}
