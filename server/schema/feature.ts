/** feature — what is metered. */
import { saveFeature } from '../actions/save-feature.ts';
import type { Aggregation, Feature } from '../domain/feature.ts';
import { DEFAULT_THRESHOLDS } from '../domain/threshold.ts';
import { admin, maySee, reader, tenantReader } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { catalogPage, catalogPageArgs } from './catalog-page.ts';
import { connectionType } from './connection.ts';
import { resultUnion } from './errors.ts';
import { limitEditOf, limitInputFields, limitOutputFields } from './limit-fields.ts';
import { catalogOf } from './loaders.ts';
import { Node } from './node.ts';
import { encodeNodeId } from './node-id.ts';
import { AnchorEnum, IntervalInput, IntervalType, partsOf, ResetEnum, resetFrom, resetWordOf } from './period.ts';
import { ThresholdType } from './threshold.ts';

const AggregationEnum = wordEnum<Aggregation>('Aggregation', 'How events add up to what is used.', {
  count: 'Events are counted, one each.',
  sum: 'The amounts of the events are added.',
  max: 'The largest amount of an event.',
  unique: 'Distinct values of the property `of` are counted, each once a period.',
  duration: 'Times are added, in the `unit` of the feature: second, minute, hour or day.',
  latest: 'A gauge: the amount of an event is the new level, which lives on in the next period.',
  weighted_sum:
    'A quantity that is held: amounts change it, and count by the share of the period that they are held for. It lives on in the next period.',
});

export const FeatureType = builder.objectRef<Feature>('Feature').implement({
  description: 'What is metered. Its limit fields are defaults that a plan or a customer may override.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ tenantId, key }) => encodeNodeId('Feature', tenantId, key),
    }),
    key: t.exposeString('key', { description: 'Also the name of its events. Unique in the tenant.' }),
    displayName: t.exposeString('displayName', { description: 'As people read it.' }),
    unit: t.exposeString('unit', {
      nullable: true,
      description: 'Singular, as people say it: `call`, `GB`. Null when it simply counts.',
    }),
    aggregation: t.expose('aggregation', { type: AggregationEnum, description: 'How events add up.' }),
    of: t.exposeString('of', {
      nullable: true,
      description: 'The property whose distinct values `UNIQUE` counts. Null for every other aggregation.',
    }),
    reset: t.field({
      type: ResetEnum,
      description: 'When counters start again from zero.',
      resolve: ({ reset }) => resetWordOf(reset),
    }),
    resetInterval: t.field({
      type: IntervalType,
      nullable: true,
      description: 'How long an `INTERVAL` is. Null for every other `reset`.',
      resolve: ({ reset }) => partsOf(reset),
    }),
    anchor: t.expose('anchor', {
      type: AnchorEnum,
      description: 'What periods follow; an `INTERVAL` always the start.',
    }),
    dimensions: t.field({
      type: ['String'],
      description: 'Properties by whose values the usage series can be grouped.',
      resolve: ({ dimensions }) => [...dimensions],
    }),
    limit: t.expose('limit', {
      type: 'Decimal',
      nullable: true,
      description: 'The cap (hard) or the line that alerts and overage start from (soft). Null is unlimited.',
    }),
    thresholds: t.field({
      type: [ThresholdType],
      description: 'Lines that raise an alert.',
      resolve: ({ thresholds }) => [...(thresholds ?? DEFAULT_THRESHOLDS)],
    }),
    ...limitOutputFields(t, (feature) => feature),
    details: t.field({
      type: ['String'],
      description: 'Lines for a price page or tooltip.',
      resolve: ({ details }) => [...details],
    }),
    archivedAt: t.expose('archivedAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was removed: no new use, its history stays. Null while it is in use.',
    }),
  }),
});

const FeatureConnection = connectionType(FeatureType);

builder.queryFields((t) => ({
  feature: t.field({
    type: FeatureType,
    nullable: true,
    description: 'A feature by its key, archived ones too; null where there is none. Scope `read`.',
    args: { key: t.arg.string({ required: true, description: 'Key of the feature.' }) },
    resolve: async (_root, { key }, context) =>
      maySee(reader(context), key) ? (await catalogOf(context)).features.get(key) : null,
  }),
  features: t.field({
    type: FeatureConnection,
    description: 'All features, by key. Scope `read`; not for customer tokens.',
    args: catalogPageArgs,
    resolve: async (_root, args, context) => {
      const { tenantId } = tenantReader(context);
      return catalogPage('features', tenantId, (await catalogOf(context)).features, args);
    },
  }),
}));

const SaveFeatureInput = builder.inputType('SaveFeatureInput', {
  description:
    'A feature, or what is to change of it. Of one that is there, fields left out stay as they are; null goes back to the default.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: 'Also the name of its events: a letter, then letters, digits and _ . : -, at most 64 in all.',
    }),
    displayName: t.string({ description: 'As people read it; made from the key by default.' }),
    unit: t.string({
      description:
        'Singular, as people say it: `call`, `GB`. None by default. Of a `DURATION`: second, minute, hour or day.',
    }),
    aggregation: t.field({ type: AggregationEnum, description: 'How events add up. `SUM` by default.' }),
    of: t.string({ description: 'The property whose distinct values `UNIQUE` counts; goes with that alone.' }),
    reset: t.field({ type: ResetEnum, description: 'When counters start again from zero. `MONTHLY` by default.' }),
    resetInterval: t.field({ type: IntervalInput, description: 'A length of time of its own, in place of `reset`.' }),
    anchor: t.field({ type: AnchorEnum, description: 'What periods follow. `CALENDAR` by default.' }),
    dimensions: t.stringList({
      description: 'Properties by whose values the usage series can be grouped; at most 5, none by default.',
    }),
    ...limitInputFields(t),
    details: t.stringList({ description: 'Lines for a price page or tooltip; at most 50, none by default.' }),
  }),
});

const SaveFeatureResult = resultUnion('SaveFeatureResult', FeatureType, ['INVALID_INPUT']);

builder.mutationField('saveFeature', (t) =>
  t.field({
    type: SaveFeatureResult.type,
    description: 'Makes a feature, or changes what it is; an archived one comes back. Scope `admin`.',
    args: { input: t.arg({ type: SaveFeatureInput, required: true, description: 'The feature.' }) },
    resolve: (_root, { input }, context) =>
      SaveFeatureResult.answer(context, () => {
        const { tenantId } = admin(context);
        const { key, displayName, unit, aggregation, of, anchor, dimensions, details } = input;
        const reset = resetFrom(input, ['input']);
        return saveFeature(context.services, tenantId, {
          ...limitEditOf(input, ['input']),
          key,
          ...(displayName !== undefined && { displayName }),
          ...(unit !== undefined && { unit }),
          ...(aggregation !== undefined && { aggregation }),
          ...(of !== undefined && { of }),
          ...(reset !== undefined && { reset }),
          ...(anchor !== undefined && { anchor }),
          ...(dimensions !== undefined && { dimensions }),
          ...(details !== undefined && { details }),
        });
      }),
  }),
);
