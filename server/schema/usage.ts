/** usage — the state of one meter, and the streams that follow it. */

import { encodeUsageCursor } from '../domain/cursor.ts';
import { customerNotFound } from '../domain/errors.ts';
import { upgradesOf } from '../domain/upgrade.ts';
import type { Usage } from '../domain/usage.ts';
import type { LiveUsage, UsageStreamItem } from '../events/stream-items.ts';
import { anyone, reader, referenceOf, tenantReader, visibleFeatures } from './access.ts';
import { builder } from './builder.ts';
import { CursorExpiredType } from './cursor-expired.ts';
import { knownFeature, knownFeatures } from './existing.ts';
import { FeatureType } from './feature.ts';
import { EnforcementEnum } from './limit-fields.ts';
import { catalogOf, metersOf, narrowed } from './loaders.ts';
import { MoneyType } from './money.ts';
import { PeriodType } from './period.ts';
import { PlanType } from './plan.ts';
import { PriceType } from './price.ts';
import { ThresholdType } from './threshold.ts';
import { told, toldOf } from './told.ts';

export const UsageType = builder.objectRef<Usage>('Usage').implement({
  description: 'The state of one customer and feature in the running period: the number the gate itself decides by.',
  fields: (t) => ({
    referenceId: t.exposeString('referenceId', { description: "The app's own id of the customer." }),
    feature: t.expose('feature', { type: FeatureType, description: 'What is metered.' }),
    planKey: t.exposeString('planKey', {
      nullable: true,
      description: 'The plan whose limits these are. Null for a customer without one.',
    }),
    entitled: t.exposeBoolean('entitled', {
      description:
        'Whether plan or own limits name the feature; if not, every call is denied with `FEATURE_NOT_IN_PLAN`.',
    }),
    used: t.expose('used', { type: 'Decimal', description: 'Units used in this period.' }),
    reserved: t.expose('reserved', {
      type: 'Decimal',
      description: 'Units held by open reservations, and not used yet. They count against the limit.',
    }),
    limit: t.field({
      type: 'Decimal',
      nullable: true,
      description:
        'The cap (hard) or the line that alerts and overage start from (soft). Null is unlimited; 0 where not entitled.',
      resolve: ({ entitled, policy }) => (entitled ? policy.limit : 0n),
    }),
    remaining: t.expose('remaining', {
      type: 'Decimal',
      nullable: true,
      description: 'Units left under the limit, neither used nor reserved; never below 0. Null is unlimited.',
    }),
    enforcement: t.field({
      type: EnforcementEnum,
      description: 'What happens beyond the limit.',
      resolve: ({ policy }) => policy.enforcement,
    }),
    thresholds: t.field({
      type: [ThresholdType],
      description: 'Lines that raise an alert, each once a period.',
      resolve: ({ policy }) => [...policy.thresholds],
    }),
    price: t.field({
      type: PriceType,
      nullable: true,
      description: 'What units beyond what is included cost. Null where the feature has no price.',
      resolve: ({ policy }) => policy.price,
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'What the customer is entitled to and is not counted: a number, a text, true or false. Null where nothing is said, or not entitled.',
      resolve: ({ entitled, policy }) => (entitled ? policy.value : null),
    }),
    period: t.expose('period', { type: PeriodType, description: 'The time in which `used` has been counted.' }),
    credits: t.expose('credits', { type: 'Decimal', description: 'Prepaid units left.' }),
    wallet: t.expose('wallet', {
      type: MoneyType,
      nullable: true,
      description:
        "Prepaid money left, in the currency of the feature's price. Null for a feature without a price, and a customer without such a wallet.",
    }),
    overage: t.expose('overage', {
      type: 'Decimal',
      description: 'Units of this period beyond what was included, prepaid or paid by the wallet.',
    }),
    estimatedCost: t.expose('estimatedCost', {
      type: MoneyType,
      nullable: true,
      description: 'What the overage costs so far. Null where the feature has no price, and nothing was priced.',
    }),
    upgrades: t.field({
      type: [PlanType],
      description:
        'What to offer a customer who wants more: plans with a base price that let more of the feature through, the cheapest first, at most 10. Empty where nothing stands in the way, and for a customer token, which sees its own plan alone.',
      resolve: async (usage, _args, context) =>
        anyone(context).kind === 'customer' ? [] : [...upgradesOf(await catalogOf(context), usage)],
    }),
    cursor: t.string({
      description:
        'Resume point of this customer: pass it as `after` to `usageChanged` or, for one customer, `alertRaised`.',
      resolve: ({ customerId, sequence, catalogVersion, atMs }) =>
        encodeUsageCursor({ customerId, sequence, catalogVersion, atMs }),
    }),
  }),
});

builder.queryField('usage', (t) =>
  t.field({
    type: UsageType,
    nullable: true,
    description:
      'One meter as it stands. Unknown customer or feature: null, and an error with `extensions.code` `CUSTOMER_NOT_FOUND` or `FEATURE_NOT_FOUND`. Scope `read`, or a customer token.',
    args: {
      referenceId: t.arg.string({ description: 'Whose. With a customer token it may be left out.' }),
      featureKey: t.arg.string({ required: true, description: 'Key of the feature.' }),
    },
    resolve: async (_root, { referenceId, featureKey }, context) => {
      const customer = referenceOf(reader(context), referenceId);
      await knownFeature(context, featureKey, ['featureKey']);
      const meters = await metersOf(context, customer.customerId, [featureKey]);
      if (!meters) throw customerNotFound(customer.referenceId, ['referenceId']);
      return meters[0]?.usage;
    },
  }),
);

type Snapshot = Extract<UsageStreamItem, { kind: 'snapshot' }>;
type Delta = Extract<UsageStreamItem, { kind: 'delta' }>;

const UsageSnapshotType = builder.objectRef<Snapshot>('UsageSnapshot').implement({
  description: 'The state of every meter that was asked for: what a stream begins with.',
  fields: (t) => ({
    usages: t.field({
      type: [UsageType],
      description: 'By key of the feature.',
      resolve: ({ usages }) => [...usages],
    }),
    cursor: t.exposeString('cursor', { description: 'Resume point: pass it as `after`.' }),
  }),
});

const UsageDeltaType = builder.objectRef<Delta>('UsageDelta').implement({
  description: 'The newest state of one meter.',
  fields: (t) => ({
    usage: t.expose('usage', { type: UsageType, description: 'The state, whole: it replaces the one before.' }),
    cursor: t.exposeString('cursor', { description: 'Resume point: pass it as `after`.' }),
  }),
});

const USAGE_ITEMS = {
  snapshot: UsageSnapshotType,
  delta: UsageDeltaType,
  'cursor-expired': CursorExpiredType,
} as const;

const UsageStreamItemType = builder.unionType('UsageStreamItem', {
  description: 'What a subscriber of usage hears.',
  types: Object.values(USAGE_ITEMS),
  resolveType: ({ kind }) => USAGE_ITEMS[kind].name,
});

const LiveUsageType = builder.objectRef<LiveUsage>('LiveUsage').implement({
  description: 'The newest usages of the tenant since the last item, coalesced to at most four items a second.',
  fields: (t) => ({
    usages: t.field({
      type: [UsageType],
      description: 'The newest state of each meter that changed.',
      resolve: ({ usages }) => [...usages],
    }),
    at: t.expose('atMs', { type: 'DateTime', description: 'When the item was made.' }),
  }),
});

builder.subscriptionFields((t) => ({
  usageChanged: t.field({
    type: UsageStreamItemType,
    description:
      "A customer's meters: a snapshot first or, with `after`, all that was missed since; then every change. A reader that falls behind gets the newest state of each meter. Scope `read`, or a customer token.",
    args: {
      referenceId: t.arg.string({ description: 'Whose. With a customer token it may be left out.' }),
      featureKeys: t.arg.stringList({ description: 'Which meters; all when left out.' }),
      after: t.arg.string({ description: 'Resume point: the `cursor` of the last item, or of a `Usage`.' }),
    },
    subscribe: async (_root, { referenceId, featureKeys, after }, context) => {
      const viewer = reader(context);
      const { tenantId } = viewer;
      const { customerId } = referenceOf(viewer, referenceId);
      const wanted = narrowed(await knownFeatures(context, featureKeys, ['featureKeys']), visibleFeatures(viewer));
      const selection = { tenantId, customerId, featureKeys: wanted, after: after ?? null };
      return told(context.services.streams.usageChanged(selection));
    },
    resolve: toldOf,
  }),
  liveUsage: t.field({
    type: LiveUsageType,
    description:
      'Every meter of the tenant that changes, for pages that watch everything. Scope `read`; not for customer tokens.',
    subscribe: (_root, _args, context) => {
      const { tenantId } = tenantReader(context);
      return told(context.services.streams.liveUsage({ tenantId }));
    },
    resolve: toldOf,
  }),
}));
