/** save-feature — makes a feature, or says anew what it is. */
import { lockCatalog, raiseCatalogVersion, saveFeatureRow } from '../db/queries/catalog-writes.ts';
import { problemsOfFeature } from '../domain/definition-bounds.ts';
import { type FeatureDefinition, featureOf, isSame } from '../domain/definitions.ts';
import type { Feature } from '../domain/feature.ts';
import type { Deps } from './deps.ts';
import { refuseFirst } from './refuse-first.ts';

/**
 * Stores what the definition says; a field that it leaves out has its default. An archived feature comes back.
 *
 * @throws {MeterError} `INVALID_INPUT`, with the path of the field.
 */
export async function saveFeature(
  { database, announce }: Deps,
  tenantId: string,
  definition: FeatureDefinition,
): Promise<Feature> {
  refuseFirst(problemsOfFeature(definition));
  const feature = featureOf(tenantId, definition);
  const changed = await database.db.transaction(async (tx) => {
    const stored = (await lockCatalog(tx, tenantId)).features.get(feature.key);
    if (stored && isSame(stored, feature)) return false;
    await saveFeatureRow(tx, feature);
    await raiseCatalogVersion(tx, tenantId);
    return true;
  });
  if (changed) announce({ kind: 'catalog', tenantId });
  return feature;
}
