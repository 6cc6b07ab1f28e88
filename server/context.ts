/** context — what a GraphQL operation is handed: who asks, and the gateway's parts. */
import type { Deps } from './actions/deps.ts';
import type { Biller } from './billing/biller.ts';
import type { BillingRules } from './domain/billing-rules.ts';
import type { Viewer } from './domain/viewer.ts';
import type { WebhookPolicy } from './domain/webhook-endpoint.ts';
import type { Streams } from './events/streams.ts';
import type { Authorize } from './hooks/authorize.ts';
import type { HookedEngine } from './hooks/hooked-engine.ts';
import type { UsageReader } from './metering/usage-reader.ts';

export type Services = Deps & {
  readonly engine: HookedEngine;
  /** Who takes the money. */
  readonly biller: Biller;
  readonly billingRules: BillingRules;
  readonly usageReader: UsageReader;
  readonly streams: Streams;
  /** What endpoints of webhooks may be. */
  readonly webhooks: WebhookPolicy;
  /** Whether a key may act for a reference; null where every key may. The engine asks by itself. */
  readonly authorize: Authorize | null;
};

export type Context = {
  /** Null without a credential; a bad one never gets this far. */
  readonly viewer: Viewer | null;
  readonly services: Services;
  /** Things fetched once per operation, by key; see `oncePerOperation` in schema/. */
  readonly memo: Map<unknown, unknown>;
};

/** What the operations of one who asks are handed. */
export const contextFor = (services: Services, viewer: Viewer | null): Context => ({
  viewer,
  services: servicesFor(services, viewer),
  memo: new Map(),
});

/** The gateway's parts for one who asks: its engine knows whom to authorize. */
function servicesFor(services: Services, viewer: Viewer | null): Services {
  const engine = services.engine.onBehalfOf(viewer);
  return engine === services.engine ? services : { ...services, engine };
}
