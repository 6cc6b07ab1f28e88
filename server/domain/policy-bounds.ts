/**
 * policy-bounds — what does not go together once the fields of a feature, a plan and a customer are merged, although
 * each of them is right by itself.
 */

import { problemOfEntityLimit } from './definition-bounds.ts';
import type { FeatureDefinition, PlanDefinition } from './definitions.ts';
import type { Aggregation, LimitFields } from './feature.ts';
import { type Problem, under } from './problem.ts';
import { formatUnits } from './units.ts';

/** What a feature says of itself; `sum` without an aggregation. */
type FeatureFields = LimitFields & { readonly aggregation?: Aggregation };
type Features = ReadonlyMap<string, FeatureFields>;
type PlanRules = Pick<PlanDefinition, 'key' | 'features' | 'spendLimit' | 'wallet'>;

/** A field that others contradict, and what to say after its name. */
type Clash = { readonly field: keyof LimitFields; readonly sentence: string };

/** What is wrong with features and plans as a whole; paths begin with `features` or `plans`. */
export function problemsOfCatalog(
  features: readonly FeatureDefinition[],
  plans: readonly PlanDefinition[],
): readonly Problem[] {
  const byKey = new Map(features.map((feature) => [feature.key, feature]));
  return [
    ...features.flatMap((feature) => under(['features', feature.key], problemsOfOwn(feature, plans))),
    ...plans.flatMap((plan) =>
      under(['plans', plan.key], [...problemsOfSetting(plan, byKey), ...problemsOfMoney(plan, byKey)]),
    ),
  ];
}

/** What is wrong with a plan beside the features there are; paths start within the plan. */
export const problemsOfPlanPolicies = (plan: PlanRules, features: Features): readonly Problem[] => [
  ...[...plan.features].flatMap(([key, fields]) => {
    const feature = features.get(key);
    return feature ? clashesOf(feature, fields).map((clash) => problemIn(['features', key], fields, clash)) : [];
  }),
  ...problemsOfMoney(plan, features),
];

/** What is wrong with a feature beside the plans that name it; paths start within the feature. */
export function problemsOfFeaturePolicies(feature: FeatureDefinition, plans: Iterable<PlanRules>): readonly Problem[] {
  const naming = [...plans].filter(({ features }) => features.has(feature.key));
  const features = new Map([[feature.key, feature]]);
  return [
    ...problemsOfOwn(feature, naming),
    ...naming.flatMap((plan) =>
      problemsOfSetting(plan, features).map(({ path, sentence }) => ({
        path: [path.at(-1) === 'entityLimit' ? 'aggregation' : 'price'],
        sentence: `does not go with the plan "${plan.key}": there ${path.at(-1)} ${sentence}`,
      })),
    ),
  ];
}

/** What is wrong with a customer's own fields, on top of those of its feature and plan; paths start within them. */
export const problemsOfOverride = (
  feature: FeatureFields,
  planFields: LimitFields | undefined,
  override: LimitFields,
): readonly Problem[] =>
  clashesOf({ ...feature, ...planFields }, override)
    .filter(({ field }) => override[field] !== undefined)
    .map((clash) => problemIn([], override, clash));

/** Sentences on what is allowed but may surprise, each with the plan's and the feature's key in it. */
export const noticesOfCatalog = (
  features: readonly FeatureDefinition[],
  plans: readonly PlanDefinition[],
): readonly string[] => {
  const byKey = new Map(features.map((feature) => [feature.key, feature]));
  return plans.flatMap((plan) => {
    const postpaid = plan.wallet?.autoTopUp
      ? mergedOf(plan, byKey).flatMap(([key, { price, billing }]) => (price && billing !== 'prepaid' ? [key] : []))
      : [];
    if (postpaid.length === 0) return [];
    const [noun, verb] = postpaid.length === 1 ? ['feature', 'is'] : ['features', 'are'];
    return [
      `plans.${plan.key}.wallet.autoTopUp is not triggered by the ${noun} ${postpaid.join(', ')}, which ${verb} billed post-paid: what the wallet does not pay is overage.`,
    ];
  });
};

/** What the feature itself says that does not go with itself, or with a plan that leaves it as it is. */
function problemsOfOwn(feature: FeatureDefinition, plans: readonly PlanRules[]): readonly Problem[] {
  const naming = plans.filter(({ features }) => features.has(feature.key));
  if (naming.length === 0) return clashesOf(feature, {}).map((clash) => problemIn([], feature, clash));
  const seen = new Map<string, Problem>();
  for (const { key, features } of naming) {
    const fields = features.get(feature.key) ?? {};
    for (const clash of clashesOf(feature, fields)) {
      if (fields[clash.field] !== undefined || seen.has(clash.field)) continue;
      const sentence = `${clash.sentence} (so it is in the plan "${key}")`;
      seen.set(clash.field, problemIn([], feature, { ...clash, sentence }));
    }
  }
  return [...seen.values()];
}

/** What the plan itself sets that does not go with a feature of it. */
const problemsOfSetting = (plan: PlanRules, features: Features): readonly Problem[] =>
  [...plan.features].flatMap(([key, fields]) => {
    const feature = features.get(key);
    const clashes = feature ? clashesOf(feature, fields) : [];
    return clashes
      .filter(({ field }) => fields[field] !== undefined)
      .map((clash) => problemIn(['features', key], fields, clash));
  });

/** At the field, where it is set; otherwise at what inherits it. */
const problemIn = (path: readonly string[], fields: LimitFields, { field, sentence }: Clash): Problem =>
  fields[field] === undefined
    ? { path, sentence: `has a ${field} from its feature that ${sentence}` }
    : { path: [...path, field], sentence };

/** The clashes of merged fields, each at a field that the upper ones set if they set one of those that clash. */
function clashesOf(lower: FeatureFields, upper: LimitFields): readonly Clash[] {
  const { price, billing, spendLimit } = { ...lower, ...upper };
  const clashes: Clash[] = [];
  if (billing === 'prepaid' && price === undefined) {
    clashes.push({
      field: 'billing',
      sentence: 'is "prepaid", which needs a price: give one, like { unitAmount: 10 }, or leave billing out',
    });
  }
  if (typeof spendLimit === 'bigint' && price === undefined) {
    clashes.push({
      field: 'spendLimit',
      sentence: `is ${formatUnits(spendLimit)}, but without a price nothing is spent: give one, or leave spendLimit out`,
    });
  }
  if (billing === 'prepaid' && price?.model === 'volume') {
    const why = 'what a unit costs by volume is not known until the period ends: use mode "graduated"';
    clashes.push(
      upper.price === undefined && upper.billing !== undefined
        ? { field: 'billing', sentence: `is "prepaid", but ${why}, or bill post-paid` }
        : { field: 'price', sentence: `is by volume, but prepaid: ${why}, or bill post-paid` },
    );
  }
  const ofEntities = problemOfEntityLimit(lower.aggregation ?? 'sum', upper.entityLimit);
  if (ofEntities !== null) clashes.push({ field: 'entityLimit', sentence: ofEntities });
  return clashes;
}

/** What does not go with a plan's money as a whole: its wallet and its spend limit. Paths start within the plan. */
function problemsOfMoney(plan: PlanRules, features: Features): readonly Problem[] {
  const { wallet, spendLimit } = plan;
  const merged = mergedOf(plan, features);
  const prepaid = merged.filter(([, { billing }]) => billing === 'prepaid');
  const problems: Problem[] = [];
  if (wallet?.autoTopUp && prepaid.length === 0) {
    const sentence =
      'has nothing to do: no feature of the plan is prepaid, and one billed post-paid never empties a wallet on its own, since overage pays; give a feature billing: "prepaid", or leave autoTopUp out';
    problems.push({ path: ['wallet', 'autoTopUp'], sentence });
  }
  const foreign = wallet ? prepaid.find(([, { price }]) => price && price.currency !== wallet.currency) : undefined;
  if (wallet && foreign) {
    const [key, { price }] = foreign;
    const sentence = `is "${wallet.currency}", but "${key}" is prepaid in "${price?.currency}", which such a wallet never pays; use one currency`;
    problems.push({ path: ['wallet', 'currency'], sentence });
  }
  const unbounded = merged.find(([, { price }]) => spendLimit && price && price.currency !== spendLimit.currency);
  if (spendLimit && unbounded) {
    const [key, { price }] = unbounded;
    const sentence = `is "${spendLimit.currency}", but "${key}" costs "${price?.currency}", which it would not bound; use one currency`;
    problems.push({ path: ['spendLimit', 'currency'], sentence });
  }
  return problems;
}

/** The fields of each feature that the plan names, as far as it exists. */
const mergedOf = (plan: PlanRules, features: Features): readonly (readonly [string, LimitFields])[] =>
  [...plan.features].flatMap(([key, fields]) => {
    const feature = features.get(key);
    return feature ? [[key, { ...feature, ...fields }] as const] : [];
  });
