/** save-feature — makes a feature, or changes what it is. */
import { lockCatalog, raiseCatalogVersion, saveFeatureRow } from '../db/queries/catalog-writes.ts';
import { problemsOfFeature } from '../domain/definition-bounds.ts';
import { featureOf, isSame } from '../domain/definitions.ts';
import { editedFeature, type FeatureEdit } from '../domain/edits.ts';
import type { Feature } from '../domain/feature.ts';
import { type Catalog, livePlan } from '../domain/plan.ts';
import { problemsOfFeaturePolicies } from '../domain/policy-bounds.ts';
import type { Deps } from './deps.ts';
import { inInput } from './input-path.ts';
import { refuseFirst } from './refuse-first.ts';

/**
 * Stores a feature with what the edit says; fields that it leaves out stay as they are, or have their defaults where
 * the feature is new. An archived feature comes back.
 *
 * @throws {MeterError} `INVALID_INPUT`, with the path of the field: also where it does not go with a field that stays, or
 *   with what a plan sets.
 */
export async function saveFeature({ database, announce }: Deps, tenantId: string, edit: FeatureEdit): Promise<Feature> {
  const { feature, changed } = await database.db.transaction(async (tx) => {
    const catalog = await lockCatalog(tx, tenantId);
    const stored = catalog.features.get(edit.key) ?? null;
    const definition = editedFeature(stored, edit);
    refuseFirst(inInput(problemsOfFeature(definition)));
    refuseFirst(inInput(problemsOfFeaturePolicies(definition, livePlansOf(catalog))));
    const feature = featureOf(tenantId, definition);
    if (stored && isSame(stored, feature)) return { feature, changed: false };
    await saveFeatureRow(tx, feature);
    await raiseCatalogVersion(tx, tenantId);
    return { feature, changed: true };
  });
  if (changed) announce({ kind: 'catalog', tenantId });
  return feature;
}

/** Those who stay on an earlier version of a plan, or on an archived one, don't keep a feature from changing. */
const livePlansOf = (catalog: Catalog) => [...catalog.plans.keys()].flatMap((key) => livePlan(catalog, key) ?? []);
