/** replay-deliveries — sends again, by hand: one delivery, or all of an endpoint that have failed since. */
import { replay, replayFailed, webhookDelivery } from '../db/queries/webhook-deliveries.ts';
import { MeterError } from '../domain/errors.ts';
import type { Delivery } from '../domain/webhook-endpoint.ts';
import { endpointToChange, refuseDisabled, type WebhookDeps } from './webhook-deps.ts';

/**
 * Whatever became of it, it is sent once more, with the same id, and retried as if for the first time.
 *
 * @throws {MeterError} `WEBHOOK_DELIVERY_NOT_FOUND`, `INVALID_INPUT` where its endpoint is disabled.
 */
export function replayDelivery(
  { database, clock }: WebhookDeps,
  tenantId: string,
  deliveryId: string | null,
): Promise<Delivery> {
  return database.db.transaction(async (tx) => {
    const delivery = deliveryId === null ? null : await webhookDelivery(tx, tenantId, deliveryId);
    if (!delivery) throw deliveryNotFound();
    const { endpoint } = await endpointToChange(tx, tenantId, delivery.endpointId);
    refuseDisabled(endpoint);
    await replay(tx, tenantId, delivery.id, clock.now());
    return (await webhookDelivery(tx, tenantId, delivery.id)) ?? delivery;
  });
}

export type Replayed = { readonly count: number };

/** @throws {MeterError} `WEBHOOK_ENDPOINT_NOT_FOUND`, `INVALID_INPUT` for one that is disabled. */
export function replayFailedDeliveries(
  { database, clock }: WebhookDeps,
  tenantId: string,
  { endpointId, sinceMs }: { readonly endpointId: string | null; readonly sinceMs: number },
): Promise<Replayed> {
  return database.db.transaction(async (tx) => {
    const { endpoint } = await endpointToChange(tx, tenantId, endpointId);
    refuseDisabled(endpoint);
    return { count: await replayFailed(tx, tenantId, { endpointId: endpoint.id, sinceMs }, clock.now()) };
  });
}

const deliveryNotFound = (): MeterError =>
  new MeterError(
    'WEBHOOK_DELIVERY_NOT_FOUND',
    'There is no such delivery, or it is older than the 33 days for which they are kept; pass the `id` that webhookDeliveries says.',
    { path: ['input', 'deliveryId'] },
  );
