/** delete-webhook-endpoint — is told nothing more; its log goes with it. */
import { deleteWebhookEndpoint as removeWebhookEndpoint } from '../db/queries/webhook-endpoints.ts';
import type { WebhookEndpoint } from '../domain/webhook-endpoint.ts';
import { endpointToChange, refuseManaged, type WebhookDeps } from './webhook-deps.ts';

/** @throws {MeterError} `WEBHOOK_ENDPOINT_NOT_FOUND`, `INVALID_INPUT` for one that follows the settings. */
export function deleteWebhookEndpoint(
  { database }: WebhookDeps,
  tenantId: string,
  endpointId: string | null,
): Promise<WebhookEndpoint> {
  return database.db.transaction(async (tx) => {
    const { endpoint } = await endpointToChange(tx, tenantId, endpointId);
    refuseManaged(endpoint);
    await removeWebhookEndpoint(tx, endpoint);
    return endpoint;
  });
}
