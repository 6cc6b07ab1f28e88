/** documented-config — what the docs write into a config, read as the gateway reads it. */
import { type FeatureDefinition, featureOf, planOf } from '../../server/domain/definitions.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import type { Plan, PlanPrice } from '../../server/domain/plan.ts';
import { type LimitPolicy, mergePolicy } from '../../server/domain/policy.ts';
import { parseConfig } from '../../server/parse-config.ts';
import type { Cases } from '../support/worked-examples.ts';

type Said = Cases['config'];

/** @throws {ConfigError} for fields that would be refused at start. */
function featureSaid(said: Said): FeatureDefinition {
  const [feature] = parseConfig({ features: { calls: said } }, 'the example').definition.features;
  if (!feature) throw new Error('an example has one feature');
  return feature;
}

/** The limit fields that a feature's part of a config says. */
export function limitsOf(said: Said): LimitFields {
  const { key: _, ...limits } = featureSaid(said);
  return limits;
}

/** A plan that says this of the feature; nothing, when left out. */
export const planSaying = (prices: readonly PlanPrice[], said: Said = {}): Plan =>
  planOf('', { key: 'plan', prices, features: new Map([['calls', limitsOf(said)]]) }, null);

/** What applies of what a feature, its plan and the customer say; the latter two may be left out. */
export const policyOf = ([feature = {}, plan = {}, own = {}]: readonly Said[]): LimitPolicy =>
  mergePolicy(featureOf('', featureSaid(feature)), planSaying([], plan), limitsOf(own));
