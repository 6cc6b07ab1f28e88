/**
 * Goal: what was never told is found out all the same; who does not pay has its grace, and then what is free. Method:
 * notices that are lost, a card that declines, and a clock that is moved over renewals.
 */
import { describe, expect, it } from 'vitest';
import { StripeBilling } from '../../server/billing/stripe/stripe-billing.ts';
import { billingEffects } from '../../server/billing-effects.ts';
import { type BillingRig, buy, openBilling, toPro } from './rig.ts';

async function subscribed(): Promise<BillingRig> {
  const rig = await openBilling();
  await buy(rig, toPro);
  await rig.deliver();
  return rig;
}

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
    const { sdk, database, clock, gateway } = await openBilling();
    const errors: unknown[] = [];
    const gone = new Error('the database is gone');
    const billing = new StripeBilling({
      stripe: sdk,
      webhookSecrets: [],
      database,
      clock,
      effects: billingEffects(gateway.services, 0),
      accountOf: () => Promise.reject(gone),
      onThinNotice: async () => {},
      onNews: () => {},
      onError: (error) => errors.push(error),
    });
    await billing.run();
    expect(errors).toEqual([gone]);
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

describe('who does not pay', () => {
  it('keeps the plan for seven days, and gets it back when it pays', async () => {
    const rig = await subscribed();
    const { card } = await cardOf(rig);
    rig.stripe.card(card, { kind: 'declines', declineCode: 'insufficient_funds' });
    await rig.stripe.advanceTo('2026-04-15T14:00:00Z'); // renewed at noon, finalized an hour later
    await rig.deliver();
    expect(await rig.standing()).toBe('pro past_due → free 2026-04-22');
    expect(await rig.passes(6)).toBe(6);
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
});
