/** demo — companies, their past and their present, in a tenant of their own, for whoever looks at Metergraph first. */
import { createApiKey } from '../actions/create-api-key.ts';
import type { Catalogs } from '../db/catalogs.ts';
import type { Database } from '../db/client.ts';
import { deleteDemoKeys } from '../db/queries/first-rows.ts';
import { newestEventMs } from '../db/queries/newest-event.ts';
import type { Clock } from '../domain/clock.ts';
import { UsageReader } from '../metering/usage-reader.ts';
import { registerCompanies } from './customers.ts';
import { writeHistory } from './history.ts';
import { type DemoMeter, isUsable } from './meters.ts';
import type { Random } from './random.ts';

const HISTORY_MS = 30 * 24 * 3_600_000;
const DEMO_KEY_NAME = 'Demo key, good for one run';

export type DemoDeps = {
  readonly database: Database;
  readonly catalogs: Catalogs;
  readonly clock: Clock;
  readonly random: Random;
};

/**
 * Makes the demo's customers and 30 days of their history in an empty tenant; in one that has some, the time since.
 * An interrupted start thereby goes on where it ended.
 *
 * @param planKeys In the order of the config; the companies have them in turn.
 */
export async function prepareDemo(
  { database, catalogs, clock, random }: DemoDeps,
  tenantId: string,
  planKeys: readonly string[],
): Promise<readonly DemoMeter[]> {
  const untilMs = clock.now();
  const startMs = untilMs - HISTORY_MS;
  const fromMs = Math.max(startMs, ((await newestEventMs(database, tenantId)) ?? startMs) + 1);
  const catalog = await catalogs.current(database.query, tenantId);
  const companies = await registerCompanies(database, tenantId, planKeys, catalog.defaultPlanKey, startMs);
  const reader = new UsageReader(database, catalogs, { now: () => fromMs });
  const selections = [...companies.keys()].map((customerId) => ({ customerId, featureKeys: null }));
  const meters = [...(await reader.read(tenantId, selections))].flatMap(([customerId, read]): DemoMeter[] => {
    const company = companies.get(customerId);
    return company ? read.meters.filter(({ usage }) => isUsable(usage)).map(({ usage }) => ({ company, usage })) : [];
  });
  await writeHistory({ database, catalogs, meters, fromMs, untilMs, random });
  return meters;
}

/** A key for this run, so that a page and a `curl` can be tried at once. Those of earlier runs end. */
export async function newDemoKey(deps: Pick<DemoDeps, 'database' | 'clock'>, tenantId: string): Promise<string> {
  await endDemoKeys(deps.database);
  const { text } = await createApiKey(deps, tenantId, {
    name: DEMO_KEY_NAME,
    scopes: ['ingest', 'read'],
    expiresAtMs: null,
  });
  return text;
}

/** Removes the keys of earlier runs: each was good for one. */
export const endDemoKeys = ({ db }: Database): Promise<void> => deleteDemoKeys(db, DEMO_KEY_NAME);
