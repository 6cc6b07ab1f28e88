/** save-plan — makes a plan, or says anew what it is. */
import { lockCatalog, raiseCatalogVersion, savePlanRow } from '../db/queries/catalog-writes.ts';
import { type Problem, problemsOfPlan } from '../domain/definition-bounds.ts';
import { isSame, type PlanDefinition, planOf } from '../domain/definitions.ts';
import type { Plan } from '../domain/plan.ts';
import type { Deps } from './deps.ts';
import { refuseFirst } from './refuse-first.ts';
import { refuseUnknownFeatures } from './refuse-unknown-features.ts';

/**
 * Stores what the definition says; a field that it leaves out has its default. The version rises only when something
 * is different, and an archived plan comes back.
 *
 * @throws {MeterError} `INVALID_INPUT` with the path of the field, `FEATURE_NOT_FOUND` for a feature that isn't there.
 *   Their paths tell a feature by its position in the definition.
 */
export async function savePlan(
  { database, announce }: Deps,
  tenantId: string,
  definition: PlanDefinition,
): Promise<Plan> {
  const keys = [...definition.features.keys()];
  refuseFirst(problemsOfPlan(definition).map((problem) => byPosition(problem, keys)));
  const { plan, changed } = await database.db.transaction(async (tx) => {
    const catalog = await lockCatalog(tx, tenantId);
    refuseUnknownFeatures(keys, catalog, (i) => ['input', 'features', String(i), 'featureKey']);
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

/** A definition knows its features by key; an input lists them, in the same order. */
function byPosition(problem: Problem, keys: readonly string[]): Problem {
  const [field, key, ...rest] = problem.path;
  if (field !== 'features' || key === undefined) return problem;
  return { ...problem, path: [field, String(keys.indexOf(key)), ...rest] };
}
