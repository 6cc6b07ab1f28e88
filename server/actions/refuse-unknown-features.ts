/** refuse-unknown-features — the features that an input names are to be in use. */
import { featureNotFound } from '../domain/errors.ts';
import { type Catalog, liveFeature, liveKeys } from '../domain/plan.ts';

/**
 * @param pathOf Where in the input the key of this index stands.
 * @throws {MeterError} `FEATURE_NOT_FOUND` for the first key without a feature, or with an archived one.
 */
export function refuseUnknownFeatures(
  keys: readonly string[],
  catalog: Catalog,
  pathOf: (index: number) => readonly string[],
): void {
  const index = keys.findIndex((key) => !liveFeature(catalog, key));
  const unknown = keys[index];
  if (unknown !== undefined) throw featureNotFound(unknown, liveKeys(catalog.features), pathOf(index));
}
