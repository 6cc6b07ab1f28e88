/** catalog-of — the catalog of a tenant that has nothing but what a config says. */

import { type Config, defineConfig } from '../../../../define-config.ts';
import { featureOf, planOf } from '../../../../domain/definitions.ts';
import type { Catalog } from '../../../../domain/plan.ts';
import { parseConfig } from '../../../../parse-config.ts';

export const TENANT = '0192a4b6-c8d0-7123-8456-789abcdef012';
/** The start of every name of that tenant's. */
export const MARK = 'mg_0192a4b6c8d0';

/** @param archived Keys of features and plans that are. */
export function catalogOf(config: Config, archived: readonly string[] = []): Catalog {
  const { definition } = parseConfig(defineConfig(config), 'the test');
  const archivedAtMs = (key: string) => (archived.includes(key) ? 1 : null);
  const features = definition.features.map((each) => ({
    ...featureOf(TENANT, each),
    archivedAtMs: archivedAtMs(each.key),
  }));
  const plans = definition.plans.map((each) => ({
    ...planOf(TENANT, each, null),
    archivedAtMs: archivedAtMs(each.key),
  }));
  return {
    version: 1,
    features: new Map(features.map((feature) => [feature.key, feature])),
    plans: new Map(plans.map((plan) => [plan.key, plan])),
    planVersions: new Map(plans.map((plan) => [plan.key, { movedVersion: 1, byNumber: new Map([[1, plan]]) }])),
    defaultPlanKey: definition.defaultPlanKey,
  };
}
