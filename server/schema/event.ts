/** event — one immutable record of use. */
import { listEvents } from '../actions/find-events.ts';
import type { UsageEvent } from '../domain/event.ts';
import { anyone, reader, visibleFeatures } from './access.ts';
import { builder } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { onceKnownFeature, oneOrAll } from './existing.ts';
import { Node } from './node.ts';
import { encodeNodeId } from './node-id.ts';

const EventType = builder.objectRef<UsageEvent>('Event').implement({
  description: 'One immutable record of use.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ customerId, sequence }) => encodeNodeId('Event', customerId, sequence.toString()),
    }),
    referenceId: t.exposeString('referenceId', { description: "The app's own id of the customer." }),
    featureKey: t.exposeString('featureKey', { description: 'Key of the feature.' }),
    amount: t.expose('amount', { type: 'Decimal', description: 'Units taken; below 0 where they were given back.' }),
    usedAfter: t.expose('usedAfter', { type: 'Decimal', description: 'Units used in the period after this event.' }),
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
      'Events, newest first. Unknown customer or feature: an error with `extensions.code` `CUSTOMER_NOT_FOUND` or `FEATURE_NOT_FOUND`. Scope `read`, or a customer token: then its own.',
    args: {
      ...pageArgs,
      referenceId: t.arg.string({ description: "Whose; all the tenant's customers when left out." }),
      featureKey: t.arg.string({ description: 'Of which feature; all when left out.' }),
    },
    resolve: async (_root, { referenceId, featureKey, ...page }, context) => {
      const viewer = reader(context);
      const { tenantId } = viewer;
      const customerId = (await oneOrAll(context, referenceId))?.customerId ?? null;
      const only = await onceKnownFeature(context, featureKey);
      const featureKeys = only === null ? visibleFeatures(viewer) : [only];
      const list = customerId === null ? 'events' : `events ${customerId}`;
      return connectionOf(page, { ...BY_TIME, list, tenantId }, (request) =>
        listEvents(context.services, tenantId, { customerId, featureKeys }, request),
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
