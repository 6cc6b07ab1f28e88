/** alert — a customer reached a threshold. */
import { acknowledgeAlert } from '../actions/acknowledge-alert.ts';
import { listAlerts } from '../actions/find-alerts.ts';
import type { Alert } from '../domain/alert.ts';
import { encodeAlertCursor } from '../domain/cursor.ts';
import { MeterError } from '../domain/errors.ts';
import type { AlertStreamItem } from '../events/stream-items.ts';
import { admin, maySee, reader, visibleFeatures } from './access.ts';
import { builder } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { CursorExpiredType } from './cursor-expired.ts';
import { resultUnion } from './errors.ts';
import { onceKnownFeature, oneOrAll } from './existing.ts';
import { Node } from './node.ts';
import { decodeNodeId, encodeNodeId, sequencedKey } from './node-id.ts';
import { ThresholdType } from './threshold.ts';
import { told, toldOf } from './told.ts';

export const AlertType = builder.objectRef<Alert>('Alert').implement({
  description:
    'A stored fact: this customer reached this threshold of this feature in this period. There is exactly one for each.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ customerId, sequence }) => encodeNodeId('Alert', customerId, sequence.toString()),
    }),
    referenceId: t.exposeString('referenceId', { description: "The app's own id of the customer." }),
    featureKey: t.exposeString('featureKey', { description: 'Key of the feature.' }),
    threshold: t.expose('threshold', { type: ThresholdType, description: 'The line that was reached.' }),
    used: t.expose('used', { type: 'Decimal', description: 'Units used after the call that reached it.' }),
    limit: t.expose('limit', {
      type: 'Decimal',
      nullable: true,
      description: 'The limit at that time. Null is unlimited.',
    }),
    raisedAt: t.expose('raisedAtMs', { type: 'DateTime', description: 'When it was reached.' }),
    acknowledgedAt: t.expose('acknowledgedAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When somebody acknowledged it, if anybody has.',
    }),
    cursor: t.string({
      description: 'Resume point right after this alert: pass it as `after` to `alertRaised`.',
      resolve: ({ tenantId, sequence }, _args, { services }) =>
        encodeAlertCursor({ tenantId, sequence, atMs: services.clock.now() }),
    }),
  }),
});

const AlertConnection = connectionType(AlertType);

builder.queryField('alerts', (t) =>
  t.field({
    type: AlertConnection,
    description:
      'Alerts, newest first. Unknown customer or feature: an error with `extensions.code` `CUSTOMER_NOT_FOUND` or `FEATURE_NOT_FOUND`. Scope `read`, or a customer token: then its own.',
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
      const order = {
        list: customerId === null ? 'alerts' : `alerts ${customerId}`,
        tenantId,
        positionOf: ({ sequence }: Alert) => [sequence.toString()],
        shape: [/^\d{1,18}$/],
        parse: ([sequence = '0']: readonly string[]) => BigInt(sequence),
      };
      return connectionOf(page, order, (request) =>
        listAlerts(context.services, tenantId, { customerId, featureKeys }, request),
      );
    },
  }),
);

const AcknowledgeAlertInput = builder.inputType('AcknowledgeAlertInput', {
  description: 'Which alert was seen.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The `id` of the alert.' }) }),
});

const AcknowledgeAlertResult = resultUnion('AcknowledgeAlertResult', AlertType, ['ALERT_NOT_FOUND']);

builder.mutationField('acknowledgeAlert', (t) =>
  t.field({
    type: AcknowledgeAlertResult.type,
    description: 'Marks an alert as seen; doing it again changes nothing. Scope `admin`.',
    args: { input: t.arg({ type: AcknowledgeAlertInput, required: true, description: 'Which alert.' }) },
    resolve: (_root, { input }, context) =>
      AcknowledgeAlertResult.answer(context, async () => {
        const { tenantId } = admin(context);
        const id = decodeNodeId(input.id);
        const key = id?.type === 'Alert' ? sequencedKey(id) : null;
        const alert = key && (await acknowledgeAlert(context.services, tenantId, key));
        if (alert) return alert;
        throw new MeterError('ALERT_NOT_FOUND', 'There is no alert with this id; pass the `id` of an alert.', {
          path: ['input', 'id'],
        });
      }),
  }),
);

type Raised = Extract<AlertStreamItem, { kind: 'alert' }>;

const AlertRaisedType = builder.objectRef<Raised>('AlertRaised').implement({
  description: 'An alert, heard as it was raised, or afterwards by a stream that resumed.',
  fields: (t) => ({
    alert: t.expose('alert', { type: AlertType, description: 'The alert.' }),
    cursor: t.exposeString('cursor', { description: 'Resume point: pass it as `after`.' }),
  }),
});

const ALERT_ITEMS = { alert: AlertRaisedType, 'cursor-expired': CursorExpiredType } as const;

const AlertStreamItemType = builder.unionType('AlertStreamItem', {
  description: 'What a subscriber of alerts hears.',
  types: Object.values(ALERT_ITEMS),
  resolveType: ({ kind }) => ALERT_ITEMS[kind].name,
});

builder.subscriptionField('alertRaised', (t) =>
  t.field({
    type: AlertStreamItemType,
    description:
      'Every alert, once and in order; with `after`, those missed since come first. None is merged or lost. Scope `read`, or a customer token: then its own.',
    args: {
      referenceId: t.arg.string({ description: "Whose; all the tenant's customers when left out." }),
      after: t.arg.string({
        description:
          'Resume point: the `cursor` of the last item or, for one customer, of a `Usage`. From now on when left out.',
      }),
    },
    subscribe: async (_root, { referenceId, after }, context) => {
      const viewer = reader(context);
      const customerId = (await oneOrAll(context, referenceId))?.customerId ?? null;
      const selection = { tenantId: viewer.tenantId, customerId, after: after ?? null };
      return told(
        context.services.streams.alertRaised(selection),
        (item) => item.kind !== 'alert' || maySee(viewer, item.alert.featureKey),
      );
    },
    resolve: toldOf,
  }),
);
