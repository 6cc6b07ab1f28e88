/**
 * Goal: a customer's first month, whole: from sign-up to the second invoice, and out again. Method: one customer through the
 * gateway's API, and at a Stripe by its test clock; what Stripe has to say is forwarded, signed, at each step.
 */
import type Stripe from 'stripe';
import { expect, it } from 'vitest';
import { describeStripes } from './either.ts';
import { openShop } from './rig.ts';

const CONFIG = {
  features: {
    api_calls: { displayName: 'API calls', unit: 'call', reset: 'monthly', anchor: 'subscription', limit: 5 },
  },
  plans: {
    free: { features: { api_calls: true } },
    pro: {
      displayName: 'Pro',
      price: [{ amount: 2_000, currency: 'usd', interval: 'month' }],
      features: { api_calls: { limit: 500, included: 500, enforcement: 'soft', price: { unitAmount: 10 } } },
    },
  },
  defaultPlan: 'free',
};

const HOUR_MS = 3_600_000;

describeStripes('a month of a customer', (stripe) => {
  it('from sign-up to the second invoice, and to the end of the plan', async () => {
    const shop = await openShop(await stripe.open(), CONFIG);
    const { sdk } = shop;
    await shop.sync();
    const call = (amount = 1) => shop.consume('acme', 'api_calls', amount);
    const invoices = async (): Promise<readonly Stripe.Invoice[]> =>
      (await sdk.invoices.list({ customer: acme.customer })).data;

    // It signs up. Five calls are free.
    const acme = await shop.signUp('acme');
    for (let calls = 1; calls <= 5; calls += 1) expect(await call()).toBe('allowed');
    expect(await call()).toBe('LIMIT_REACHED, offered pro');

    // It subscribes, and pays $20.00 for the month that begins. Its next call passes.
    const { id, items } = await acme.subscribe('pro', ['api_calls']);
    expect((await invoices()).map(spell)).toEqual(['paid: 2000 = 2000 + 0']);
    await shop.deliver();
    expect(await standing()).toEqual({ plan: 'pro', pending: null });
    expect(await call()).toBe('allowed');

    // It makes 644 more: 650 calls in all, of which 500 are included. Both sides foresee 150 × $0.10 and the next month.
    expect(await call(644)).toBe('allowed');
    await shop.report();
    await shop.eventually(
      'its usage counts',
      async () => (await sdk.invoices.createPreview({ subscription: id })).total === 3_500,
    );
    expect(await foreseen()).toBe('2000 + 1500');

    // The month ends, and an hour later the second invoice is closed and paid.
    const endMs = (items.data[0]?.current_period_end ?? 0) * 1_000;
    await acme.advanceTo(endMs + 2 * HOUR_MS);
    await shop.deliver();
    const [second, ...before] = await invoices();
    expect(before).toHaveLength(1);
    expect(second && spell(second)).toBe('paid: 3500 = 2000 + 1500');

    // Of the new month nothing is used yet: what is included is there again.
    expect(await call(500)).toBe('allowed');
    expect(await foreseen()).toBe('2000');

    // It leaves. What is paid for stays until the month's end; then five calls are free again.
    await sdk.subscriptions.update(id, { cancel_at_period_end: true });
    await shop.deliver();
    expect(await standing()).toMatchObject({ plan: 'pro', pending: 'free' });
    const { items: renewed } = await sdk.subscriptions.retrieve(id);
    await acme.advanceTo((renewed.data[0]?.current_period_end ?? 0) * 1_000 + 2 * HOUR_MS);
    await shop.deliver();
    expect(await standing()).toEqual({ plan: 'free', pending: null });
    expect(await call(5)).toBe('allowed');
    expect(await call()).toBe('LIMIT_REACHED, offered pro');

    async function standing(): Promise<{ plan: string; pending: string | null }> {
      const { customer } = await shop.data<{
        customer: { planKey: string; pendingPlan: { plan: { key: string } } | null };
      }>('{ customer(referenceId: "acme") { planKey pendingPlan { plan { key } } } }');
      return { plan: customer.planKey, pending: customer.pendingPlan?.plan.key ?? null };
    }

    async function foreseen(): Promise<string> {
      const { invoicePreview } = await shop.data<{
        invoicePreview: { parts: readonly { lines: readonly { amount: { amount: string } }[] }[] };
      }>('{ invoicePreview(referenceId: "acme") { parts { lines { amount { amount } } } } }');
      const [part] = invoicePreview.parts;
      return (part?.lines ?? []).map(({ amount }) => amount.amount).join(' + ');
    }
  });
});

/** As `paid: 3500 = 2000 + 1500`. */
const spell = ({ status, total, lines }: Stripe.Invoice): string =>
  `${status}: ${total} = ${lines.data
    .map(({ amount }) => amount)
    .sort((a, b) => b - a)
    .join(' + ')}`;
