/** entity-usage — what the entities under a customer, its seats or workspaces, have used of a meter. */
import { findEntityUsage, listEntityUsages } from '../actions/find-entity-usage.ts';
import type { Context } from '../context.ts';
import type { EntityUsage } from '../domain/entity-usage.ts';
import { customerNotFound } from '../domain/errors.ts';
import type { Usage } from '../domain/usage.ts';
import { reader, referenceOf } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { knownFeature } from './existing.ts';
import { metersOf } from './loaders.ts';
import { PeriodType } from './period.ts';

const EntityUsageType = builder.objectRef<EntityUsage>('EntityUsage').implement({
  description:
    'What one entity under a customer has used of a meter in the running period, within the limit that all of them share.',
  fields: (t) => ({
    entityId: t.exposeString('entityId', { description: "The app's own id of the seat, workspace or the like." }),
    used: t.expose('used', {
      type: 'Decimal',
      description: 'Units it used in this period; also counted to the customer.',
    }),
    reserved: t.expose('reserved', {
      type: 'Decimal',
      description: 'Units that open reservations hold for it, and are not used yet. They count against the limit.',
    }),
    limit: t.expose('limit', {
      type: 'Decimal',
      nullable: true,
      description:
        "What each entity may use: the `entityLimit` of the customer's policy. Null: no limit of its own; 0 where not entitled.",
    }),
    remaining: t.expose('remaining', {
      type: 'Decimal',
      nullable: true,
      description:
        'Units left to it: under its own limit or the one it shares, whichever leaves less; never below 0. Null is unlimited.',
    }),
    period: t.expose('period', { type: PeriodType, description: 'The time in which `used` has been counted.' }),
  }),
});

const EntityUsageConnection = connectionType(EntityUsageType);

type Asked = { readonly referenceId?: string | null | undefined; readonly featureKey: string };

/**
 * The meter that the entities share, as it stands.
 *
 * @throws {MeterError} `CUSTOMER_NOT_FOUND`, `FEATURE_NOT_FOUND`, `INVALID_INPUT`
 */
async function sharedMeter(context: Context, { referenceId, featureKey }: Asked): Promise<Usage> {
  const customer = referenceOf(reader(context), referenceId);
  await knownFeature(context, featureKey, ['featureKey']);
  const [meter] = (await metersOf(context, customer.customerId, [featureKey])) ?? [];
  if (meter) return meter.usage;
  throw customerNotFound(customer.referenceId, ['referenceId']);
}

const NOT_FOUND =
  'Unknown customer or feature: an error with `extensions.code` `CUSTOMER_NOT_FOUND` or `FEATURE_NOT_FOUND`.';
const WHOSE = 'Whose. With a customer token it may be left out.';
const WHAT = 'Key of the feature.';

builder.queryFields((t) => ({
  entityUsages: t.field({
    type: EntityUsageConnection,
    description: `The entities under a customer that used or reserved something in the running period, by id. ${NOT_FOUND} Scope \`read\`, or a customer token: then its own.`,
    args: {
      ...pageArgs,
      referenceId: t.arg.string({ description: WHOSE }),
      featureKey: t.arg.string({ required: true, description: WHAT }),
    },
    resolve: async (_root, { first, after, ...asked }, context) => {
      const usage = await sharedMeter(context, asked);
      const order = {
        list: `entities ${usage.customerId} ${usage.feature.key}`,
        tenantId: usage.tenantId,
        positionOf: ({ entityId }: EntityUsage) => [entityId],
        shape: [/^[^\p{Cc}\p{Cs}]{1,255}$/u],
        parse: ([entityId = '']: readonly string[]) => entityId,
      };
      return connectionOf({ first, after }, order, (request) => listEntityUsages(context.services, usage, request));
    },
  }),
  entityUsage: t.field({
    type: EntityUsageType,
    nullable: true,
    description: `One entity under a customer; one that used nothing has zeros, for nobody makes entities known. ${NOT_FOUND} Scope \`read\`, or a customer token: then its own.`,
    args: {
      referenceId: t.arg.string({ description: WHOSE }),
      featureKey: t.arg.string({ required: true, description: WHAT }),
      entityId: t.arg.string({ required: true, description: 'The id that calls name as their `entityId`.' }),
    },
    resolve: async (_root, { entityId, ...asked }, context) => {
      const usage = await sharedMeter(context, asked);
      return findEntityUsage(context.services, usage, bounds.entityId(entityId, ['entityId']));
    },
  }),
}));
