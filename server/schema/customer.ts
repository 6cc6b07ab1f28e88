/** customer — who uses. */
import { listCustomers } from '../actions/find-customers.ts';
import { type Registration, registerCustomer } from '../actions/register-customer.ts';
import { type CustomerLimit, setCustomerLimits } from '../actions/set-customer-limits.ts';
import type { Context } from '../context.ts';
import { type Customer, currentPlanOf, type PendingPlan, pendingPlanOf } from '../domain/customer.ts';
import { invalidInput } from '../domain/errors.ts';
import { activeMutes, type Mute } from '../domain/mute.ts';
import { type Plan, planAt, planOfCustomer } from '../domain/plan.ts';
import { mayAdmin } from '../domain/viewer.ts';
import { actingFor, admin, anyone, ingester, maySee, reader, referenceOf, tenantReader } from './access.ts';
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

/** The plan that holds for a customer now; null for one without. */
async function planNow(customer: Customer, context: Context): Promise<Plan | null> {
  const held = currentPlanOf(customer, context.services.clock.now());
  return planOfCustomer(await catalogOf(context), { tenantId: customer.tenantId, ...held });
}

const PendingPlanType = builder.objectRef<PendingPlan>('PendingPlan').implement({
  description: 'A change of plan that waits for the renewal. The next `setCustomerPlan` calls it off.',
  fields: (t) => ({
    plan: t.field({
      type: PlanType,
      description: 'The plan as it will hold.',
      resolve: async ({ planKey, planVersion }, _args, context) => {
        const plan = planAt(await catalogOf(context), planKey, planVersion);
        if (plan) return plan;
        throw new Error(`version ${planVersion} of plan "${planKey}" is not there`); // plans are never deleted
      },
    }),
    at: t.expose('atMs', { type: 'DateTime', description: 'When it takes effect: the end of the billing period.' }),
  }),
});

const MuteType = builder.objectRef<Mute>('Mute').implement({
  description: 'Alerts that are stored and not told.',
  fields: (t) => ({
    featureKey: t.exposeString('featureKey', { nullable: true, description: 'Of which feature. Null: of all.' }),
    until: t.expose('untilMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When they are told again. Null: not before `unmuteAlerts`.',
    }),
  }),
});

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
    planKey: t.string({
      nullable: true,
      description: "Key of the plan. Null: without a plan every feature may be used, by the feature's own limits.",
      resolve: (customer, _args, { services }) => currentPlanOf(customer, services.clock.now()).planKey,
    }),
    planVersion: t.int({
      nullable: true,
      description:
        'Which version of the plan holds: the one it was put on, or a later one that all were moved to. Null without a plan.',
      resolve: async (customer, _args, context) => (await planNow(customer, context))?.version,
    }),
    plan: t.field({
      type: PlanType,
      nullable: true,
      description: 'The plan in the version that holds, also one that is archived by now.',
      resolve: (customer, _args, context) => planNow(customer, context),
    }),
    pendingPlan: t.field({
      type: PendingPlanType,
      nullable: true,
      description: 'The change of plan that waits for the renewal. Null: none does.',
      resolve: (customer, _args, { services }) => pendingPlanOf(customer, services.clock.now()),
    }),
    timeZone: t.exposeString('timeZone', { description: 'IANA name; periods begin at its midnight.' }),
    anchorAt: t.expose('anchorAtMs', {
      type: 'DateTime',
      description: 'Where billing periods, and those of features anchored to the subscription, are counted from.',
    }),
    mutes: t.field({
      type: [MuteType],
      description: 'Alerts that are not told for now, one entry a feature.',
      resolve: ({ mutes }, _args, context) =>
        activeMutes(mutes, context.services.clock.now()).filter(
          ({ featureKey }) => featureKey === null || maySee(anyone(context), featureKey),
        ),
    }),
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
    anchorAt: t.field({
      type: 'DateTime',
      description:
        'Where its billing periods are counted from: the day its subscription began. A new one is counted from its registration otherwise.',
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
      RegisterCustomerResult.answer(context, async () => {
        const viewer = ingester(context);
        const rights = { mayChangePlan: mayAdmin(viewer) };
        const registration = registrationOf(input, ['input']);
        await actingFor(context, viewer, registration.referenceId);
        return registerCustomer(context.services, viewer.tenantId, registration, rights);
      }),
  }),
);

function registrationOf(input: typeof RegisterCustomerInput.$inferInput, path: bounds.Path): Registration {
  const { referenceId, referenceType, name, email, planKey, timeZone, anchorAt, metadata } = input;
  const at = (field: string): bounds.Path => [...path, field];
  return {
    referenceId: bounds.referenceId(referenceId, at('referenceId')),
    ...(bounds.isGiven(referenceType) && { referenceType: bounds.name(referenceType, at('referenceType')) }),
    ...(name !== undefined && { name: name === null ? null : bounds.name(name, at('name')) }),
    ...(email !== undefined && { email: email === null ? null : bounds.email(email, at('email')) }),
    ...(bounds.isGiven(planKey) && { planKey: bounds.key(planKey, at('planKey')) }),
    ...(bounds.isGiven(timeZone) && { timeZone: bounds.timeZone(timeZone, at('timeZone')) }),
    ...(bounds.isGiven(anchorAt) && { anchorAtMs: anchorAt }),
    ...(metadata !== undefined && {
      metadata: metadata === null ? null : JSON.parse(bounds.object(metadata, at('metadata'))),
    }),
  };
}

const CustomerLimitInput = builder.inputType('CustomerLimitInput', {
  description:
    "A customer's own limit fields for one feature: they become exactly the ones given. A feature's key alone removes all of them, and the entitlement that came with them; to entitle a customer to a feature without limiting it, give `value: true`.",
  fields: (t) => ({
    featureKey: t.string({
      required: true,
      description:
        'Key of the feature. Any field beside it entitles the customer to the feature, whatever the plan says.',
    }),
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

builder.mutationField('setCustomerLimits', (t) =>
  t.field({
    type: SetCustomerLimitsResult.type,
    description: "Sets a customer's own limits, the last word in what applies to it. Scope `admin`.",
    args: { input: t.arg({ type: SetCustomerLimitsInput, required: true, description: 'Whose limits, and which.' }) },
    resolve: (_root, { input }, context) =>
      SetCustomerLimitsResult.answer(context, async () => {
        const viewer = admin(context);
        const { referenceId } = await actingFor(context, viewer, input.referenceId);
        const limits = customerLimitsOf(input.limits, ['input', 'limits']);
        return setCustomerLimits(context.services, viewer.tenantId, { referenceId, limits });
      }),
  }),
);

function customerLimitsOf(
  inputs: readonly (typeof CustomerLimitInput.$inferInput)[],
  path: bounds.Path,
): readonly CustomerLimit[] {
  return bounds.atMost(inputs, path, 1_000).map((input, i) => {
    const at = [...path, `${i}`];
    const fields = limitFieldsOf(input, at);
    refuseNullsAlone(input, fields, at);
    return { featureKey: bounds.key(input.featureKey, [...at, 'featureKey']), fields };
  });
}

/** Fields that null leaves unset are meant to be something: taken for none at all, they would remove the others, too. */
function refuseNullsAlone({ featureKey, ...sent }: object & { featureKey: string }, fields: object, path: bounds.Path) {
  const [named] = Object.entries(sent).find(([, value]) => value !== undefined) ?? [];
  if (named === undefined || Object.keys(fields).length > 0) return;
  const sentence = `\`${named}\` is null, which sets nothing, and nothing else is set for "${featureKey}"; give it a value, or send the featureKey alone to remove all the customer's own limits of it.`;
  throw invalidInput([...path, named], sentence);
}
