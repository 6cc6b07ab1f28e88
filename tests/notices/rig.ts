/** rig — a gateway that sends to loopback, with endpoints and their log. */
import { expect } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { type Rig as ApiRig, openRig as openApiRig } from '../api/rig.ts';
import { ManualClock } from '../support/clock.ts';
import type { TestGatewayOptions } from '../support/gateway.ts';
import type { HttpClient } from '../support/http-client.ts';

/** So long that only a test runs it. */
const NEVER_MS = 2_000_000_000;

export type Endpoint = { readonly id: string; readonly secret: string };
export type Logged = {
  readonly id: string;
  readonly eventType: string;
  readonly eventId: string;
  readonly referenceId: string | null;
  readonly data: Record<string, unknown>;
  readonly state: string;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly deliveredAt: string | null;
};

export type Rig = ApiRig & {
  /** Finds what is to be told, sends it, and waits for the answers. */
  tell(): Promise<void>;
  addEndpoint(url: string, eventTypes: readonly string[], by?: HttpClient): Promise<Endpoint>;
  /** The newest first. */
  log(variables?: Record<string, unknown>, by?: HttpClient): Promise<readonly Logged[]>;
};

export const ALL_TYPES = [
  'USAGE_THRESHOLD_REACHED',
  'LIMIT_EXCEEDED',
  'BALANCE_LOW',
  'BALANCE_TOPPED_UP',
  'PERIOD_CLOSED',
  'SUBSCRIPTION_CHANGED',
  'BILLING_DEAD_LETTER',
] as const;

/** Receivers check timestamps by the real clock, so the rig's begins there. */
export async function openRig(
  database: Database,
  options: Partial<Omit<TestGatewayOptions, 'clock' | 'database'>> & { readonly clock?: ManualClock } = {},
): Promise<Rig> {
  const { clock = new ManualClock(Date.now()), ...rest } = options;
  const rig = await openApiRig({
    closeIntervalMs: NEVER_MS,
    webhooks: { allowPrivate: true },
    ...rest,
    database,
    clock,
  });
  return {
    ...rig,
    async tell() {
      await rig.gateway.notices.run();
      await rig.gateway.notices.idle();
    },
    async addEndpoint(url, eventTypes, by = rig) {
      const { createWebhookEndpoint } = await by.data<{ createWebhookEndpoint: Made }>(CREATE, {
        input: { url, eventTypes },
      });
      expect(createWebhookEndpoint).not.toHaveProperty('message');
      return { id: createWebhookEndpoint.endpoint.id, secret: createWebhookEndpoint.secret };
    },
    async log(variables = {}, by = rig) {
      const answer = await by.data<{ webhookDeliveries: { nodes: readonly Logged[] } }>(LOG, variables);
      return answer.webhookDeliveries.nodes;
    },
  };
}

type Made = { readonly secret: string; readonly endpoint: { readonly id: string } };

const CREATE = `mutation ($input: CreateWebhookEndpointInput!) {
  createWebhookEndpoint(input: $input) {
    ... on WebhookEndpointSecret { secret endpoint { id } } ... on UserError { message code path }
  }
}`;

const LOG = `query ($endpointId: ID, $state: WebhookDeliveryState, $first: Int = 50, $after: String) {
  webhookDeliveries(endpointId: $endpointId, state: $state, first: $first, after: $after) {
    nodes { id eventType eventId referenceId data state attempts nextAttemptAt lastStatus lastError deliveredAt }
  }
}`;

export const ENDPOINTS = `{ webhookEndpoints(first: 50) { nodes {
  id kind url eventTypes isManaged failingSince disabledAt disabledReason
} } }`;

/** One mutation of an `input`, whose answer must be no error. */
export async function change(by: HttpClient, verb: string, input: Record<string, unknown>, fields = '__typename') {
  const type = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Input`;
  const success = fields === '__typename' ? '' : fields;
  const document = `mutation ($input: ${type}!) { ${verb}(input: $input) { __typename ... on UserError { message } ${success} } }`;
  const answer = await by.data<Record<string, Record<string, unknown>>>(document, { input });
  expect(answer[verb]).not.toHaveProperty('message');
  return answer[verb] ?? {};
}
