/**
 * Goal: whoever listens hears how a customer's subscription stands, once for each change, whatever else is told of it.
 * Method: a life at a Stripe of the test, every notice delivered twice, some to two gateways at once; a receiver on
 * loopback hears what comes of it.
 */
import { expect, it } from 'vitest';
import { openReceiver, type Receiver } from '../notices/receiver.ts';
import { describeEngines } from '../support/engines.ts';
import { startGateway } from '../support/gateway.ts';
import { type BillingRig, buy, openBilling, SECRET, toPro } from './rig.ts';

/** Another gateway, which may send to loopback, and everything that the receiver is told of the subscription. */
async function listen({ database, clock, sdk, write }: BillingRig) {
  const receiver: Receiver = await openReceiver();
  const stripe = { stripe: sdk, webhookSecrets: [SECRET] };
  const second = await startGateway({
    ...{ database, clock, config: null, stripe, webhooks: { allowPrivate: true } },
    ...{ closeIntervalMs: 2 ** 31 - 1, chargeIntervalMs: 2 ** 31 - 1, reportIntervalMs: 2 ** 31 - 1 },
  });
  const made = await second.data<{ createWebhookEndpoint: { __typename: string } }>(
    'mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { __typename } }',
    { input: { url: receiver.url, eventTypes: ['SUBSCRIPTION_CHANGED'] } },
  );
  expect(made.createWebhookEndpoint.__typename).toBe('WebhookEndpointSecret');
  clock.advance(1_000); // an endpoint hears what happens after it was made
  return {
    second,
    /** As `active → past_due: pro`, in the order in which it was told. */
    async told(): Promise<readonly string[]> {
      const { notices } = second.gateway;
      await notices.run();
      await notices.idle();
      const events = receiver.heard.map(({ body }) => JSON.parse(body) as Told);
      return events
        .filter(({ data }) => data.change === 'status')
        .sort((a, b) => a.time.localeCompare(b.time))
        .map(({ data: { previousStatus, status, planKey } }) => `${previousStatus} → ${status}: ${planKey}`);
    },
    write,
  };
}

type Told = { readonly time: string; readonly data: Readonly<Record<string, string | null>> };

describeEngines('a change of a subscription', (engine) => {
  it('is told once: bought, not paid, paid, ended', async () => {
    const rig = await openBilling({ database: await engine.open() });
    const { told } = await listen(rig);
    const deliverTwice = async () => {
      const waiting = [...rig.stripe.webhooks.waiting];
      await rig.deliver();
      await rig.stripe.webhooks.resend(waiting);
    };
    await buy(rig, toPro);
    await deliverTwice();
    expect(await told()).toEqual(['null → active: pro']);

    const [subscription] = (await rig.sdk.subscriptions.list({ customer: await rig.stripeCustomer() })).data;
    const card = String(subscription?.default_payment_method);
    rig.stripe.card(card, { kind: 'declines', declineCode: 'insufficient_funds' });
    await rig.stripe.advanceTo('2026-04-15T14:00:00Z');
    await deliverTwice();
    rig.stripe.card(card, { kind: 'pays' });
    await rig.stripe.advanceTo('2026-04-19T14:00:00Z');
    await deliverTwice();
    await rig.sdk.subscriptions.cancel(subscription?.id ?? '');
    await deliverTwice();
    expect(await told()).toEqual([
      'null → active: pro',
      'active → past_due: pro',
      'past_due → active: pro',
      'active → canceled: pro',
    ]);
  });

  it('is told once by two gateways that hear of it at the same moment', async () => {
    const rig = await openBilling({ database: await engine.open() });
    const { second, told } = await listen(rig);
    rig.stripe.webhooks.to(`${second.url}/webhooks/stripe`, { secret: SECRET });
    await buy(rig, toPro);
    const heard = await Promise.all(rig.stripe.webhooks.waiting.map((one) => rig.stripe.webhooks.resend([one])));
    expect(heard.flat().map(({ status }) => status)).toEqual(heard.flat().map(() => 200));
    expect(await rig.standing()).toBe('pro active');
    expect(await told()).toEqual(['null → active: pro']);
  });
});
