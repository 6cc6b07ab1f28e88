/** update-webhook-endpoint — sends elsewhere, tells of other things, or nothing for a while. */
import { endPending } from '../db/queries/webhook-deliveries.ts';
import { updateWebhookEndpoint as saveWebhookEndpoint } from '../db/queries/webhook-endpoints.ts';
import { invalidInput } from '../domain/errors.ts';
import type { NoticeType } from '../domain/notice.ts';
import { kindOf, type WebhookEndpoint } from '../domain/webhook-endpoint.ts';
import { endpointToChange, refuseBadUrl, refuseManaged, refuseNoTypes, type WebhookDeps } from './webhook-deps.ts';

/** Null leaves a field as it is. */
export type WebhookEndpointChange = {
  readonly endpointId: string | null;
  readonly url: string | null;
  readonly eventTypes: readonly NoticeType[] | null;
  readonly isDisabled: boolean | null;
};

const BY_HAND = 'It was disabled by hand.';

/** @throws {MeterError} `WEBHOOK_ENDPOINT_NOT_FOUND`, `INVALID_INPUT` */
export async function updateWebhookEndpoint(
  { database, clock, webhooks }: WebhookDeps,
  tenantId: string,
  { endpointId, url, eventTypes, isDisabled }: WebhookEndpointChange,
): Promise<WebhookEndpoint> {
  if (url !== null) refuseBadUrl(url, webhooks);
  if (eventTypes !== null) refuseNoTypes(eventTypes);
  return database.db.transaction(async (tx) => {
    const { endpoint } = await endpointToChange(tx, tenantId, endpointId);
    refuseManaged(endpoint);
    if (url !== null) refuseOtherKind(endpoint, url);
    const changed = withSwitch(
      {
        ...endpoint,
        url: url ?? endpoint.url,
        eventTypes: eventTypes ? [...new Set(eventTypes)] : endpoint.eventTypes,
      },
      isDisabled,
      clock.now(),
    );
    await saveWebhookEndpoint(tx, changed);
    if (changed.disabledAtMs !== null) await endPending(tx, tenantId, endpoint.id, BY_HAND);
    return changed;
  });
}

/** What it failed at before it was enabled again is forgiven. */
function withSwitch(endpoint: WebhookEndpoint, isDisabled: boolean | null, nowMs: number): WebhookEndpoint {
  if (isDisabled === null || isDisabled === (endpoint.disabledAtMs !== null)) return endpoint;
  if (isDisabled) return { ...endpoint, disabledAtMs: nowMs, disabledReason: BY_HAND };
  return { ...endpoint, disabledAtMs: null, disabledReason: null, failingSinceMs: null };
}

/** One that is posted to has secrets, and one for mail has none. */
function refuseOtherKind({ kind }: WebhookEndpoint, url: string): void {
  if (kindOf(url) === kind) return;
  const sentence = `\`url\` is for ${kindOf(url) === 'email' ? 'mail' : 'webhooks'}, and the endpoint is not; make another endpoint.`;
  throw invalidInput(['input', 'url'], sentence);
}
