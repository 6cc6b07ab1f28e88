/** save-plan — makes a plan, or says anew what it is. */
import { lockCatalog, raiseCatalogVersion, savePlanRow } from '../db/queries/catalog-writes.ts';
import { problemsOfPlan } from '../domain/definition-bounds.ts';
import { isSame, type PlanDefinition, planOf } from '../domain/definitions.ts';
import { featureNotFound } from '../domain/errors.ts';
import { type Catalog, liveFeature, liveKeys, type Plan } from '../domain/plan.ts';
import type { Deps } from './deps.ts';
import { refuseFirst } from './refuse-first.ts';

/**
 * Stores what the definition says; a field that it leaves out has its default. The version rises only when something
 * is different, and an archived plan comes back.
 *
 * @throws {MeterError} `INVALID_INPUT` with the path of the field, `FEATURE_NOT_FOUND` for a feature that isn't there.
 */
export async function savePlan(
  { database, announce }: Deps,
  tenantId: string,
  definition: PlanDefinition,
): Promise<Plan> {
  refuseFirst(problemsOfPlan(definition));
  const { plan, changed } = await database.db.transaction(async (tx) => {
    const catalog = await lockCatalog(tx, tenantId);
    refuseUnknownFeatures(definition, catalog);
    const stored = catalog.plans.get(definition.key) ?? null;
    const plan = planOf(tenantId, definition, stored);
    if (stored && isSame(stored, plan)) return { plan, changed: false };
    await savePlanRow(tx, plan);
    await raiseCatalogVersion(tx, tenantId);
    return { plan, changed: true };
  });
  if (changed) announce({ kind: 'catalog', tenantId });
  return plan;
}

function refuseUnknownFeatures({ features }: PlanDefinition, catalog: Catalog): void {
  for (const key of features.keys()) {
    if (!liveFeature(catalog, key)) throw featureNotFound(key, liveKeys(catalog.features));
  }
}
