/**
 * Goal: what is invoiced is what the usage costs, whatever the price model, and what was previewed. Method: usage that
 * fast-check makes up, in several events, billed after a month; the cost is computed unit by unit, beside the fake.
 */
import fc from 'fast-check';
import Stripe from 'stripe';
import { expect, it } from 'vitest';
import { openStripe } from './rig.ts';

type Model = {
  readonly params: Partial<Stripe.PriceCreateParams>;
  /** In hundredths of a cent, line by line, for each line is rounded. */
  readonly costOf: (units: number) => readonly number[];
};

const decimal = (text: string) => Stripe.Decimal.from(text);
const tiered = (tiers_mode: 'graduated' | 'volume', tiers: Stripe.PriceCreateParams.Tier[]) => ({
  billing_scheme: 'tiered' as const,
  tiers_mode,
  tiers,
});
const unitsIn = (units: number, from: number, to: number) => Math.max(0, Math.min(units, to) - from);

const MODELS: Record<string, Model> = {
  'ten cents each': { params: { unit_amount: 10 }, costOf: (units) => [units * 1_000] },
  'a twentieth of a cent each': { params: { unit_amount_decimal: decimal('0.05') }, costOf: (units) => [units * 5] },
  '$5.00 for each hundred begun': {
    params: { unit_amount: 500, transform_quantity: { divide_by: 100, round: 'up' } },
    costOf: (units) => [Math.ceil(units / 100) * 50_000],
  },
  '100 included, then 10 cents each': {
    params: tiered('graduated', [
      { up_to: 100, unit_amount: 0 },
      { up_to: 'inf', unit_amount: 10 },
    ]),
    costOf: (units) => [0, unitsIn(units, 100, Number.POSITIVE_INFINITY) * 1_000],
  },
  'cheaper in each tier, with fees': {
    params: tiered('graduated', [
      { up_to: 50, unit_amount_decimal: decimal('1.25'), flat_amount: 100 },
      { up_to: 120, unit_amount_decimal: decimal('0.75'), flat_amount: 40 },
      { up_to: 'inf', unit_amount_decimal: decimal('0.33') },
    ]),
    costOf: (units) => [
      unitsIn(units, 0, 50) * 125,
      10_000,
      unitsIn(units, 50, 120) * 75,
      units > 50 ? 4_000 : 0,
      unitsIn(units, 120, Number.POSITIVE_INFINITY) * 33,
    ],
  },
  'all by the last one’s tier': {
    params: tiered('volume', [
      { up_to: 50, unit_amount_decimal: decimal('1.25') },
      { up_to: 'inf', unit_amount_decimal: decimal('0.75'), flat_amount: 25 },
    ]),
    costOf: (units) => (units <= 50 ? [units * 125] : [units * 75, 2_500]),
  },
};

const rounded = (hundredths: number) => Math.floor((hundredths + 50) / 100);

it.each(Object.keys(MODELS))('%s', async (name) => {
  const { params, costOf } = MODELS[name] as Model;
  const usage = fc.array(fc.integer({ min: -20, max: 90 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(usage, async (values) => {
      const { sdk, stripe } = await openStripe();
      const meter = await sdk.billing.meters.create({
        event_name: 'calls',
        display_name: 'Calls',
        default_aggregation: { formula: 'sum' },
      });
      const { id: product } = await sdk.products.create({ name: 'Calls' });
      const recurring = { interval: 'month', usage_type: 'metered', meter: meter.id } as const;
      const price = await sdk.prices.create({ currency: 'usd', product, recurring, ...params });
      const card = 'pm_card_visa';
      const customer = await sdk.customers.create({
        payment_method: card,
        invoice_settings: { default_payment_method: card },
      });
      const { id: subscription } = await sdk.subscriptions.create({
        customer: customer.id,
        items: [{ price: price.id }],
      });
      for (const value of values) {
        await sdk.billing.meterEvents.create({
          event_name: 'calls',
          payload: { stripe_customer_id: customer.id, value: `${value}` },
        });
      }
      stripe.settle();
      const preview = await sdk.invoices.createPreview({ subscription });
      await stripe.advanceTo('2026-04-15T13:00:00Z');
      const [invoice] = (await sdk.invoices.list({ subscription })).data;
      const units = Math.max(
        0,
        values.reduce((sum, value) => sum + value, 0),
      );
      const cost = costOf(units).reduce((sum, line) => sum + rounded(line), 0);
      expect(invoice).toMatchObject({ total: cost, amount_paid: cost, status: 'paid' });
      expect(preview.total).toBe(cost);
    }),
    { numRuns: 8 },
  );
});
