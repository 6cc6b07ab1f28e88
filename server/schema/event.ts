/** event — one immutable record of use. */
import { listEvents } from '../actions/find-events.ts';
import type { UsageEvent } from '../domain/event.ts';
import type { Units } from '../domain/units.ts';
import { anyone, reader, visibleFeatures } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { eventFilterOf } from './event-filter.ts';
import { onceKnownFeature, oneOrAll } from './existing.ts';
import { MoneyType } from './money.ts';
import { Node } from './node.ts';
import { encodeNodeId } from './node-id.ts';

const EventKindEnum = wordEnum('EventKind', 'What made an event.', {
  use: 'A call that asked first: `consume`.',
  record: 'Use that had happened already: `recordUsage`.',
  commit: 'Use of what had been reserved.',
  reversal: 'Another event was taken back.',
  carry: 'The level with which a gauge begins a period.',
  reset: 'A period was ended by hand.',
});

const moneyOf = ({ currency }: UsageEvent, amount: Units) => (currency === null ? null : { amount, currency });

export const EventType = builder.objectRef<UsageEvent>('Event').implement({
  description: 'One immutable record of use.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ customerId, sequence }) => encodeNodeId('Event', customerId, sequence.toString()),
    }),
    referenceId: t.exposeString('referenceId', { description: "The app's own id of the customer." }),
    featureKey: t.exposeString('featureKey', { description: 'Key of the feature.' }),
    kind: t.expose('kind', { type: EventKindEnum, description: 'What made it.' }),
    entityId: t.exposeString('entityId', {
      nullable: true,
      description: 'The entity under the customer, a seat or workspace, that used it. Null for the customer itself.',
    }),
    reported: t.expose('reported', {
      type: 'Decimal',
      description: 'As it was sent: an amount, or the level of a gauge.',
    }),
    amount: t.expose('amount', { type: 'Decimal', description: 'Units taken; below 0 where they were given back.' }),
    included: t.field({
      type: 'Decimal',
      description: 'The part of `amount` that the plan includes.',
      resolve: ({ amount, credits, wallet, overage }) => amount - credits - wallet - overage,
    }),
    credits: t.expose('credits', { type: 'Decimal', description: 'The part of `amount` that credits paid for.' }),
    wallet: t.expose('wallet', { type: 'Decimal', description: 'The part of `amount` that the wallet paid for.' }),
    overage: t.expose('overage', {
      type: 'Decimal',
      description: 'The part of `amount` that is billed, or not paid for.',
    }),
    cost: t.field({
      type: MoneyType,
      nullable: true,
      description: 'What the units of wallet and overage cost. Null where the feature had no price.',
      resolve: (event) => moneyOf(event, event.cost),
    }),
    walletCharge: t.field({
      type: MoneyType,
      nullable: true,
      description: 'What of `cost` the wallet paid. Null where the feature had no price.',
      resolve: (event) => moneyOf(event, event.walletCharge),
    }),
    usedAfter: t.expose('usedAfter', { type: 'Decimal', description: 'Units used in the period after this event.' }),
    reversedEventId: t.id({
      nullable: true,
      description: 'The `id` of the event that this one takes back. Null for any other.',
      resolve: ({ customerId, reverses }) =>
        reverses === null ? null : encodeNodeId('Event', customerId, reverses.toString()),
    }),
    idempotencyKey: t.exposeString('idempotencyKey', {
      nullable: true,
      description: 'The key it was sent with. Null where there was none.',
    }),
    properties: t.field({
      type: 'JSON',
      nullable: true,
      description: "The app's own properties of the event. Always null with a customer token.",
      resolve: ({ properties }, _args, context) => (anyone(context).kind === 'customer' ? null : properties),
    }),
    occurredAt: t.expose('occurredAtMs', { type: 'DateTime', description: 'When the use happened.' }),
    recordedAt: t.expose('recordedAtMs', { type: 'DateTime', description: 'When it was recorded.' }),
  }),
});

const EventConnection = connectionType(EventType);

builder.queryField('events', (t) =>
  t.field({
    type: EventConnection,
    description:
      'Events, newest first; of several filters all must hold. Unknown customer or feature: an error with `extensions.code` `CUSTOMER_NOT_FOUND` or `FEATURE_NOT_FOUND`. Scope `read`, or a customer token: then its own.',
    args: {
      ...pageArgs,
      referenceId: t.arg.string({ description: "Whose; all the tenant's customers when left out." }),
      featureKey: t.arg.string({ description: 'Of which feature; all when left out.' }),
      kind: t.arg({ type: EventKindEnum, description: 'Made by what; all when left out.' }),
      from: t.arg({
        type: 'DateTime',
        description: 'Only use that happened at this instant or later: see `occurredAt`.',
      }),
      to: t.arg({ type: 'DateTime', description: 'Only use that happened before this instant.' }),
      idempotencyKey: t.arg.string({ description: 'Only what was sent with this key.' }),
      properties: t.arg({
        type: 'JSON',
        description:
          'Only events whose properties have all of these: `{ model: "large" }`. At most 16 KiB. Not with a customer token.',
      }),
    },
    resolve: async (_root, { referenceId, featureKey, first, after, ...filters }, context) => {
      const viewer = reader(context);
      const { tenantId } = viewer;
      const customerId = (await oneOrAll(context, referenceId))?.customerId ?? null;
      const only = await onceKnownFeature(context, featureKey);
      const featureKeys = only === null ? visibleFeatures(viewer) : [only];
      const list = customerId === null ? 'events' : `events ${customerId}`;
      const filter = { customerId, featureKeys, ...eventFilterOf(context, filters) };
      return connectionOf({ first, after }, { ...BY_TIME, list, tenantId }, (request) =>
        listEvents(context.services, tenantId, filter, request),
      );
    },
  }),
);

const BY_TIME = {
  positionOf: ({ recordedAtMs, customerId, sequence }: UsageEvent) => [`${recordedAtMs}`, customerId, `${sequence}`],
  shape: [/^\d{1,15}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, /^\d{1,18}$/],
  parse: ([recordedAtMs = '0', customerId = '', sequence = '0']: readonly string[]) => ({
    recordedAtMs: Number(recordedAtMs),
    customerId,
    sequence: BigInt(sequence),
  }),
};
