/**
 * Goal: what was never told is found out all the same; who does not pay has its grace, and then what is free. Method:
 * notices that are lost, a card that declines, and a clock that is moved over renewals.
 */
import { describe, expect, it, vi } from 'vitest';
import { StripeBilling } from '../../server/billing/stripe/stripe-billing.ts';
import { billingEffects } from '../../server/billing-effects.ts';
import { setStripeAccount } from '../../server/db/queries/tenants.ts';
import { makeToken } from '../api/rig.ts';
import { ManualClock } from '../support/clock.ts';
import { type BillingRig, buy, openBilling, toPro } from './rig.ts';

async function subscribed(): Promise<BillingRig> {
  const rig = await openBilling();
  await buy(rig, toPro);
  await rig.deliver();
  return rig;
}

/** What looks after Stripe in another gateway, with something of its own. */
const another = (
  { sdk, database, clock, gateway }: BillingRig,
  own: Partial<ConstructorParameters<typeof StripeBilling>[0]>,
) =>
  new StripeBilling({
    stripe: sdk,
    webhookSecrets: [],
    database,
    clock,
    effects: billingEffects(gateway.services, 0),
    accountOf: async () => null,
    onThinNotice: async () => {},
    onNews: () => {},
    onError: (error) => {
      throw error;
    },
    ...own,
  });

const cardOf = async ({ sdk, stripeCustomer }: BillingRig) => {
  const [subscription] = (await sdk.subscriptions.list({ customer: await stripeCustomer() })).data;
  const method = subscription?.default_payment_method;
  if (typeof method !== 'string') throw new Error('no card');
  return { card: method, id: subscription?.id ?? '' };
};

describe('a notice that never came', () => {
  it('is found by the sweep, and only once', async () => {
    const rig = await openBilling();
    await rig.gateway.stripe?.run(); // as at start
    await buy(rig, toPro);
    rig.stripe.webhooks.lose();
    expect(await rig.standing()).toBe('free -');
    rig.clock.advance(4 * 60_000);
    await rig.gateway.stripe?.run();
    expect(await rig.standing()).toBe('free -'); // it is looked every five minutes
    rig.clock.advance(60_000);
    await rig.gateway.stripe?.run();
    expect(await rig.standing()).toBe('pro active');
    const asked = rig.stripe.requests.length;
    rig.clock.advance(5 * 60_000);
    await rig.gateway.stripe?.run();
    expect(rig.stripe.requests.slice(asked).map(({ operation }) => operation)).toEqual(['GET /v1/events']);
  });

  it('can be looked for in vain: whoever looks says so, and goes on', async () => {
    const rig = await openBilling();
    const errors: unknown[] = [];
    const gone = new Error('the database is gone');
    await another(rig, { accountOf: () => Promise.reject(gone), onError: (error) => errors.push(error) }).run();
    expect(errors).toEqual([gone]);
  });

  it('is found though a gateway whose clock is ahead has looked before', async () => {
    const rig = await openBilling();
    await rig.gateway.stripe?.run();
    const ahead = another(rig, { clock: new ManualClock(rig.clock.now() + 5 * 3_600_000) });
    await ahead.run();
    await buy(rig, toPro);
    rig.stripe.webhooks.lose();
    rig.clock.advance(5 * 60_000);
    await rig.gateway.stripe?.run();
    expect(await rig.standing()).toBe('pro active');
  });

  it('is found while a charge hangs', async () => {
    const rig = await subscribed();
    await rig.gateway.stripe?.run();
    await buy(rig, { walletTopUp: { amount: 600 } });
    await rig.deliver();
    await rig.write('consume', { referenceId: 'acme', featureKey: 'sms', amount: 11 }); // below 500: it is to be charged
    await rig.write('registerCustomer', { referenceId: 'globex' });
    await buy(rig, toPro, 'globex');
    rig.stripe.webhooks.lose();
    rig.clock.advance(5 * 60_000);
    const hold = rig.stripe.faults.hold('POST /v1/payment_intents', 'before');
    const run = rig.gateway.stripe?.run();
    await hold.arrived;
    await vi.waitUntil(async () => (await rig.standing('globex')) === 'pro active', { timeout: 8_000 });
    hold.release();
    await run;
  });

  it('is found in the account of a tenant that has one', async () => {
    const rig = await openBilling();
    const { sdk, tenantId } = rig;
    const on = { stripeAccount: 'acct_merchant' };
    await setStripeAccount(rig.database.db, tenantId, on.stripeAccount);
    await rig.gateway.stripe?.run();
    const metadata = { metergraph_tenant: tenantId, metergraph_plan: 'team' };
    const product = await sdk.products.create({ name: 'Team', metadata }, on);
    const money = { currency: 'usd', unit_amount: 100, recurring: { interval: 'month' as const } };
    const price = await sdk.prices.create({ product: product.id, ...money, metadata }, on);
    const whose = { metergraph_tenant: tenantId, metergraph_customer: rig.customerId() };
    const customer = await sdk.customers.create({ metadata: whose }, on);
    const method = await sdk.paymentMethods.attach('pm_card_visa', { customer: customer.id }, on);
    const items = [{ price: price.id }];
    await sdk.subscriptions.create({ customer: customer.id, items, default_payment_method: method.id }, on);
    rig.stripe.webhooks.lose();
    rig.clock.advance(5 * 60_000);
    await rig.gateway.stripe?.run();
    expect(await rig.standing()).toBe('team active');
  });

  it('is looked for again where it could not be handled', async () => {
    const rig = await openBilling();
    await rig.gateway.stripe?.run();
    await buy(rig, toPro);
    rig.stripe.webhooks.lose();
    rig.clock.advance(5 * 60_000);
    rig.stripe.faults.next('GET /v1/subscriptions', { kind: 'fails_before' }, 20);
    await rig.gateway.stripe?.run();
    expect(await rig.standing()).toBe('free -');
    rig.stripe.faults.clear();
    rig.clock.advance(60 * 60_000);
    await rig.gateway.stripe?.run();
    expect(await rig.standing()).toBe('pro active');
  });

  it('of an end that was known to come is not needed', async () => {
    const rig = await subscribed();
    await rig.sdk.subscriptions.update((await cardOf(rig)).id, { cancel_at_period_end: true });
    await rig.deliver();
    await rig.stripe.advanceTo('2026-04-15T12:00:01Z');
    rig.stripe.webhooks.lose();
    expect(await rig.passes(6)).toBe(5);
  });
});

describe('usage of somebody whom nobody bills yet', () => {
  it('is sent as soon as a subscription runs', async () => {
    const rig = await openBilling();
    await rig.write('setCustomerPlan', { referenceId: 'acme', planKey: 'pro', effective: 'IMMEDIATELY' });
    await rig.write('consume', { referenceId: 'acme', featureKey: 'api_calls', amount: 600 });
    rig.clock.advance(15 * 60_000 + 1);
    await rig.gateway.usageReporter?.run();
    const messages = () =>
      rig.database.query({ text: 'SELECT quantity::integer AS quantity, state FROM usage_messages', params: [] });
    expect(await messages()).toEqual([{ quantity: 100, state: 'waiting' }]);
    await rig.gateway.usageReporter?.run();
    await buy(rig, toPro);
    await rig.deliver();
    rig.clock.advance(1_000);
    await rig.gateway.usageReporter?.run();
    expect(await messages()).toEqual([{ quantity: 100, state: 'delivered' }]);
  });
});

const BILLING = `{ customer(referenceId: "acme") { billing {
  subscriptionId status planKey isFollowed period { start end } cancelsAt endedAt pastDueSince graceEndsAt
} } }`;

describe('who does not pay', () => {
  it('keeps the plan for seven days, and gets it back when it pays', async () => {
    const rig = await subscribed();
    const { card } = await cardOf(rig);
    rig.stripe.card(card, { kind: 'declines', declineCode: 'insufficient_funds' });
    await rig.stripe.advanceTo('2026-04-15T14:00:00Z'); // renewed at noon, finalized an hour later
    await rig.deliver();
    expect(await rig.standing()).toBe('pro past_due → free 2026-04-22');
    expect(await rig.passes(6)).toBe(6);
    const { customer } = await rig.data<{ readonly customer: unknown }>(BILLING);
    expect(customer).toEqual({
      billing: {
        ...{ subscriptionId: expect.stringMatching(/^sub_/), status: 'PAST_DUE', planKey: 'pro', isFollowed: true },
        period: { start: '2026-04-15T12:00:00.000Z', end: '2026-05-15T12:00:00.000Z' },
        ...{ cancelsAt: null, endedAt: null },
        ...{ pastDueSince: '2026-04-15T13:00:00.000Z', graceEndsAt: '2026-04-22T13:00:00.000Z' },
      },
    });
    const hidden = await rig.as(await makeToken(rig)).post(BILLING);
    expect(hidden.errors?.map(({ extensions }) => extensions?.code)).toEqual(['FORBIDDEN']);
    rig.clock.set('2026-04-22T14:00:00Z');
    expect(await rig.standing()).toMatch(/^free past_due/);
    const calls = { referenceId: 'acme', featureKey: 'api_calls' };
    expect(await rig.write('consume', calls, '... on Consumption { allowed }')).toMatchObject({ allowed: false });

    rig.stripe.card(card, { kind: 'pays' });
    rig.stripe.catchUp(); // Stripe tries again after three days
    await rig.deliver();
    expect(await rig.standing()).toBe('pro active');
    expect(await rig.passes(1)).toBe(1);
  });

  it('ends when Stripe has given up, and has its whole grace again when that was not the end', async () => {
    const rig = await subscribed();
    const { card } = await cardOf(rig);
    rig.stripe.card(card, { kind: 'declines', declineCode: 'insufficient_funds' });
    await rig.stripe.advanceTo('2026-04-15T14:00:00Z');
    await rig.deliver();
    expect(await rig.standing()).toBe('pro past_due → free 2026-04-22');
    rig.stripe.card(card, { kind: 'pays' });
    await rig.stripe.advanceTo('2026-04-20T14:00:00Z'); // it is paid, and nobody hears of it
    rig.stripe.card(card, { kind: 'declines', declineCode: 'insufficient_funds' });
    await rig.stripe.advanceTo('2026-05-15T14:00:00Z');
    rig.stripe.webhooks.lose(({ event }) => Number(event.created) < Date.parse('2026-05-15T13:00:00Z') / 1_000);
    await rig.deliver();
    expect(await rig.standing()).toBe('pro past_due → free 2026-05-22');
    await rig.stripe.advanceTo('2026-07-15T14:00:00Z'); // the retries are over
    await rig.deliver();
    expect(await rig.standing()).toBe('free canceled');
  });
});
