/**
 * Goal: what a customer uses beyond its plan is the line of Stripe's own invoice, to the cent. Method: a gateway with a
 * Stripe of the test, used through its API; then the invoice that Stripe foresees, and the notices that it sends.
 */
import { expect, it } from 'vitest';
import { describeEngines } from '../support/engines.ts';
import { buy, openBilling, SECRET, toPro } from './rig.ts';

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
