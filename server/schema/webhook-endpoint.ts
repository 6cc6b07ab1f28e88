/** webhook-endpoint — where the tenant is told of what happens. */
import { type CreatedWebhookEndpoint, createWebhookEndpoint } from '../actions/create-webhook-endpoint.ts';
import { deleteWebhookEndpoint } from '../actions/delete-webhook-endpoint.ts';
import { listWebhookEndpoints } from '../actions/find-webhooks.ts';
import { rotateWebhookSecret } from '../actions/rotate-webhook-secret.ts';
import { updateWebhookEndpoint } from '../actions/update-webhook-endpoint.ts';
import type { EndpointKind, WebhookEndpoint } from '../domain/webhook-endpoint.ts';
import { admin } from './access.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { resultUnion } from './errors.ts';
import { encodeNodeId, uuidOfType } from './node-id.ts';

const WebhookEventTypeEnum = builder.enumType('WebhookEventType', {
  description:
    'What an endpoint may be told of. In the event itself it is written as `metergraph.usage.threshold_reached`.',
  values: {
    USAGE_THRESHOLD_REACHED: {
      value: 'usage.threshold_reached',
      description: 'An alert: a customer reached a threshold of a feature. Muted ones are not told.',
    },
    LIMIT_EXCEEDED: {
      value: 'limit.exceeded',
      description: 'A limit refused a call, or use went beyond a soft one. Once per customer, feature and period.',
    },
    BALANCE_LOW: { value: 'balance.low', description: "A wallet fell below the threshold of its plan's auto top-up." },
    BALANCE_TOPPED_UP: { value: 'balance.topped_up', description: 'Money was put into a wallet.' },
    PERIOD_CLOSED: { value: 'period.closed', description: 'A period of a feature ended and has its total.' },
    SUBSCRIPTION_CHANGED: {
      value: 'subscription.changed',
      description: 'A customer has another plan, or its subscription another status.',
    },
    BILLING_DEAD_LETTER: {
      value: 'billing.dead_letter',
      description: 'The biller does not take something, and somebody has to look at it.',
    },
  },
});

const WebhookEndpointKindEnum = wordEnum<EndpointKind>('WebhookEndpointKind', 'How an endpoint is told.', {
  webhook: 'By a signed POST.',
  email: 'By a mail for each event.',
});

const WebhookEndpointType = builder.objectRef<WebhookEndpoint>('WebhookEndpoint').implement({
  description: 'A place that is told of what happens. Its secret is not shown again.',
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ id }) => encodeNodeId('WebhookEndpoint', id),
    }),
    kind: t.expose('kind', { type: WebhookEndpointKindEnum, description: 'How it is told.' }),
    url: t.exposeString('url', { description: 'Where: `https://…`, or `mailto:…`.' }),
    eventTypes: t.field({
      type: [WebhookEventTypeEnum],
      description: 'What it is told of.',
      resolve: ({ eventTypes }) => [...eventTypes],
    }),
    isManaged: t.exposeBoolean('managed', {
      description: 'Whether it follows the setting ALERT_EMAIL_TO of the gateway.',
    }),
    createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'It is told of what happened since.' }),
    failingSince: t.expose('failingSinceMs', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when every try has failed. After 5 days of that it is disabled.',
    }),
    disabledAt: t.expose('disabledAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it is told nothing. Null while it is.',
    }),
    disabledReason: t.exposeString('disabledReason', { nullable: true, description: 'Why, as a sentence.' }),
  }),
});

const WebhookEndpointConnection = connectionType(WebhookEndpointType);

builder.queryField('webhookEndpoints', (t) =>
  t.field({
    type: WebhookEndpointConnection,
    description: 'All places that are told of what happens, the oldest first. Scope `admin`.',
    args: pageArgs,
    resolve: (_root, page, context) => {
      const { tenantId } = admin(context);
      const order = {
        list: 'webhook-endpoints',
        tenantId,
        positionOf: ({ createdAtMs, id }: WebhookEndpoint) => [`${createdAtMs}`, id],
        shape: [/^\d{1,14}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
        parse: ([createdAtMs = '0', id = '']: readonly string[]) => ({ createdAtMs: Number(createdAtMs), id }),
      };
      return connectionOf(page, order, (request) => listWebhookEndpoints(context.services, tenantId, request));
    },
  }),
);

const WebhookEndpointSecretType = builder.objectRef<CreatedWebhookEndpoint>('WebhookEndpointSecret').implement({
  description: 'A new secret. This is the only time that it is shown.',
  fields: (t) => ({
    secret: t.exposeString('secret', {
      nullable: true,
      description:
        'By which the receiver knows our messages: `whsec_…`. Null for mail, which is not signed. Keep it now.',
    }),
    endpoint: t.expose('endpoint', { type: WebhookEndpointType, description: 'Of which endpoint it is.' }),
  }),
});

const CreateWebhookEndpointInput = builder.inputType('CreateWebhookEndpointInput', {
  description: 'A place to be told of what happens.',
  fields: (t) => ({
    url: t.string({
      required: true,
      description: 'Where: `https://…` on the internet, or `mailto:…` where the gateway has a mail server.',
    }),
    eventTypes: t.field({ type: [WebhookEventTypeEnum], required: true, description: 'What of; at least one.' }),
  }),
});

const UpdateWebhookEndpointInput = builder.inputType('UpdateWebhookEndpointInput', {
  description: 'What is different from now on; what is left out stays.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'The `id` of the endpoint.' }),
    url: t.string({ description: 'Where.' }),
    eventTypes: t.field({ type: [WebhookEventTypeEnum], description: 'What of; at least one.' }),
    isDisabled: t.boolean({
      description:
        'True: it is told nothing, and what is on its way to it fails. False: it is told again of what happens from then on.',
    }),
  }),
});

const RotateWebhookSecretInput = builder.inputType('RotateWebhookSecretInput', {
  description: 'Whose secret is replaced.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'The `id` of the endpoint.' }) }),
});

const DeleteWebhookEndpointInput = builder.inputType('DeleteWebhookEndpointInput', {
  description: 'Which endpoint goes.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'The `id` of the endpoint.' }) }),
});

const CHANGE_ERRORS = ['WEBHOOK_ENDPOINT_NOT_FOUND', 'INVALID_INPUT'] as const;
const CreateResult = resultUnion('CreateWebhookEndpointResult', WebhookEndpointSecretType, ['INVALID_INPUT']);
const UpdateResult = resultUnion('UpdateWebhookEndpointResult', WebhookEndpointType, CHANGE_ERRORS);
const RotateResult = resultUnion('RotateWebhookSecretResult', WebhookEndpointSecretType, CHANGE_ERRORS);
const DeleteResult = resultUnion('DeleteWebhookEndpointResult', WebhookEndpointType, CHANGE_ERRORS);

export const endpointIdOf = (text: string): string | null => uuidOfType(text, 'WebhookEndpoint');

builder.mutationFields((t) => ({
  createWebhookEndpoint: t.field({
    type: CreateResult.type,
    description: 'Makes a place that is told from now on; the answer holds its secret, once. Scope `admin`.',
    args: { input: t.arg({ type: CreateWebhookEndpointInput, required: true, description: 'The place.' }) },
    resolve: (_root, { input }, context) =>
      CreateResult.answer(context, () => createWebhookEndpoint(context.services, admin(context).tenantId, input)),
  }),
  updateWebhookEndpoint: t.field({
    type: UpdateResult.type,
    description: 'Sends elsewhere, tells of other things, or nothing for a while. Scope `admin`.',
    args: { input: t.arg({ type: UpdateWebhookEndpointInput, required: true, description: 'What is different.' }) },
    resolve: (_root, { input }, context) =>
      UpdateResult.answer(context, () =>
        updateWebhookEndpoint(context.services, admin(context).tenantId, {
          endpointId: endpointIdOf(input.endpointId),
          url: input.url ?? null,
          eventTypes: input.eventTypes ?? null,
          isDisabled: bounds.isGiven(input.isDisabled) ? input.isDisabled : null,
        }),
      ),
  }),
  rotateWebhookSecret: t.field({
    type: RotateResult.type,
    description: 'Makes another secret; for 24 hours messages are signed by the old one as well. Scope `admin`.',
    args: { input: t.arg({ type: RotateWebhookSecretInput, required: true, description: 'Whose.' }) },
    resolve: (_root, { input }, context) =>
      RotateResult.answer(context, () =>
        rotateWebhookSecret(context.services, admin(context).tenantId, endpointIdOf(input.endpointId)),
      ),
  }),
  deleteWebhookEndpoint: t.field({
    type: DeleteResult.type,
    description: 'Removes an endpoint, with the log of what was sent to it. Scope `admin`.',
    args: { input: t.arg({ type: DeleteWebhookEndpointInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, context) =>
      DeleteResult.answer(context, () =>
        deleteWebhookEndpoint(context.services, admin(context).tenantId, endpointIdOf(input.endpointId)),
      ),
  }),
}));
