/**
 * sync-config — makes a tenant's features and plans what the config file says.
 *
 * What the file no longer names is archived, with its history; what it names again comes back. What was made by
 * `saveFeature` or `savePlan` and never stood in the file is left alone. Customers stay on the version of a plan that
 * they have, unless the file says `move`.
 */

import type { Db } from '../db/client.ts';
import { loadCatalog } from '../db/queries/catalog.ts';
import {
  keysFromConfig,
  lockCatalog,
  markFromConfig,
  raiseCatalogVersion,
  saveFeatureRow,
  savePlanRow,
  setDefaultPlan,
} from '../db/queries/catalog-writes.ts';
import { queryIn } from '../db/query-in.ts';
import { features, plans } from '../db/tables/index.ts';
import type { Clock } from '../domain/clock.ts';
import { type CatalogDefinition, featureOf, isSame, planOf } from '../domain/definitions.ts';
import type { Feature } from '../domain/feature.ts';
import type { Catalog, Plan } from '../domain/plan.ts';
import { moveTo } from '../domain/plan-change.ts';
import type { Deps } from './deps.ts';

/** What the synchronisation did; all empty when the database said the same already. */
export type SyncReport = {
  /** Keys of features and plans that are new, different or back. */
  readonly saved: readonly string[];
  readonly archived: readonly string[];
};

/** In one transaction under the tenant's lock: processes that start at once do it one after the other. */
export async function syncConfig(
  { database, clock, announce }: Pick<Deps, 'database' | 'clock' | 'announce'>,
  tenantId: string,
  definition: CatalogDefinition,
): Promise<SyncReport> {
  const { report, changed } = await database.db.transaction((tx) => follow(tx, clock, tenantId, definition));
  if (changed) announce({ kind: 'catalog', tenantId });
  return report;
}

/**
 * What the catalog will be when the config file is followed, and what that will change; nothing is stored.
 *
 * It is followed for real, and taken back: so what is foreseen is what will come.
 */
export async function foreseeConfig(
  { database, clock }: Pick<Deps, 'database' | 'clock'>,
  tenantId: string,
  definition: CatalogDefinition,
): Promise<{ readonly catalog: Catalog; readonly report: SyncReport }> {
  const work = database.db.transaction(async (tx) => {
    const { report } = await follow(tx, clock, tenantId, definition);
    throw new TakenBack({ catalog: await loadCatalog(queryIn(tx), tenantId), report });
  });
  return work.catch((error: unknown) => {
    if (error instanceof TakenBack) return error.seen;
    throw error;
  });
}

/** Thrown out of a transaction to end it without a trace. */
class TakenBack extends Error {
  readonly seen: { readonly catalog: Catalog; readonly report: SyncReport };

  constructor(seen: TakenBack['seen']) {
    super('taken back');
    this.seen = seen;
  }
}

/** @param tx One that ends soon: it holds the tenant. */
async function follow(tx: Db, clock: Clock, tenantId: string, definition: CatalogDefinition) {
  const catalog = await lockCatalog(tx, tenantId);
  const named = await keysFromConfig(tx, tenantId);
  const wanted = {
    features: definition.features.map((feature) => featureOf(tenantId, feature)),
    plans: definition.plans.map((plan) => planOf(tenantId, plan, catalog.plans.get(plan.key) ?? null)),
  };
  const archivedAtMs = clock.now();
  const savedFeatures = wanted.features.filter((feature) => differs(feature, catalog.features));
  const moves = new Map(definition.plans.map(({ key, existingCustomers }) => [key, existingCustomers] as const));
  const movedVersionOf = (plan: Plan) => moveTo(catalog, plan, moves.get(plan.key));
  const savedPlans = wanted.plans.filter((plan) => differs(plan, catalog.plans) || movedVersionOf(plan) !== null);
  const goneFeatures = gone(named.features, wanted.features, catalog.features);
  const gonePlans = gone(named.plans, wanted.plans, catalog.plans);

  for (const feature of savedFeatures) await saveFeatureRow(tx, feature);
  for (const plan of savedPlans) await savePlanRow(tx, plan, movedVersionOf(plan));
  for (const feature of goneFeatures) await saveFeatureRow(tx, { ...feature, archivedAtMs });
  for (const plan of gonePlans) await savePlanRow(tx, { ...plan, archivedAtMs });
  await markFromConfig(tx, features, tenantId, keysOf(wanted.features));
  await markFromConfig(tx, plans, tenantId, keysOf(wanted.plans));
  const defaultChanged = catalog.defaultPlanKey !== definition.defaultPlanKey;
  if (defaultChanged) await setDefaultPlan(tx, tenantId, definition.defaultPlanKey);

  const report = {
    saved: keysOf([...savedFeatures, ...savedPlans]),
    archived: keysOf([...goneFeatures, ...gonePlans]),
  };
  const changed = defaultChanged || report.saved.length + report.archived.length > 0;
  if (changed) await raiseCatalogVersion(tx, tenantId);
  return { report, changed };
}

function differs<T extends Feature | Plan>(wanted: T, stored: ReadonlyMap<string, T>): boolean {
  const known = stored.get(wanted.key);
  return known === undefined || !isSame(known, wanted);
}

/** What the file named before and names no more, unless it is archived already. */
function gone<T extends Feature | Plan>(
  named: ReadonlySet<string>,
  wanted: readonly T[],
  stored: ReadonlyMap<string, T>,
): readonly T[] {
  const kept = new Set(keysOf(wanted));
  return [...stored.values()].filter(
    ({ key, archivedAtMs }) => named.has(key) && !kept.has(key) && archivedAtMs === null,
  );
}

const keysOf = (entries: readonly { readonly key: string }[]): readonly string[] => entries.map(({ key }) => key);
