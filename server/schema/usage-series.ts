/** usage-series — use over time, for charts. */
import { readUsageSeries } from '../actions/usage-series.ts';
import type { Context } from '../context.ts';
import { customerNotFound, MeterError } from '../domain/errors.ts';
import type { Feature } from '../domain/feature.ts';
import {
  BUCKETS_MAX,
  type Bucket,
  GROUPS_DEFAULT,
  GROUPS_MAX,
  POINTS_MAX,
  type UsageBucket,
  type UsageGroup,
  type UsageSeries,
} from '../domain/series.ts';
import { ONE } from '../domain/units.ts';
import { reader } from './access.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { onceKnownFeature, oneOrAll, unknownFeature } from './existing.ts';
import { FeatureType } from './feature.ts';
import { catalogOf, customers, tenantOf } from './loaders.ts';
import { MoneyType } from './money.ts';

const BucketEnum = wordEnum('Bucket', 'How long a bucket of a series is, in local time.', {
  minute: 'A minute.',
  hour: 'A full hour; the one that a clock change repeats is two.',
  day: 'From midnight to midnight: 23 or 25 hours where the clocks change.',
  week: 'From midnight before Monday.',
  month: 'From midnight before the first.',
});

const UsageBucketType = builder.objectRef<UsageBucket>('UsageBucket').implement({
  description: 'What was used within a time, and what paid for it. Half-open: `start` is in it, `end` is not.',
  fields: (t) => ({
    start: t.expose('startMs', { type: 'DateTime', description: 'The first instant of it.' }),
    end: t.expose('endMs', { type: 'DateTime', description: 'The first instant after it.' }),
    events: t.field({
      type: 'Decimal',
      description: 'How many events, also those that gave something back.',
      resolve: ({ events }) => events * ONE,
    }),
    used: t.expose('used', {
      type: 'Decimal',
      description:
        'Units, by when the use happened; what was given back is taken off. With the aggregation `MAX` the largest amount reported, 0 without an event; `UNIQUE`: the values first seen in it; `LATEST`: by how much the level changed; `WEIGHTED_SUM`: what the changes add to the total of their period.',
    }),
    credits: t.expose('credits', { type: 'Decimal', description: 'Units that credits paid for.' }),
    wallet: t.expose('wallet', { type: 'Decimal', description: 'Units that the wallet paid for.' }),
    overage: t.expose('overage', {
      type: 'Decimal',
      description: 'Units that nothing paid for yet; the rest of `used` was included.',
    }),
    costs: t.field({
      type: [MoneyType],
      description:
        'What the units of wallet and overage cost: one amount for each currency, for they are never added. Empty where nothing had a price.',
      resolve: ({ costs }) => [...costs],
    }),
  }),
});

const UsageGroupType = builder.objectRef<UsageGroup>('UsageGroup').implement({
  description: 'The part of a series with one value of the property that it is grouped by.',
  fields: (t) => ({
    value: t.exposeString('value', {
      nullable: true,
      description:
        'The value, cut after 64 characters; a number or boolean as its text. Null where events did not say, and for the rest.',
    }),
    isOther: t.exposeBoolean('isOther', {
      description: 'Whether this is the rest: all values that are not among the largest.',
    }),
    total: t.expose('total', { type: UsageBucketType, description: 'Of the whole time.' }),
    buckets: t.field({
      type: [UsageBucketType],
      description: 'One for each bucket of the series, in the same order.',
      resolve: ({ buckets }) => [...buckets],
    }),
  }),
});

type Answer = {
  readonly referenceId: string | null;
  readonly feature: Feature;
  readonly bucket: Bucket;
  readonly timeZone: string;
  readonly groupBy: string | null;
  readonly series: UsageSeries;
};

const UsageSeriesType = builder.objectRef<Answer>('UsageSeries').implement({
  description: 'Use over time, in whole buckets without a gap.',
  fields: (t) => ({
    referenceId: t.exposeString('referenceId', {
      nullable: true,
      description: "Whose. Null: all the tenant's customers together.",
    }),
    feature: t.expose('feature', { type: FeatureType, description: 'What was used.' }),
    bucket: t.expose('bucket', { type: BucketEnum, description: 'How long each bucket is.' }),
    timeZone: t.exposeString('timeZone', { description: 'IANA name of the zone whose calendar the buckets follow.' }),
    total: t.field({
      type: UsageBucketType,
      description: 'Of all buckets together; its time is theirs.',
      resolve: ({ series }) => series.total,
    }),
    buckets: t.field({
      type: [UsageBucketType],
      description: 'In order of time, also those without use.',
      resolve: ({ series }) => [...series.buckets],
    }),
    groupBy: t.exposeString('groupBy', { nullable: true, description: 'The property that it is grouped by.' }),
    groups: t.field({
      type: [UsageGroupType],
      description: 'By `used`, largest first; the rest last. They add up to `buckets`. Empty without `groupBy`.',
      resolve: ({ series }) => [...series.groups],
    }),
  }),
});

builder.queryField('usageSeries', (t) =>
  t.field({
    type: UsageSeriesType,
    nullable: true,
    description: `What was used over time. The buckets are whole: the first is the one that \`from\` lies in. At most ${BUCKETS_MAX} buckets, and with \`groupBy\` at most ${POINTS_MAX} points. Unknown customer or feature: null, and an error with \`extensions.code\` \`CUSTOMER_NOT_FOUND\` or \`FEATURE_NOT_FOUND\`. Scope \`read\`, or a customer token: then its own.`,
    args: {
      referenceId: t.arg.string({ description: "Whose; all the tenant's customers together when left out." }),
      featureKey: t.arg.string({ required: true, description: 'Key of the feature.' }),
      from: t.arg({ type: 'DateTime', required: true, description: 'An instant in the first bucket.' }),
      to: t.arg({
        type: 'DateTime',
        required: true,
        description: 'Where the last bucket ends, at the latest: not in it.',
      }),
      bucket: t.arg({ type: BucketEnum, required: true, description: 'How long a bucket is.' }),
      timeZone: t.arg.string({
        description: "IANA name, like `Europe/Berlin`. The customer's when left out, or the tenant's for all of them.",
      }),
      groupBy: t.arg.string({
        description: "One of the feature's `dimensions`: also tells the use of each value. Not with a customer token.",
      }),
      groups: t.arg.int({
        required: true,
        defaultValue: GROUPS_DEFAULT,
        description: `How many values to tell apart, from 1 to ${GROUPS_MAX}; the others are one group.`,
      }),
    },
    resolve: async (_root, { featureKey, from, to, bucket, groups, ...args }, context): Promise<Answer> => {
      const whose = await oneOrAll(context, args.referenceId);
      const feature = await pastFeature(context, featureKey);
      const timeZone = bounds.isGiven(args.timeZone)
        ? bounds.timeZone(args.timeZone, ['timeZone'])
        : await ownTimeZone(context, whose);
      const groupBy = groupingFor(context, args.groupBy);
      const request = { customerId: whose?.customerId ?? null, feature, bucket, timeZone, groupBy, groups };
      const series = await readUsageSeries(context.services, reader(context).tenantId, {
        ...request,
        fromMs: from,
        toMs: to,
      });
      return { referenceId: whose?.referenceId ?? null, feature, bucket, timeZone, groupBy, series };
    },
  }),
);

/** A feature that is or was in use. @throws {MeterError} `FEATURE_NOT_FOUND` */
async function pastFeature(context: Context, featureKey: string): Promise<Feature> {
  await onceKnownFeature(context, featureKey);
  const { features } = await catalogOf(context);
  const feature = features.get(featureKey);
  if (feature) return feature;
  throw await unknownFeature(context, featureKey, ['featureKey']);
}

type Whose = Awaited<ReturnType<typeof oneOrAll>>;

/** @throws {MeterError} `CUSTOMER_NOT_FOUND` */
async function ownTimeZone(context: Context, whose: Whose): Promise<string> {
  if (whose === null) return (await tenantOf(context)).timeZone;
  const customer = await customers(context).load(whose.customerId);
  if (customer) return customer.timeZone;
  throw customerNotFound(whose.referenceId, ['referenceId']);
}

/** Properties are the app's own. @throws {MeterError} `FORBIDDEN` for a customer who asks by them. */
function groupingFor(context: Context, groupBy: string | null | undefined): string | null {
  if (!bounds.isGiven(groupBy)) return null;
  if (reader(context).kind === 'api-key') return groupBy;
  throw new MeterError(
    'FORBIDDEN',
    'Grouping reads the properties of events, which a customer token may not; leave out `groupBy`.',
  );
}
