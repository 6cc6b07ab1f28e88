/** rig — a gateway that sells at whichever Stripe it is given, and a customer who lives by a test clock there. */
import type Stripe from 'stripe';
import { expect } from 'vitest';
import { desiredOf } from '../../server/billing/stripe/catalog/desired.ts';
import { type SyncReport, syncCatalog } from '../../server/billing/stripe/catalog/sync.ts';
import { basePriceKey, meteredPriceKey } from '../../server/billing/stripe/names.ts';
import { loadCatalog } from '../../server/db/queries/catalog.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { afterUse } from '../support/after-use.ts';
import { openEmbedded } from '../support/engines.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import type { StripeUnderTest } from './either.ts';

const SECRET = 'whsec_forwarded';
const NEVER_MS = 2 ** 31 - 1;
export const WINDOW_MS = 15 * 60_000;

export type Shop = TestGateway &
  StripeUnderTest & {
    /** Brings the catalog to Stripe. */
    sync(): Promise<SyncReport>;
    /** Signs up here, and at Stripe by hand: with a card that pays, on a clock of its own. */
    signUp(referenceId: string): Promise<Subscriber>;
    /** Forwards what has happened at Stripe, signed, the oldest first; each once. */
    deliver(): Promise<void>;
    /** @returns `allowed`, or the reason of a refusal with the plans that would help: `LIMIT_REACHED, offered pro`. */
    consume(referenceId: string, featureKey: string, amount?: number): Promise<string>;
    /** Closes the window, and brings what was used to Stripe. */
    report(): Promise<void>;
  };

export type Subscriber = {
  readonly customer: string;
  /** To the plan's base price and all that it meters. */
  subscribe(planKey: string, featureKeys: readonly string[]): Promise<Stripe.Subscription>;
  /** Moves the time of this customer at Stripe, and the gateway's. */
  advanceTo(ms: number): Promise<void>;
};

export async function openShop(stripe: StripeUnderTest, config: unknown): Promise<Shop> {
  const { sdk, clock } = stripe;
  const database = await openEmbedded();
  const gateway = await startGateway({
    database,
    clock,
    config,
    stripe: { stripe: sdk, webhookSecrets: [SECRET] },
    closeIntervalMs: NEVER_MS,
    chargeIntervalMs: NEVER_MS,
    reportIntervalMs: NEVER_MS,
  });
  const { tenantId } = gateway;
  const sinceS = Math.floor(clock.now() / 1_000) - 60;
  const forwarded = new Set<string>();
  const shop: Shop = {
    ...gateway,
    ...stripe,
    async sync() {
      const desired = desiredOf(tenantId, await loadCatalog(database.query, tenantId));
      return syncCatalog({ stripe: sdk, on: {}, wait: async () => {} }, desired);
    },
    async signUp(referenceId) {
      await gateway.data(
        'mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { __typename } }',
        {
          input: { referenceId },
        },
      );
      return subscriberOf(shop, referenceId);
    },
    async deliver() {
      const events = await sdk.events
        .list({ created: { gte: sinceS }, limit: 100 })
        .autoPagingToArray({ limit: 10_000 });
      for (const event of events.reverse().filter(({ id }) => !forwarded.has(id))) {
        forwarded.add(event.id);
        await forward(gateway.url, sdk, event, clock.now());
      }
    },
    async consume(referenceId, featureKey, amount = 1) {
      const { consume } = await gateway.data<{ consume: Consumed }>(CONSUME, {
        input: { referenceId, featureKey, amount },
      });
      if (consume.allowed) return 'allowed';
      const offered = consume.usage?.upgrades.map(({ key }) => key) ?? [];
      return `${consume.denial?.reason ?? consume.message}, offered ${offered.join(', ') || 'nothing'}`;
    },
    async report() {
      clock.advance(WINDOW_MS);
      await gateway.gateway.usageReporter?.run();
    },
  };
  return shop;
}

type Consumed = {
  readonly allowed?: boolean;
  readonly denial?: { readonly reason: string } | null;
  readonly usage?: { readonly upgrades: readonly { readonly key: string }[] };
  readonly message?: string;
};

const CONSUME = `mutation ($input: ConsumeInput!) { consume(input: $input) {
  ... on Consumption { allowed denial { reason } usage { upgrades { key } } } ... on UserError { message } } }`;

async function forward(url: string, sdk: Stripe, event: Stripe.Event, nowMs: number): Promise<void> {
  const payload = JSON.stringify(event);
  const timestamp = Math.floor(nowMs / 1_000);
  const signature = sdk.webhooks.generateTestHeaderString({ payload, secret: SECRET, timestamp });
  const { status } = await fetch(`${url}/webhooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stripe-signature': signature },
    body: payload,
  });
  expect(`${event.type} ${status}`).toBe(`${event.type} 200`);
}

async function subscriberOf(shop: Shop, referenceId: string): Promise<Subscriber> {
  const { sdk, clock, tenantId } = shop;
  const testClock = await sdk.testHelpers.testClocks.create({
    frozen_time: Math.floor(clock.now() / 1_000),
    name: referenceId,
  });
  afterUse(() => sdk.testHelpers.testClocks.del(testClock.id)); // and with it whoever lives by it
  const { id: customer } = await sdk.customers.create({
    name: referenceId,
    test_clock: testClock.id,
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
    metadata: { metergraph_tenant: tenantId, metergraph_customer: customerIdOf(tenantId, referenceId) },
  });
  return {
    customer,
    async subscribe(planKey, featureKeys) {
      const keys = [
        basePriceKey(tenantId, planKey, 'month', 'usd'),
        ...featureKeys.map((key) => meteredPriceKey(tenantId, planKey, key, 'month')),
      ];
      const { data } = await sdk.prices.list({ lookup_keys: keys, limit: keys.length });
      expect(data.map(({ lookup_key }) => lookup_key).sort()).toEqual(keys.sort());
      return sdk.subscriptions.create({ customer, items: data.map(({ id }) => ({ price: id })) });
    },
    async advanceTo(ms) {
      await sdk.testHelpers.testClocks.advance(testClock.id, { frozen_time: Math.floor(ms / 1_000) });
      await shop.eventually('the test clock is there', async () => {
        const { status } = await sdk.testHelpers.testClocks.retrieve(testClock.id);
        return status === 'ready';
      });
      clock.set(ms);
    },
  };
}
