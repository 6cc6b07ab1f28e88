/** customer — who uses. */
import { listCustomers } from '../actions/find-customers.ts';
import { type Registration, registerCustomer } from '../actions/register-customer.ts';
import { type CustomerLimit, setCustomerLimits } from '../actions/set-customer-limits.ts';
import { setCustomerPlan } from '../actions/set-customer-plan.ts';
import type { Customer } from '../domain/customer.ts';
import { invalidInput } from '../domain/errors.ts';
import { mayAdmin } from '../domain/viewer.ts';
import { admin, ingester, reader, referenceIn, referenceOf, tenantReader } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { resultUnion } from './errors.ts';
import { knownFeatures } from './existing.ts';
import { limitFieldsOf, limitInputFields } from './limit-fields.ts';
import { LimitPolicyType } from './limit-policy.ts';
import { catalogOf, customers, metersOf } from './loaders.ts';
import { Node } from './node.ts';
import { encodeNodeId } from './node-id.ts';
import { PlanType } from './plan.ts';
import { UsageType } from './usage.ts';

export const CustomerType = builder.objectRef<Customer>('Customer').implement({
  description: 'Who uses: a user, a team, a session, whatever the app says.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ id }) => encodeNodeId('Customer', id),
    }),
    referenceId: t.exposeString('referenceId', { description: "The app's own id, unique in the tenant." }),
    referenceType: t.exposeString('referenceType', {
      description: 'What it is: `user`, `organization`, `team`, `ip` …',
    }),
    name: t.exposeString('name', { nullable: true, description: 'As people read it.' }),
    email: t.exposeString('email', { nullable: true, description: 'Where to write to.' }),
    planKey: t.exposeString('planKey', {
      nullable: true,
      description: "Key of the plan. Null: without a plan every feature may be used, by the feature's own limits.",
    }),
    plan: t.field({
      type: PlanType,
      nullable: true,
      description: 'The plan, also one that is archived by now.',
      resolve: async ({ planKey }, _args, context) =>
        planKey === null ? null : (await catalogOf(context)).plans.get(planKey),
    }),
    timeZone: t.exposeString('timeZone', { description: 'IANA name; periods begin at its midnight.' }),
    metadata: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What the app keeps with the customer. Scope `read`; always null with a customer token.',
      resolve: ({ metadata }, _args, context) => (reader(context).kind === 'customer' ? null : metadata),
    }),
    createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'When it was first registered.' }),
    usages: t.field({
      type: [UsageType],
      description: 'Its meters as they stand, by key of the feature. Scope `read`, or a customer token.',
      args: { featureKeys: t.arg.stringList({ description: 'Which meters; all when left out.' }) },
      resolve: async ({ id }, { featureKeys }, context) => {
        reader(context);
        const wanted = await knownFeatures(context, featureKeys, ['featureKeys']);
        return ((await metersOf(context, id, wanted)) ?? []).map(({ usage }) => usage);
      },
    }),
    limits: t.field({
      type: [LimitPolicyType],
      description: 'What applies to it, one entry a feature. Scope `read`, or a customer token.',
      resolve: async ({ id }, _args, context) => {
        reader(context);
        return [...((await metersOf(context, id, null)) ?? [])];
      },
    }),
  }),
});

const CustomerConnection = connectionType(CustomerType);

builder.queryFields((t) => ({
  customer: t.field({
    type: CustomerType,
    nullable: true,
    description: 'A customer by its reference; null where there is none. Scope `read`, or a customer token.',
    args: { referenceId: t.arg.string({ description: 'Whose. With a customer token it may be left out.' }) },
    resolve: (_root, args, context) => {
      const viewer = reader(context);
      const isAnother = viewer.kind === 'customer' && (args.referenceId ?? viewer.referenceId) !== viewer.referenceId;
      return isAnother ? null : customers(context).load(referenceOf(viewer, args.referenceId).customerId);
    },
  }),
  customers: t.field({
    type: CustomerConnection,
    description: 'All customers, by reference. Scope `read`; not for customer tokens.',
    args: pageArgs,
    resolve: (_root, args, context) => {
      const { tenantId } = tenantReader(context);
      const order = {
        list: 'customers',
        tenantId,
        positionOf: ({ referenceId }: Customer) => [referenceId],
        shape: [/^[^\p{Cc}\p{Cs}]{1,255}$/u],
        parse: ([referenceId = '']: readonly string[]) => referenceId,
      };
      return connectionOf(args, order, (request) => listCustomers(context.services, tenantId, request));
    },
  }),
}));

const RegisterCustomerInput = builder.inputType('RegisterCustomerInput', {
  description:
    'A customer. Fields left out stay as they are. Null clears `name`, `email` and `metadata`, and leaves the others.',
  fields: (t) => ({
    referenceId: t.string({
      required: true,
      description:
        "The app's own id of the customer: any text of at most 255 characters, not only blanks, unique in the tenant.",
    }),
    referenceType: t.string({
      description: 'What it is: `organization`, `team`, `ip` … A new one is a `user` by default.',
    }),
    name: t.string({ description: 'As people read it.' }),
    email: t.string({ description: 'Where to write to.' }),
    planKey: t.string({
      description:
        "Key of the plan. A new customer has the tenant's default plan otherwise. Changing it later needs scope `admin`.",
    }),
    timeZone: t.string({
      description:
        "IANA name, like `Europe/Berlin`; no offset. A new customer has the tenant's otherwise. A running period runs to its end.",
    }),
    metadata: t.field({ type: 'JSON', description: 'An object to keep with the customer; at most 16 KiB.' }),
  }),
});

const RegisterCustomerResult = resultUnion('RegisterCustomerResult', CustomerType, ['PLAN_NOT_FOUND', 'INVALID_INPUT']);

builder.mutationField('registerCustomer', (t) =>
  t.field({
    type: RegisterCustomerResult.type,
    description:
      'Makes a customer known, or brings what is known up to date. May be sent as often as one likes, and by several at once. Scope `ingest`.',
    args: { input: t.arg({ type: RegisterCustomerInput, required: true, description: 'The customer.' }) },
    resolve: (_root, { input }, context) =>
      RegisterCustomerResult.answer(context, () => {
        const viewer = ingester(context);
        const rights = { mayChangePlan: mayAdmin(viewer) };
        return registerCustomer(context.services, viewer.tenantId, registrationOf(input, ['input']), rights);
      }),
  }),
);

function registrationOf(input: typeof RegisterCustomerInput.$inferInput, path: bounds.Path): Registration {
  const { referenceId, referenceType, name, email, planKey, timeZone, metadata } = input;
  const at = (field: string): bounds.Path => [...path, field];
  return {
    referenceId: bounds.referenceId(referenceId, at('referenceId')),
    ...(bounds.isGiven(referenceType) && { referenceType: bounds.name(referenceType, at('referenceType')) }),
    ...(name !== undefined && { name: name === null ? null : bounds.name(name, at('name')) }),
    ...(email !== undefined && { email: email === null ? null : bounds.email(email, at('email')) }),
    ...(bounds.isGiven(planKey) && { planKey: bounds.key(planKey, at('planKey')) }),
    ...(bounds.isGiven(timeZone) && { timeZone: bounds.timeZone(timeZone, at('timeZone')) }),
    ...(metadata !== undefined && {
      metadata: metadata === null ? null : JSON.parse(bounds.object(metadata, at('metadata'))),
    }),
  };
}

const PlanChangeEnum = builder.enumType('PlanChange', {
  description: 'When another plan takes effect.',
  values: {
    IMMEDIATELY: { description: 'From the next call on. What was used in the running periods stays used.' },
    AT_RENEWAL: { description: 'When the billing period ends. Refused for now: customers have no billing period yet.' },
  },
});

const SetCustomerPlanInput = builder.inputType('SetCustomerPlanInput', {
  description: 'Which plan a customer changes to.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: "The app's own id of the customer." }),
    planKey: t.string({ required: true, description: 'Key of the plan.' }),
    effective: t.field({ type: PlanChangeEnum, defaultValue: 'IMMEDIATELY', description: 'When it takes effect.' }),
  }),
});

const SetCustomerPlanResult = resultUnion('SetCustomerPlanResult', CustomerType, [
  'CUSTOMER_NOT_FOUND',
  'PLAN_NOT_FOUND',
  'INVALID_INPUT',
]);

const CustomerLimitInput = builder.inputType('CustomerLimitInput', {
  description:
    "A customer's own limit fields for one feature: they become exactly the ones given. None given removes them all.",
  fields: (t) => ({
    featureKey: t.string({ required: true, description: 'Key of the feature. Naming it entitles the customer to it.' }),
    ...limitInputFields(t),
  }),
});

const SetCustomerLimitsInput = builder.inputType('SetCustomerLimitsInput', {
  description: "A customer's own limits.",
  fields: (t) => ({
    referenceId: t.string({ required: true, description: "The app's own id of the customer." }),
    limits: t.field({
      type: [CustomerLimitInput],
      required: true,
      description: 'Features not named here keep what they have. At most 1000, each feature once.',
    }),
  }),
});

const SetCustomerLimitsResult = resultUnion('SetCustomerLimitsResult', CustomerType, [
  'CUSTOMER_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'INVALID_INPUT',
]);

builder.mutationFields((t) => ({
  setCustomerPlan: t.field({
    type: SetCustomerPlanResult.type,
    description: 'Puts a customer on another plan. Scope `admin`.',
    args: { input: t.arg({ type: SetCustomerPlanInput, required: true, description: 'Whose plan, and which.' }) },
    resolve: (_root, { input }, context) =>
      SetCustomerPlanResult.answer(context, () => {
        const viewer = admin(context);
        const { referenceId } = referenceIn(viewer, input.referenceId, ['input', 'referenceId']);
        const planKey = bounds.key(input.planKey, ['input', 'planKey']);
        if (input.effective === 'AT_RENEWAL') throw noRenewalYet();
        return setCustomerPlan(context.services, viewer.tenantId, { referenceId, planKey });
      }),
  }),
  setCustomerLimits: t.field({
    type: SetCustomerLimitsResult.type,
    description: "Sets a customer's own limits, the last word in what applies to it. Scope `admin`.",
    args: { input: t.arg({ type: SetCustomerLimitsInput, required: true, description: 'Whose limits, and which.' }) },
    resolve: (_root, { input }, context) =>
      SetCustomerLimitsResult.answer(context, () => {
        const viewer = admin(context);
        const { referenceId } = referenceIn(viewer, input.referenceId, ['input', 'referenceId']);
        const limits = customerLimitsOf(input.limits, ['input', 'limits']);
        return setCustomerLimits(context.services, viewer.tenantId, { referenceId, limits });
      }),
  }),
}));

const noRenewalYet = () =>
  invalidInput(
    ['input', 'effective'],
    '`effective` is AT_RENEWAL, but customers have no billing period to wait for yet; IMMEDIATELY is what is supported.',
  );

function customerLimitsOf(
  inputs: readonly (typeof CustomerLimitInput.$inferInput)[],
  path: bounds.Path,
): readonly CustomerLimit[] {
  return bounds.atMost(inputs, path, 1_000).map((input, i) => ({
    featureKey: bounds.key(input.featureKey, [...path, `${i}`, 'featureKey']),
    fields: limitFieldsOf(input, [...path, `${i}`]),
  }));
}
