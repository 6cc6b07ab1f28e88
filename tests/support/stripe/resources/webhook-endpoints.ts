/** webhook-endpoints — where events are sent. The secret is told once, when one is made. */
import type Stripe from 'stripe';
import type { WebhookEndpoint } from '../account.ts';
import { page } from '../page.ts';
import { type Call, route } from '../route.ts';
import { mergeMetadata } from '../wire.ts';

export const webhookEndpointRoutes = [
  route<Stripe.WebhookEndpointCreateParams>('POST /v1/webhook_endpoints', create),
  route('GET /v1/webhook_endpoints/{}', ({ account, id }) => withoutSecret(account.webhookEndpoints.get(id))),
  route<Stripe.WebhookEndpointUpdateParams>('POST /v1/webhook_endpoints/{}', update),
  route('DELETE /v1/webhook_endpoints/{}', ({ account, id }) => {
    account.webhookEndpoints.get(id);
    account.webhookEndpoints.remove(id);
    return { id, object: 'webhook_endpoint', deleted: true };
  }),
  route<Stripe.WebhookEndpointListParams>('GET /v1/webhook_endpoints', ({ account, params, url }) => {
    const { data, ...rest } = page(account.webhookEndpoints.all(), params, url);
    return { ...rest, data: data.map(withoutSecret) };
  }),
];

function create({ account, params }: Call<Stripe.WebhookEndpointCreateParams>): WebhookEndpoint {
  const { url, enabled_events, description, metadata, api_version } = params;
  return account.webhookEndpoints.add({
    id: account.newId('we'),
    object: 'webhook_endpoint',
    api_version: api_version ?? null,
    application: null,
    created: account.now(),
    description: description || null,
    enabled_events,
    livemode: false,
    metadata: mergeMetadata(null, metadata),
    secret: `whsec_${account.newId('secret')}`,
    status: 'enabled',
    url,
  });
}

function update({ account, params, id }: Call<Stripe.WebhookEndpointUpdateParams>): unknown {
  const endpoint = account.webhookEndpoints.get(id);
  const { url = endpoint.url, enabled_events = endpoint.enabled_events, disabled, metadata } = params;
  const status = disabled === undefined ? endpoint.status : disabled ? 'disabled' : 'enabled';
  Object.assign(endpoint, { url, enabled_events, status, metadata: mergeMetadata(endpoint.metadata, metadata) });
  return withoutSecret(endpoint);
}

const withoutSecret = ({ secret: _, ...endpoint }: WebhookEndpoint) => endpoint;
