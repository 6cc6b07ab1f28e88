/** create-webhook-endpoint — a place that is told from now on. */
import { randomBytes } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { countWebhookEndpoints, insertWebhookEndpoint } from '../db/queries/webhook-endpoints.ts';
import { invalidInput } from '../domain/errors.ts';
import type { NoticeType } from '../domain/notice.ts';
import { kindOf, type WebhookEndpoint } from '../domain/webhook-endpoint.ts';
import { newWebhookSecret } from '../domain/webhook-secret.ts';
import { refuseBadUrl, refuseNoTypes, type WebhookDeps } from './webhook-deps.ts';

export type NewWebhookEndpoint = { readonly url: string; readonly eventTypes: readonly NoticeType[] };

export type CreatedWebhookEndpoint = {
  readonly endpoint: WebhookEndpoint;
  /** Shown now and never again; null for mail, which is not signed. */
  readonly secret: string | null;
};

/** Of one tenant. */
const ENDPOINTS_MAX = 50;

/** @throws {MeterError} `INVALID_INPUT` for a place that may not be sent to, no kinds of events, or too many places. */
export async function createWebhookEndpoint(
  { database, clock, webhooks }: WebhookDeps,
  tenantId: string,
  { url, eventTypes }: NewWebhookEndpoint,
): Promise<CreatedWebhookEndpoint> {
  refuseBadUrl(url, webhooks);
  refuseNoTypes(eventTypes);
  const kind = kindOf(url);
  const secret = kind === 'email' ? null : newWebhookSecret(randomBytes);
  const endpoint: WebhookEndpoint = {
    id: uuidv7(),
    tenantId,
    kind,
    url,
    eventTypes: [...new Set(eventTypes)],
    managed: false,
    createdAtMs: clock.now(),
    disabledAtMs: null,
    disabledReason: null,
    failingSinceMs: null,
  };
  return database.db.transaction(async (tx) => {
    if ((await countWebhookEndpoints(tx, tenantId)) >= ENDPOINTS_MAX) {
      throw invalidInput(
        ['input'],
        `There are ${ENDPOINTS_MAX} webhook endpoints, which is the most; delete one first.`,
      );
    }
    await insertWebhookEndpoint(tx, endpoint, secret === null ? [] : [{ secret, endsAtMs: null }]);
    return { endpoint, secret };
  });
}
