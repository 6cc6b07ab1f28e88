/** rig — a gateway that is paid by a Stripe of its own: plans that are for sale there, notices that a test delivers. */
import type Stripe from 'stripe';
import { expect } from 'vitest';
import { desiredOf } from '../../server/billing/stripe/catalog/desired.ts';
import { syncCatalog } from '../../server/billing/stripe/catalog/sync.ts';
import type { Database } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { defineConfig } from '../../server/index.ts';
import { parseConfig } from '../../server/parse-config.ts';
import type { ManualClock } from '../support/clock.ts';
import { openEmbedded } from '../support/engines.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';

export const SECRET = 'whsec_new';
export const OLD_SECRET = 'whsec_old';

export const CONFIG = defineConfig({
  features: {
    api_calls: { displayName: 'API calls', unit: 'call', reset: 'monthly', anchor: 'subscription', limit: 5 },
    exports: { displayName: 'Exports', reset: 'never', included: 0 },
    sms: { reset: 'monthly', billing: 'prepaid', price: { unitAmount: 10 } },
  },
  plans: {
    free: { features: { api_calls: {}, exports: {} } },
    pro: {
      displayName: 'Pro',
      price: [{ amount: 2_000, interval: 'month' }],
      wallet: { autoTopUp: { threshold: 500, amount: 1_000 } },
      features: {
        api_calls: { limit: 500, included: 500, enforcement: 'soft', price: { unitAmount: 10 } },
        exports: {},
        sms: {},
      },
    },
    team: { price: [{ amount: 9_000, interval: 'month' }], features: { api_calls: { limit: 10_000 } } },
    inside: { features: { api_calls: { limit: null } } },
  },
  defaultPlan: 'free',
  creditPacks: { hundred: { feature: 'exports', amount: 100, price: { amount: 900 } } },
  billing: { redirectOrigins: ['https://app.example.com'] },
});

export const PAGES = { successUrl: 'https://app.example.com/done', cancelUrl: 'https://app.example.com/plans' };

export type BillingRig = TestGateway &
  Omit<StripeRig, 'clock'> & {
    readonly clock: ManualClock;
    /** A mutation's answer, whatever it is. */
    write(verb: string, input: Record<string, unknown>, fields?: string): Promise<Answer>;
    /** `plan status`, and what is to come: as `pro active → free 2026-04-15`. */
    standing(referenceId?: string): Promise<string>;
    /** How many of the next calls pass, one after the other. */
    passes(calls: number, referenceId?: string): Promise<number>;
    /** Delivers all that waits, and shows that it was taken. */
    deliver(): Promise<void>;
    customerId(referenceId?: string): string;
    stripeCustomer(referenceId?: string): Promise<string>;
  };

export type Answer = Readonly<Record<string, unknown>> & { readonly __typename: string };

export async function openBilling(
  options: { readonly database?: Database; readonly config?: unknown } = {},
): Promise<BillingRig> {
  const { stripe, sdk, clock } = await openStripe();
  const { database = await openEmbedded(), config = CONFIG } = options;
  const gateway = await startGateway({
    database,
    clock,
    config,
    billing: parseConfig(config, 'the test').billing,
    stripe: { stripe: sdk, webhookSecrets: [SECRET, OLD_SECRET] },
    closeIntervalMs: 3_600_000,
    chargeIntervalMs: 3_600_000,
    reportIntervalMs: 3_600_000,
  });
  stripe.webhooks.to(`${gateway.url}/webhooks/stripe`, { secret: SECRET });
  await sell(gateway, sdk);
  const customerId = (referenceId = 'acme') => customerIdOf(gateway.tenantId, referenceId);
  const rig: BillingRig = {
    ...gateway,
    stripe,
    sdk,
    clock,
    async write(verb, input, fields = '') {
      const type = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Input`;
      const document = `mutation ($input: ${type}!) { ${verb}(input: $input) { __typename ${fields} ... on UserError { code message path } } }`;
      return (await gateway.data<Record<string, Answer>>(document, { input }))[verb] as Answer;
    },
    async standing(referenceId = 'acme') {
      const { customer } = await gateway.data<{ customer: Standing }>(
        'query ($referenceId: String!) { customer(referenceId: $referenceId) { planKey pendingPlan { plan { key } at } } }',
        { referenceId },
      );
      const [account] = await database.query<{ status: string | null }>({
        text: 'SELECT status FROM billing_accounts WHERE customer_id = $1::uuid',
        params: [customerId(referenceId)],
      });
      const { planKey, pendingPlan } = customer;
      const next = pendingPlan ? ` → ${pendingPlan.plan.key} ${pendingPlan.at.slice(0, 10)}` : '';
      return `${planKey} ${account?.status ?? '-'}${next}`;
    },
    async passes(calls, referenceId = 'acme') {
      let passed = 0;
      for (let i = 0; i < calls; i += 1) {
        const input = { referenceId, featureKey: 'api_calls' };
        const { allowed } = await rig.write('consume', input, '... on Consumption { allowed }');
        if (allowed) passed += 1;
      }
      return passed;
    },
    async deliver() {
      const attempts = await stripe.webhooks.deliver();
      const refused = attempts.filter(({ status }) => status !== 200);
      expect(refused.map(({ status, event }) => `${event.type} ${status}`)).toEqual([]);
    },
    customerId,
    async stripeCustomer(referenceId = 'acme') {
      const [account] = await database.query<{ stripe_customer_id: string }>({
        text: 'SELECT stripe_customer_id FROM billing_accounts WHERE customer_id = $1::uuid',
        params: [customerId(referenceId)],
      });
      if (!account) throw new Error(`nobody pays for ${referenceId}`);
      return account.stripe_customer_id;
    },
  };
  await rig.write('registerCustomer', { referenceId: 'acme', name: 'Acme', email: 'pay@acme.example' });
  return rig;
}

type Standing = {
  readonly planKey: string;
  readonly pendingPlan: { readonly plan: { readonly key: string }; readonly at: string } | null;
};

/** Brings what is for sale to Stripe, as `metergraph stripe sync` does. */
export async function sell({ gateway, database, tenantId }: TestGateway, sdk: Stripe): Promise<void> {
  const catalog = await gateway.services.catalogs.current(database.query, tenantId);
  await syncCatalog({ stripe: sdk, on: {}, wait: async () => {} }, desiredOf(tenantId, catalog));
}

/** Opens a checkout, and has the customer pay. */
export async function buy(rig: BillingRig, purchase: Record<string, unknown>, referenceId = 'acme'): Promise<string> {
  const input = { referenceId, ...PAGES, ...purchase };
  const session = await rig.write('createCheckoutSession', input, '... on CheckoutSession { id url expiresAt }');
  expect(session).toMatchObject({ __typename: 'CheckoutSession' });
  const id = String(session.id);
  rig.stripe.completeCheckout(id);
  return id;
}

export const toPro = { plan: { planKey: 'pro' } };

/** What looks after Stripe in another gateway on the same database. */
export async function beside({ database, clock, sdk }: BillingRig) {
  const { gateway } = await startGateway({
    database,
    clock,
    config: null,
    billing: parseConfig(CONFIG, 'the test').billing,
    stripe: { stripe: sdk, webhookSecrets: [SECRET] },
    closeIntervalMs: 3_600_000,
    chargeIntervalMs: 3_600_000,
  });
  if (!gateway.stripe) throw new Error('no Stripe');
  return gateway.stripe;
}
