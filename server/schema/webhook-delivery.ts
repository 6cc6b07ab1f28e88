/** webhook-delivery — what was sent to endpoints, what came of it, and how it is sent again. */
import { listWebhookDeliveries } from '../actions/find-webhooks.ts';
import { type Replayed, replayDelivery, replayFailedDeliveries } from '../actions/replay-deliveries.ts';
import { sendTestEvent } from '../actions/send-test-event.ts';
import { MeterError } from '../domain/errors.ts';
import type { Delivery, DeliveryState } from '../domain/webhook-endpoint.ts';
import { admin } from './access.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { resultUnion } from './errors.ts';
import { encodeNodeId, uuidOfType } from './node-id.ts';
import { endpointIdOf } from './webhook-endpoint.ts';

const DeliveryStateEnum = wordEnum<DeliveryState>('WebhookDeliveryState', 'How far a delivery has come.', {
  pending: 'It is to be sent, for the first time or again.',
  delivered: 'The endpoint took it.',
  failed: 'It is not sent again by itself: 3 days have passed, or the endpoint was disabled.',
});

const WebhookDeliveryType = builder.objectRef<Delivery>('WebhookDelivery').implement({
  description: 'One event on its way to one endpoint. It is kept for 30 days after the three in which it is tried.',
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ id }) => encodeNodeId('WebhookDelivery', id),
    }),
    endpointId: t.id({
      description: 'The `id` of the endpoint.',
      resolve: ({ endpointId }) => encodeNodeId('WebhookEndpoint', endpointId),
    }),
    eventId: t.exposeString('eventId', { description: 'The `id` in the event, and the header `webhook-id`.' }),
    eventType: t.string({
      description: 'The `type` in the event, as in `metergraph.limit.exceeded`.',
      resolve: ({ eventType }) => `metergraph.${eventType}`,
    }),
    referenceId: t.exposeString('referenceId', {
      nullable: true,
      description: "The app's own id of the customer it is about. Null where it is about none.",
    }),
    data: t.field({ type: 'JSON', description: 'What the event says.', resolve: ({ data }) => data }),
    occurredAt: t.expose('occurredAtMs', { type: 'DateTime', description: 'When it happened.' }),
    state: t.expose('state', { type: DeliveryStateEnum, description: 'How far it has come.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried.' }),
    nextAttemptAt: t.expose('nextAttemptAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again. Null where it is not.',
    }),
    lastStatus: t.exposeInt('lastStatus', {
      nullable: true,
      description: 'The status that the last try was answered with. Null where there was no answer.',
    }),
    lastError: t.exposeString('lastError', { nullable: true, description: 'Why the last try failed, as a sentence.' }),
    lastDurationMs: t.exposeInt('lastDurationMs', {
      nullable: true,
      description: 'How long the last try took, in milliseconds.',
    }),
    deliveredAt: t.expose('deliveredAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When the endpoint took it. Null until then.',
    }),
    createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'When it was first to be sent.' }),
  }),
});

const WebhookDeliveryConnection = connectionType(WebhookDeliveryType);

builder.queryField('webhookDeliveries', (t) =>
  t.field({
    type: WebhookDeliveryConnection,
    description: 'The log of what was and is to be sent, the newest first. Scope `admin`.',
    args: {
      ...pageArgs,
      endpointId: t.arg.id({ description: 'Only to this endpoint; to all when left out.' }),
      state: t.arg({ type: DeliveryStateEnum, description: 'Only those that have come so far; all when left out.' }),
    },
    resolve: (_root, { endpointId, state, ...page }, context) => {
      const { tenantId } = admin(context);
      const filter = { endpointId: bounds.isGiven(endpointId) ? knownForm(endpointId) : null, state: state ?? null };
      const order = { ...BY_TIME, list: `webhook-deliveries ${filter.endpointId ?? ''}`, tenantId };
      return connectionOf(page, order, (request) => listWebhookDeliveries(context.services, tenantId, filter, request));
    },
  }),
);

const BY_TIME = {
  positionOf: ({ createdAtMs, id }: Delivery) => [`${createdAtMs}`, id],
  shape: [/^\d{1,14}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  parse: ([createdAtMs = '0', id = '']: readonly string[]) => ({ createdAtMs: Number(createdAtMs), id }),
};

/** One of an endpoint that is gone, or another tenant's, has no deliveries. @throws {MeterError} for what is no such id. */
function knownForm(text: string): string {
  const id = endpointIdOf(text);
  if (id !== null) return id;
  const sentence = 'There is no such webhook endpoint; pass the `id` that webhookEndpoints says.';
  throw new MeterError('WEBHOOK_ENDPOINT_NOT_FOUND', sentence, { path: ['endpointId'] });
}

const SendTestEventInput = builder.inputType('SendTestEventInput', {
  description: 'Which endpoint is tried.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'The `id` of the endpoint.' }) }),
});

const ReplayDeliveryInput = builder.inputType('ReplayDeliveryInput', {
  description: 'What is sent again.',
  fields: (t) => ({ deliveryId: t.id({ required: true, description: 'The `id` of the delivery.' }) }),
});

const ReplayFailedDeliveriesInput = builder.inputType('ReplayFailedDeliveriesInput', {
  description: 'What is sent again.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'The `id` of the endpoint.' }),
    since: t.field({
      type: 'DateTime',
      required: true,
      description: 'All that were first to be sent since then, and have failed.',
    }),
  }),
});

const ReplayedDeliveriesType = builder.objectRef<Replayed>('ReplayedDeliveries').implement({
  description: 'What is sent again.',
  fields: (t) => ({ count: t.exposeInt('count', { description: 'How many deliveries.' }) }),
});

const TestResult = resultUnion('SendTestEventResult', WebhookDeliveryType, [
  'WEBHOOK_ENDPOINT_NOT_FOUND',
  'INVALID_INPUT',
]);
const ReplayResult = resultUnion('ReplayDeliveryResult', WebhookDeliveryType, [
  'WEBHOOK_DELIVERY_NOT_FOUND',
  'WEBHOOK_ENDPOINT_NOT_FOUND',
  'INVALID_INPUT',
]);
const ReplayFailedResult = resultUnion('ReplayFailedDeliveriesResult', ReplayedDeliveriesType, [
  'WEBHOOK_ENDPOINT_NOT_FOUND',
  'INVALID_INPUT',
]);

builder.mutationFields((t) => ({
  sendTestEvent: t.field({
    type: TestResult.type,
    description:
      'Sends an endpoint an event of type `metergraph.webhook.test`, whatever it is told of otherwise. Scope `admin`.',
    args: { input: t.arg({ type: SendTestEventInput, required: true, description: 'Which endpoint.' }) },
    resolve: (_root, { input }, context) =>
      TestResult.answer(context, () =>
        sendTestEvent(context.services, admin(context).tenantId, endpointIdOf(input.endpointId)),
      ),
  }),
  replayDelivery: t.field({
    type: ReplayResult.type,
    description: 'Sends a delivery again, with the same id, whatever became of it. Scope `admin`.',
    args: { input: t.arg({ type: ReplayDeliveryInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, context) =>
      ReplayResult.answer(context, () =>
        replayDelivery(context.services, admin(context).tenantId, uuidOfType(input.deliveryId, 'WebhookDelivery')),
      ),
  }),
  replayFailedDeliveries: t.field({
    type: ReplayFailedResult.type,
    description: 'Sends everything again that an endpoint did not take since then. Scope `admin`.',
    args: { input: t.arg({ type: ReplayFailedDeliveriesInput, required: true, description: 'Which ones.' }) },
    resolve: (_root, { input }, context) =>
      ReplayFailedResult.answer(context, () =>
        replayFailedDeliveries(context.services, admin(context).tenantId, {
          endpointId: endpointIdOf(input.endpointId),
          sinceMs: input.since,
        }),
      ),
  }),
}));
