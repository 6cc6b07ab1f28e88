/** save-feature — makes a feature, or changes what it is. */
import { lockCatalog, raiseCatalogVersion, saveFeatureRow } from '../db/queries/catalog-writes.ts';
import { problemsOfFeature } from '../domain/definition-bounds.ts';
import { featureOf, isSame } from '../domain/definitions.ts';
import { editedFeature, type FeatureEdit } from '../domain/edits.ts';
import type { Feature } from '../domain/feature.ts';
import type { Deps } from './deps.ts';
import { refuseFirst } from './refuse-first.ts';

/**
 * Stores a feature with what the edit says; fields that it leaves out stay as they are, or have their defaults where
 * the feature is new. An archived feature comes back.
 *
 * @throws {MeterError} `INVALID_INPUT`, with the path of the field: also where it does not go with a field that stays.
 */
export async function saveFeature({ database, announce }: Deps, tenantId: string, edit: FeatureEdit): Promise<Feature> {
  const { feature, changed } = await database.db.transaction(async (tx) => {
    const stored = (await lockCatalog(tx, tenantId)).features.get(edit.key) ?? null;
    const definition = editedFeature(stored, edit);
    refuseFirst(problemsOfFeature(definition));
    const feature = featureOf(tenantId, definition);
    if (stored && isSame(stored, feature)) return { feature, changed: false };
    await saveFeatureRow(tx, feature);
    await raiseCatalogVersion(tx, tenantId);
    return { feature, changed: true };
  });
  if (changed) announce({ kind: 'catalog', tenantId });
  return feature;
}
