/**
 * Goal: what a plan is for, whole: from a free plan to a paid one, its bill, and back. Method: one customer through the
 * gateway's own API, paid at a Stripe of the test, on a clock that is moved; notices go out as things happen.
 */
import { beforeAll, expect, it } from 'vitest';
import { describeEngines } from '../support/engines.ts';
import { type BillingRig, buy, openBilling, toPro } from './rig.ts';

const CHARGES = '{ parts { currency total { amount } lines { description quantity amount { amount } } } }';

describeEngines('a customer', (engine) => {
  let rig: BillingRig;
  beforeAll(async () => {
    rig = await openBilling({ database: await engine.open() });
  });

  it('signs up, uses what is free, pays, is let through at once, is billed, leaves, and is free again', async () => {
    const { stripe, sdk, clock } = rig;
    expect(await rig.standing()).toBe('free -');

    expect(await rig.passes(6)).toBe(5);
    const consume = { referenceId: 'acme', featureKey: 'api_calls' };
    const hint = '... on Consumption { allowed denial { reason } usage { upgrades { key } } }';
    expect(await rig.write('consume', consume, hint)).toMatchObject({
      allowed: false,
      denial: { reason: 'LIMIT_REACHED' },
      usage: { upgrades: [{ key: 'pro' }, { key: 'team' }] },
    });

    await buy(rig, toPro);
    expect(await rig.standing()).toBe('free -'); // paid, and not heard of yet
    await rig.deliver();
    expect(await rig.standing()).toBe('pro active');
    expect(await rig.passes(1)).toBe(1);

    clock.advance(3_600_000); // what was used of the running period stays used: 650 calls in all, of which 500 are included
    const more = await rig.write(
      'consume',
      { ...consume, amount: 644 },
      '... on Consumption { allowed split { overage } }',
    );
    expect(more).toMatchObject({ allowed: true });
    const { invoicePreview } = await rig.data<{ invoicePreview: unknown }>(
      `query { invoicePreview(referenceId: "acme") ${CHARGES} }`,
    );
    expect(invoicePreview).toMatchObject({ parts: [{ total: { amount: '3500' } }] });

    const customer = await rig.stripeCustomer();
    const [subscription] = (await sdk.subscriptions.list({ customer })).data;
    await sdk.subscriptions.update(subscription?.id ?? '', { cancel_at_period_end: true });
    await rig.deliver();
    expect(await rig.standing()).toBe('pro active → free 2026-04-15');
    expect(await rig.passes(1)).toBe(1); // it is paid for until then

    clock.set('2026-04-15T12:00:00Z');
    expect(await rig.passes(6)).toBe(5); // free again, whether or not anybody has told of it
    await stripe.advanceTo('2026-04-15T14:00:00Z');
    await rig.deliver();
    expect(await rig.standing()).toBe('free canceled');
    expect(await rig.passes(1)).toBe(0);
  });
});
