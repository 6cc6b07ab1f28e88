/** webhook-deps — what the actions about webhooks are handed, and what all of them ask first. */
import type { Db } from '../db/client.ts';
import { lockWebhookEndpoint } from '../db/queries/webhook-endpoints.ts';
import { invalidInput, MeterError } from '../domain/errors.ts';
import { problemOfUrl, type WebhookEndpoint, type WebhookPolicy } from '../domain/webhook-endpoint.ts';
import type { WebhookSecret } from '../domain/webhook-secret.ts';
import type { Deps } from './deps.ts';

export type WebhookDeps = Pick<Deps, 'database' | 'clock'> & {
  /** What the settings allow. */
  readonly webhooks: WebhookPolicy;
};

/** Locked until the transaction ends. @throws {MeterError} `WEBHOOK_ENDPOINT_NOT_FOUND` */
export async function endpointToChange(
  tx: Db,
  tenantId: string,
  id: string | null,
): Promise<{ readonly endpoint: WebhookEndpoint; readonly secrets: readonly WebhookSecret[] }> {
  const found = id === null ? null : await lockWebhookEndpoint(tx, tenantId, id);
  if (found) return found;
  const sentence = 'There is no such webhook endpoint; pass the `id` that webhookEndpoints says.';
  throw new MeterError('WEBHOOK_ENDPOINT_NOT_FOUND', sentence, { path: ['input', 'endpointId'] });
}

/** @throws {MeterError} `INVALID_INPUT` for one that follows the settings. */
export function refuseManaged({ managed }: WebhookEndpoint): void {
  if (!managed) return;
  const sentence =
    '`endpointId` names the address of the setting ALERT_EMAIL_TO; change that, and start the gateway anew.';
  throw invalidInput(['input', 'endpointId'], sentence);
}

/** @throws {MeterError} `INVALID_INPUT` for one that is sent nothing. */
export function refuseDisabled({ disabledAtMs }: WebhookEndpoint): void {
  if (disabledAtMs === null) return;
  const sentence = 'The webhook endpoint is disabled; enable it first: updateWebhookEndpoint with `isDisabled: false`.';
  throw invalidInput(['input', 'endpointId'], sentence);
}

/** @throws {MeterError} `INVALID_INPUT` */
export function refuseBadUrl(url: string, { allowPrivate, hasMail }: WebhookPolicy): void {
  const problem = problemOfUrl(url, allowPrivate) ?? (/^mailto:/i.test(url) && !hasMail ? NO_MAIL : null);
  if (problem !== null) throw invalidInput(['input', 'url'], `\`url\` ${problem}.`);
}

const NO_MAIL = 'is an address for mail, and this gateway has no mail server; set SMTP_URL and ALERT_EMAIL_FROM';

/** @throws {MeterError} `INVALID_INPUT` */
export function refuseNoTypes(eventTypes: readonly unknown[]): void {
  if (eventTypes.length > 0) return;
  throw invalidInput(['input', 'eventTypes'], '`eventTypes` is empty; name at least one kind of event.');
}
