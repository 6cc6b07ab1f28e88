/** plan — a named, versioned set of limits and prices per feature. */
import { savePlan } from '../actions/save-plan.ts';
import type { PlanEdit } from '../domain/edits.ts';
import { invalidInput } from '../domain/errors.ts';
import type { LimitFields } from '../domain/feature.ts';
import type { Plan, PlanPrice } from '../domain/plan.ts';
import { LIMIT_FIELDS } from '../domain/policy.ts';
import { admin, anyone, maySee, tenantReader } from './access.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { catalogPage, catalogPageArgs } from './catalog-page.ts';
import { connectionType } from './connection.ts';
import { resultUnion } from './errors.ts';
import { type LimitFieldsInput, limitFieldsOf, limitInputFields, limitOutputFields } from './limit-fields.ts';
import { catalogOf } from './loaders.ts';
import { MoneyInput, MoneyType, moneyFrom } from './money.ts';
import { Node } from './node.ts';
import { RateLimitInput, RateLimitType, rateLimitsOf } from './rate-limit.ts';
import { ThresholdType } from './threshold.ts';
import { planNodeId, visiblePlan } from './visible-plan.ts';
import { WalletRuleInput, WalletRuleType, walletRuleFrom } from './wallet-rule.ts';

export const BillingIntervalEnum = wordEnum('BillingInterval', 'How often a base price is due.', {
  day: 'Every day.',
  week: 'Every week.',
  month: 'Every month.',
  year: 'Every year.',
});

const PlanPriceType = builder.objectRef<PlanPrice>('PlanPrice').implement({
  description: 'A base price of a plan.',
  fields: (t) => ({
    amount: t.expose('amount', { type: 'Decimal', description: 'In minor units (cents).' }),
    currency: t.exposeString('currency', { description: 'ISO 4217, in small letters: `usd`.' }),
    interval: t.expose('interval', { type: BillingIntervalEnum, description: 'How often it is due.' }),
  }),
});

const LimitFieldEnum = builder.enumType('LimitField', {
  description: 'What a plan may set for a feature.',
  values: Object.fromEntries(
    LIMIT_FIELDS.map((field) => [
      field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
      { value: field, description: `The field \`${field}\`.` },
    ]),
  ),
});

type PlanFeature = { readonly featureKey: string; readonly fields: LimitFields };

const PlanFeatureType = builder.objectRef<PlanFeature>('PlanFeature').implement({
  description: 'What a plan sets for one feature. A null field leaves what the feature itself says.',
  fields: (t) => ({
    featureKey: t.exposeString('featureKey', { description: 'Key of the feature.' }),
    limit: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'The limit; null is unlimited if `limitIsSet`, and otherwise what the feature says.',
      resolve: ({ fields }) => fields.limit,
    }),
    limitIsSet: t.boolean({
      description: 'Whether the plan sets the limit at all.',
      resolve: ({ fields }) => fields.limit !== undefined,
    }),
    sets: t.field({
      type: [LimitFieldEnum],
      description: 'The fields that the plan sets: null in one of them says that there is none, and otherwise nothing.',
      resolve: ({ fields }) => LIMIT_FIELDS.filter((field) => fields[field] !== undefined),
    }),
    ...limitOutputFields(t, ({ fields }) => fields),
    thresholds: t.field({
      type: [ThresholdType],
      nullable: true,
      description: 'Lines that raise an alert.',
      resolve: ({ fields }) => fields.thresholds && [...fields.thresholds],
    }),
  }),
});

export const PlanType = builder.objectRef<Plan>('Plan').implement({
  description: 'A named, versioned set of limits and prices per feature. It entitles to the features it names.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: (plan, _args, context) => planNodeId(context, plan),
    }),
    key: t.exposeString('key', { description: 'Unique in the tenant.' }),
    displayName: t.exposeString('displayName', { description: 'As people read it.' }),
    version: t.exposeInt('version', { description: 'Counts the changes to this plan, from 1.' }),
    price: t.field({
      type: [PlanPriceType],
      description: 'Base prices; empty for a plan that costs nothing by itself.',
      resolve: ({ prices }) => [...prices],
    }),
    rateLimits: t.field({
      type: [RateLimitType],
      description: 'Calls of all features together that each of its customers may make; all must pass.',
      resolve: ({ rateLimits }) => [...rateLimits],
    }),
    spendLimit: t.expose('spendLimit', {
      type: MoneyType,
      nullable: true,
      description:
        'The most that each of its customers may spend in a calendar month beyond what is included, of all features. Null: no limit.',
    }),
    wallet: t.expose('wallet', {
      type: WalletRuleType,
      nullable: true,
      description: 'How wallets of its customers behave. Null: floor 0, and no top-up by itself.',
    }),
    features: t.field({
      type: [PlanFeatureType],
      description: 'The features it entitles to, with what it sets for each.',
      resolve: ({ features }, _args, context) =>
        [...features]
          .filter(([featureKey]) => maySee(anyone(context), featureKey))
          .map(([featureKey, fields]) => ({ featureKey, fields })),
    }),
    archivedAt: t.expose('archivedAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was removed: who has it keeps it, nobody else gets it. Null while it is on offer.',
    }),
  }),
});

const PlanConnection = connectionType(PlanType);

builder.queryFields((t) => ({
  plan: t.field({
    type: PlanType,
    nullable: true,
    description:
      'A plan by its key, archived ones too; null where there is none. Scope `read`; a customer token sees its own plan only.',
    args: { key: t.arg.string({ required: true, description: 'Key of the plan.' }) },
    resolve: (_root, { key }, context) => visiblePlan(context, key),
  }),
  plans: t.field({
    type: PlanConnection,
    description: 'All plans, by key. Scope `read`; not for customer tokens.',
    args: catalogPageArgs,
    resolve: async (_root, args, context) => {
      const { tenantId } = tenantReader(context);
      return catalogPage('plans', tenantId, (await catalogOf(context)).plans, args);
    },
  }),
}));

const PlanFeatureInput = builder.inputType('PlanFeatureInput', {
  description: 'What a plan sets for one feature; a field left out leaves what the feature itself says.',
  fields: (t) => ({
    featureKey: t.string({ required: true, description: 'Key of the feature that the plan entitles to.' }),
    ...limitInputFields(t),
  }),
});

const PlanPriceInput = builder.inputType('PlanPriceInput', {
  description: 'A base price of a plan.',
  fields: (t) => ({
    amount: t.field({ type: 'Decimal', required: true, description: 'In minor units (cents); 0 or more.' }),
    currency: t.string({ required: true, description: 'ISO 4217, in small letters: `usd`.' }),
    interval: t.field({ type: BillingIntervalEnum, required: true, description: 'How often it is due.' }),
  }),
});

const ExistingCustomersEnum = wordEnum('ExistingCustomers', 'What becomes of customers who have a plan that changes.', {
  stay: 'They stay on the version they have, until `setCustomerPlan` puts them on the plan again.',
  move: 'They have the new version from their next call on, and so have those who stayed on an earlier one.',
});

const SavePlanInput = builder.inputType('SavePlanInput', {
  description:
    'A plan, or what is to change of it. Of one that is there, fields left out stay as they are; null goes back to the default.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: 'Unique in the tenant: a letter, then letters, digits and _ . : -, at most 64 in all.',
    }),
    displayName: t.string({ description: 'As people read it; made from the key by default.' }),
    price: t.field({ type: [PlanPriceInput], description: 'Base prices, at most 20. None by default.' }),
    rateLimits: t.field({
      type: [RateLimitInput],
      description:
        'Calls of all features together that each customer may make; all must pass. None by default, at most 10.',
    }),
    spendLimit: t.field({
      type: MoneyInput,
      description:
        'The most that each customer may spend in a calendar month beyond what is included. None by default.',
    }),
    wallet: t.field({
      type: WalletRuleInput,
      description: 'How wallets of its customers behave: floor 0 and no top-up by default.',
    }),
    existingCustomers: t.field({
      type: ExistingCustomersEnum,
      description: 'What becomes of customers who have the plan: of this change alone. They stay by default.',
    }),
    features: t.field({
      type: [PlanFeatureInput],
      required: true,
      description: 'All the features it entitles to, each at most once: they replace those it had.',
    }),
  }),
});

const SavePlanResult = resultUnion('SavePlanResult', PlanType, ['FEATURE_NOT_FOUND', 'INVALID_INPUT']);

builder.mutationField('savePlan', (t) =>
  t.field({
    type: SavePlanResult.type,
    description:
      'Makes a plan, or changes what it is. Its version rises when anything is different; customers who have it stay on their version, unless they are moved. Scope `admin`.',
    args: { input: t.arg({ type: SavePlanInput, required: true, description: 'The plan.' }) },
    resolve: (_root, { input }, context) =>
      SavePlanResult.answer(context, () => {
        const { tenantId } = admin(context);
        return savePlan(context.services, tenantId, planEditOf(input, ['input']));
      }),
  }),
);

function planEditOf(input: typeof SavePlanInput.$inferInput, path: bounds.Path): PlanEdit {
  const { key, displayName, price, rateLimits, spendLimit, wallet, existingCustomers, features } = input;
  return {
    key,
    ...(displayName !== undefined && { displayName }),
    ...(price !== undefined && { prices: price && planPricesOf(price, [...path, 'price']) }),
    ...(rateLimits !== undefined && { rateLimits: rateLimits && rateLimitsOf(rateLimits) }),
    ...(spendLimit !== undefined && { spendLimit: spendLimit && moneyFrom(spendLimit, [...path, 'spendLimit']) }),
    ...(wallet !== undefined && { wallet: wallet && walletRuleFrom(wallet, [...path, 'wallet']) }),
    ...(existingCustomers !== undefined && { existingCustomers }),
    features: planFeaturesOf(features, [...path, 'features']),
  };
}

const planPricesOf = (list: readonly (typeof PlanPriceInput.$inferInput)[], path: bounds.Path): readonly PlanPrice[] =>
  list.map(({ amount, currency, interval }, i) => ({
    amount: bounds.decimal(amount, [...path, `${i}`, 'amount']),
    currency,
    interval,
  }));

function planFeaturesOf(
  list: readonly (LimitFieldsInput & { readonly featureKey: string })[],
  path: bounds.Path,
): ReadonlyMap<string, LimitFields> {
  const features = new Map<string, LimitFields>();
  for (const [i, input] of list.entries()) {
    const { featureKey } = input;
    if (features.has(featureKey)) {
      throw invalidInput([...path, `${i}`, 'featureKey'], `Feature "${featureKey}" is there twice; name each once.`);
    }
    features.set(featureKey, limitFieldsOf(input, [...path, `${i}`]));
  }
  return features;
}
