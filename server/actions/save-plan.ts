/** save-plan — makes a plan, or changes what it is. */
import { lockCatalog, raiseCatalogVersion, savePlanRow } from '../db/queries/catalog-writes.ts';
import { problemsOfPlan } from '../domain/definition-bounds.ts';
import { isSame, planOf } from '../domain/definitions.ts';
import { editedPlan, type PlanEdit } from '../domain/edits.ts';
import type { Plan } from '../domain/plan.ts';
import { moveTo } from '../domain/plan-change.ts';
import { problemsOfPlanPolicies } from '../domain/policy-bounds.ts';
import type { Problem } from '../domain/problem.ts';
import type { Deps } from './deps.ts';
import { inputPath } from './input-path.ts';
import { refuseFirst } from './refuse-first.ts';
import { refuseUnknownFeatures } from './refuse-unknown-features.ts';

/**
 * Stores a plan with what the edit says; fields that it leaves out stay as they are, or have their defaults where the
 * plan is new. The version rises only when something is different, and an archived plan comes back.
 *
 * Customers who have the plan stay on their version of it, unless the edit says `move`: then they have the newest, also
 * those whom an earlier edit let stay.
 *
 * @throws {MeterError} `INVALID_INPUT` with the path of the field, `FEATURE_NOT_FOUND` for a feature that isn't there.
 *   Their paths are those of `SavePlanInput`, which lists its features.
 */
export async function savePlan({ database, announce }: Deps, tenantId: string, edit: PlanEdit): Promise<Plan> {
  const keys = [...edit.features.keys()];
  const { plan, changed } = await database.db.transaction(async (tx) => {
    const catalog = await lockCatalog(tx, tenantId);
    const stored = catalog.plans.get(edit.key) ?? null;
    const definition = editedPlan(stored, edit);
    refuseFirst(inPlanInput(problemsOfPlan(definition), edit));
    refuseUnknownFeatures(keys, catalog, (i) => ['input', 'features', String(i), 'featureKey']);
    refuseFirst(inPlanInput(problemsOfPlanPolicies(definition, catalog.features), edit));
    const plan = planOf(tenantId, definition, stored);
    const movedVersion = moveTo(catalog, plan, edit.existingCustomers);
    if (stored && isSame(stored, plan) && movedVersion === null) return { plan, changed: false };
    await savePlanRow(tx, plan, movedVersion);
    await raiseCatalogVersion(tx, tenantId);
    return { plan, changed: true };
  });
  if (changed) announce({ kind: 'catalog', tenantId });
  return plan;
}

/** A definition knows its features by key, where the input lists them in the same order. */
function inPlanInput(problems: readonly Problem[], { features }: PlanEdit): readonly Problem[] {
  const keys = [...features.keys()];
  const pathOf = (path: Problem['path']): Problem['path'] => {
    const [field, part, ...rest] = path;
    if (field === 'features' && part !== undefined) return [field, String(keys.indexOf(part)), ...rest];
    return path;
  };
  return problems.map((problem) => ({ ...problem, path: pathOf(inputPath(problem.path)) }));
}
