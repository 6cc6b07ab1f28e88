/** rotate-webhook-secret — another secret; for a day the one of until now signs as well. */
import { randomBytes } from 'node:crypto';
import { setSecrets } from '../db/queries/webhook-endpoints.ts';
import { invalidInput } from '../domain/errors.ts';
import { newWebhookSecret, rotated } from '../domain/webhook-secret.ts';
import type { CreatedWebhookEndpoint } from './create-webhook-endpoint.ts';
import { endpointToChange, type WebhookDeps } from './webhook-deps.ts';

/** @throws {MeterError} `WEBHOOK_ENDPOINT_NOT_FOUND`, `INVALID_INPUT` for mail, which is not signed. */
export function rotateWebhookSecret(
  { database, clock }: WebhookDeps,
  tenantId: string,
  endpointId: string | null,
): Promise<CreatedWebhookEndpoint> {
  return database.db.transaction(async (tx) => {
    const { endpoint, secrets } = await endpointToChange(tx, tenantId, endpointId);
    if (endpoint.kind === 'email') {
      throw invalidInput(['input', 'endpointId'], '`endpointId` names an address for mail, which has no secret.');
    }
    const secret = newWebhookSecret(randomBytes);
    await setSecrets(tx, endpoint, rotated(secrets, secret, clock.now()));
    return { endpoint, secret };
  });
}
