/** send-test-event — sends an endpoint an event that says nothing, to see that it hears. */
import { uuidv7 } from 'uuidv7';
import { sendOnly, webhookDelivery } from '../db/queries/webhook-deliveries.ts';
import { TEST_NOTICE } from '../domain/notice.ts';
import type { Delivery } from '../domain/webhook-endpoint.ts';
import { endpointToChange, refuseDisabled, type WebhookDeps } from './webhook-deps.ts';

/** @throws {MeterError} `WEBHOOK_ENDPOINT_NOT_FOUND`, `INVALID_INPUT` for one that is disabled. */
export function sendTestEvent(
  { database, clock }: WebhookDeps,
  tenantId: string,
  endpointId: string | null,
): Promise<Delivery> {
  return database.db.transaction(async (tx) => {
    const { endpoint } = await endpointToChange(tx, tenantId, endpointId);
    refuseDisabled(endpoint);
    const data = { message: 'This is a test: nothing has happened.' };
    const event = { id: uuidv7(), tenantId, type: TEST_NOTICE, referenceId: null, data, occurredAtMs: clock.now() };
    const delivery = await webhookDelivery(tx, tenantId, await sendOnly(tx, event, endpoint.id));
    if (!delivery) throw new Error('a delivery was made and is not there');
    return delivery;
  });
}
