/**
 * Goal: the invoice that is shown ahead is the one that Stripe will send: by the interval and in the currency that the
 * customer pays in, whole from the moment it was bought, however late that was told. Method: subscriptions at each price of
 * a plan, notices that take their time, and the price as Stripe has it.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { type BillingRig, CONFIG, openBilling } from './rig.ts';

const PRICES = [
  { amount: 2_000, currency: 'usd', interval: 'month' },
  { amount: 20_000, currency: 'usd', interval: 'year' },
  { amount: 1_900, currency: 'eur', interval: 'month' },
  { amount: 19_000, currency: 'eur', interval: 'year' },
] as const;

let rig: BillingRig;

beforeAll(async () => {
  const pro = { displayName: 'Pro', price: [...PRICES], features: { api_calls: { limit: 500 } } };
  rig = await openBilling({ config: { ...CONFIG, plans: { ...CONFIG.plans, pro } } });
});

describe('the invoice of a subscription', () => {
  it.each(PRICES)('of $amount $currency a $interval, told a minute late', async ({ amount, currency, interval }) => {
    const { sdk, tenantId } = rig;
    const referenceId = `${currency} ${interval}`;
    await rig.write('registerCustomer', { referenceId, timeZone: 'America/New_York' });
    rig.clock.advance(2_345); // Stripe's seconds are not the gateway's instants
    const metadata = { metergraph_tenant: tenantId, metergraph_plan: 'pro' };
    const product = await sdk.products.create({ name: 'Pro', metadata });
    const money = { currency, unit_amount: amount, recurring: { interval } };
    const price = await sdk.prices.create({ product: product.id, ...money, metadata });
    const whose = { metergraph_tenant: tenantId, metergraph_customer: rig.customerId(referenceId) };
    const customer = await sdk.customers.create({ metadata: whose });
    const method = await sdk.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    const bought = await sdk.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      default_payment_method: method.id,
    });
    rig.clock.advance(60_000);
    await rig.deliver();

    const { invoicePreview } = await rig.data(
      `query ($referenceId: String!) { invoicePreview(referenceId: $referenceId) {
        period { start end } parts { currency total { amount } lines { description unitAmount amount { amount } } } } }`,
      { referenceId },
    );
    const [item] = bought.items.data;
    const iso = (seconds = 0) => new Date(seconds * 1_000).toISOString();
    const paid = String(amount);
    expect(invoicePreview).toEqual({
      period: { start: iso(item?.current_period_start), end: iso(item?.current_period_end) },
      parts: [
        {
          currency,
          total: { amount: paid },
          lines: [{ description: 'Pro', unitAmount: paid, amount: { amount: paid } }],
        },
      ],
    });
  });
});
