/**
 * Goal: what a customer uses beyond its plan is the line of Stripe's own invoice, to the cent. Method: a gateway with a
 * Stripe of the test, used through its API; then the invoice that Stripe foresees, and the notices that it sends.
 */
import { expect, it } from 'vitest';
import { parseConfig } from '../../server/parse-config.ts';
import { describeEngines } from '../support/engines.ts';
import { startGateway } from '../support/gateway.ts';
import { type BillingRig, buy, CONFIG, openBilling, PAGES, SECRET, toPro } from './rig.ts';

const WINDOW_MS = 15 * 60_000;

describeEngines('usage of a gateway', (engine) => {
  it('is on the invoice: 150 beyond what is included, at 10 cents, and 20 dollars', async () => {
    const rig = await openBilling({ database: await engine.open({ until: 'test' }) });
    const { stripe, sdk, clock, gateway } = rig;
    await buy(rig, toPro);
    await rig.deliver();
    const input = { referenceId: 'acme', featureKey: 'api_calls' };
    for (const amount of ['500', '100.5', '49.5']) {
      const fields = '... on Consumption { allowed }';
      expect(await rig.write('consume', { ...input, amount }, fields)).toMatchObject({ allowed: true });
      clock.advance(WINDOW_MS);
      await gateway.usageReporter?.run();
    }
    stripe.settle();
    const customer = await rig.stripeCustomer();
    const [subscription] = (await sdk.subscriptions.list({ customer })).data;
    const preview = await sdk.invoices.createPreview({ customer, subscription: subscription?.id ?? '' });
    const calls = preview.lines.data.find(({ amount }) => amount === 1_500);
    expect(calls?.quantity).toBe(150);
    expect(calls?.description).toContain('API calls');
  });

  const consume = async (rig: BillingRig, amount: string): Promise<void> => {
    const input = { referenceId: 'acme', featureKey: 'api_calls', amount };
    expect(await rig.write('consume', input, '... on Consumption { allowed }')).toMatchObject({ allowed: true });
  };
  /** A minute passes for each run, since what waits is looked at so often. */
  const report = async ({ gateway, clock, stripe }: BillingRig, runs = 3): Promise<void> => {
    for (let i = 0; i < runs; i += 1) {
      await gateway.usageReporter?.run();
      clock.advance(60_000);
    }
    stripe.settle();
  };
  /** Calls on the next invoice: the line at 10 cents each. */
  const previewed = async ({ sdk, stripeCustomer }: BillingRig): Promise<number | null> => {
    const customer = await stripeCustomer();
    const [subscription] = (await sdk.subscriptions.list({ customer })).data;
    const preview = await sdk.invoices.createPreview({ customer, subscription: subscription?.id ?? '' });
    return (
      preview.lines.data.find(({ amount, quantity }) => amount > 0 && amount === (quantity ?? 0) * 10)?.quantity ?? null
    );
  };
  const states = async ({ database }: BillingRig): Promise<readonly unknown[]> =>
    (await database.query({ text: 'SELECT state, reason_code FROM usage_messages', params: [] })).map(
      ({ state, reason_code }) => `${state} ${reason_code ?? ''}`.trim(),
    );

  it.each([
    ['the notice of the renewal is found', () => {}],
    [
      'nothing tells of the renewal',
      ({ stripe }: BillingRig) => stripe.faults.next('GET /v1/events', { kind: 'fails_before' }, 20),
    ],
  ] as const)('that was told after its invoice was closed is on the next one, where %s', async (_, goWrong) => {
    const rig = await openBilling({ database: await engine.open({ until: 'test' }) });
    await buy(rig, toPro);
    await rig.deliver();
    await consume(rig, '507');
    await rig.stripe.advanceTo('2026-04-15T15:00:00Z'); // renewed at noon, finalized at one
    rig.stripe.webhooks.lose();
    goWrong(rig);
    await rig.gateway.usageReporter?.run(); // before anything was heard of the renewal
    expect(await states(rig)).toEqual(['waiting stale_period']);
    rig.clock.advance(5 * 60_000);
    await rig.gateway.stripe?.run();
    await report(rig);
    expect(await states(rig)).toEqual(['delivered']);
    expect(await previewed(rig)).toBe(7);
  });

  it('of somebody who has an account and no subscription waits for one, and is on its first invoice', async () => {
    const rig = await openBilling({ database: await engine.open({ until: 'test' }) });
    const portal = { referenceId: 'acme', returnUrl: 'https://app.example.com/done' };
    await rig.write('createPortalSession', portal, '... on PortalSession { url }');
    expect(await rig.stripeCustomer()).toMatch(/^cus_/);
    await rig.write('setCustomerPlan', { referenceId: 'acme', planKey: 'pro' });
    await consume(rig, '507');
    rig.clock.advance(WINDOW_MS);
    await rig.gateway.usageReporter?.run();
    expect(await states(rig)).toEqual(['waiting no_subscription']);
    await buy(rig, toPro);
    await rig.deliver();
    rig.clock.advance(10 * 60_000);
    await report(rig);
    expect(await states(rig)).toEqual(['delivered']);
    expect(await previewed(rig)).toBe(7);
  });

  it('of a tenant of another mode than the key is never brought to Stripe, and nothing is sold there', async () => {
    const rig = await openBilling({ database: await engine.open({ until: 'test' }) });
    const { database, sdk, clock } = rig;
    await buy(rig, toPro);
    await rig.deliver();
    const other = await startGateway({
      database,
      clock,
      config: null,
      billing: parseConfig(CONFIG, 'the test').billing,
      stripe: { stripe: sdk, mode: 'test', webhookSecrets: [SECRET] },
      chargeIntervalMs: 3_600_000,
      reportIntervalMs: 3_600_000,
    });
    await consume(rig, '507');
    clock.advance(WINDOW_MS);
    await other.gateway.usageReporter?.run();
    expect(await states(rig)).toEqual(['waiting no_customer']);
    const { biller } = other.gateway.services;
    const payer = {
      tenantId: rig.tenantId,
      customerId: rig.customerId(),
      referenceId: 'acme',
      name: null,
      email: null,
    };
    await expect(
      biller.createPortal({ payer, returnUrl: PAGES.successUrl, idempotencyKey: null }),
    ).rejects.toMatchObject({
      code: 'BILLING_DISABLED',
      message: expect.stringMatching(/^STRIPE_SECRET_KEY is a test key, and ".*" is a live tenant, whose customers/),
    });
  });

  it('of a subscription that has ended is on its last invoice for an hour, and waits after that', async () => {
    const rig = await openBilling({ database: await engine.open({ until: 'test' }) });
    await buy(rig, toPro);
    await rig.deliver();
    await consume(rig, '507');
    const [subscription] = (await rig.sdk.subscriptions.list({ customer: await rig.stripeCustomer() })).data;
    await rig.sdk.subscriptions.cancel(subscription?.id ?? '');
    await rig.deliver();
    rig.clock.advance(3 * 3_600_000);
    await rig.gateway.usageReporter?.run();
    expect(await states(rig)).toEqual(['waiting no_subscription']);
  });

  it('that Stripe refuses later comes back by a notice, as a dead letter', async () => {
    const rig = await openBilling({ database: await engine.open({ until: 'test' }) });
    const { stripe, sdk, clock, gateway, database } = rig;
    stripe.webhooks.to(`${rig.url}/webhooks/stripe`, { secret: SECRET, isThin: true });
    await buy(rig, toPro);
    await rig.deliver();
    const customer = await rig.stripeCustomer();
    await rig.write('consume', { referenceId: 'acme', featureKey: 'api_calls', amount: '510' });
    clock.advance(WINDOW_MS);
    await gateway.usageReporter?.run();
    await sdk.customers.del(customer);
    stripe.settle();
    await rig.deliver();
    const letters = await database.query({ text: 'SELECT state, reason_code FROM usage_messages', params: [] });
    expect(letters).toEqual([{ state: 'dead', reason_code: 'meter_event_customer_not_found' }]);
  });
});
