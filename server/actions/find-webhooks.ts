/** find-webhooks — reads endpoints and the log of deliveries, under row level security. */
import { type DeliveryFilter, type DeliveryPosition, webhookDeliveriesPage } from '../db/queries/webhook-deliveries.ts';
import { type EndpointPosition, webhookEndpointsPage } from '../db/queries/webhook-endpoints.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Delivery, WebhookEndpoint } from '../domain/webhook-endpoint.ts';
import type { Deps } from './deps.ts';

/** The tenant's, the oldest first. */
export const listWebhookEndpoints = (
  { database }: Pick<Deps, 'database'>,
  tenantId: string,
  request: PageRequest<EndpointPosition>,
): Promise<Page<WebhookEndpoint>> => database.readAs(tenantId, (db) => webhookEndpointsPage(db, tenantId, request));

/** The tenant's, the newest first. */
export const listWebhookDeliveries = (
  { database }: Pick<Deps, 'database'>,
  tenantId: string,
  filter: DeliveryFilter,
  request: PageRequest<DeliveryPosition>,
): Promise<Page<Delivery>> => database.readAs(tenantId, (db) => webhookDeliveriesPage(db, tenantId, filter, request));
