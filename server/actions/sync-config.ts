/**
 * sync-config — makes a tenant's features and plans what the config file says.
 *
 * What the file no longer names is archived, with its history; what it names again comes back. What was made by
 * `saveFeature` or `savePlan` and never stood in the file is left alone. Customers stay on the version of a plan that
 * they have, unless the file says `move`.
 */
import {
  keysFromConfig,
  lockCatalog,
  markFromConfig,
  raiseCatalogVersion,
  saveFeatureRow,
  savePlanRow,
  setDefaultPlan,
} from '../db/queries/catalog-writes.ts';
import { features, plans } from '../db/tables/index.ts';
import { type CatalogDefinition, featureOf, isSame, planOf } from '../domain/definitions.ts';
import type { Feature } from '../domain/feature.ts';
import type { Plan } from '../domain/plan.ts';
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
  const { report, changed } = await database.db.transaction(async (tx) => {
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
  });
  if (changed) announce({ kind: 'catalog', tenantId });
  return report;
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
