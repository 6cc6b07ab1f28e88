/**
 * Goal: `invoicePreview` says of each feature what Stripe's own preview says of the same usage, to the cent, for every model
 * that a price can have. Method: one plan that has them all, brought to Stripe by the sync; what is used beyond what is
 * included goes there as it does in production. Usage is made up by fast-check.
 *
 * The fee of a first step Stripe charges also for nothing, so something is used of it here. Half a cent is rounded to even here
 * and up there, and Stripe rounds each tier: the rates are such that no quantity comes to half a cent, and a whole tier is whole
 * cents. See `docs/billing.md`.
 */
import fc from 'fast-check';
import type Stripe from 'stripe';
import { beforeAll, expect, it } from 'vitest';
import { featureProductId, planProductId } from '../../server/billing/stripe/names.ts';
import type { PriceConfig } from '../../server/define-config.ts';
import { describeStripes } from './either.ts';
import { openShop, type Shop } from './rig.ts';

const PRICES = {
  per_unit: { unitAmount: '0.4' },
  package: { unitAmount: 500, per: 100 },
  percentage: { percent: '2.4' },
  graduated: {
    mode: 'graduated',
    tiers: [
      { upTo: 40, unitAmount: '2.4' },
      { upTo: 120, unitAmount: '1.2', flatAmount: 40 },
      { upTo: null, unitAmount: '0.4' },
    ],
  },
  volume: {
    mode: 'volume',
    tiers: [
      { upTo: 50, unitAmount: 12 },
      { upTo: null, unitAmount: '7.4', flatAmount: 25 },
    ],
  },
  stairstep: {
    mode: 'stairstep',
    tiers: [
      { upTo: 50, flatAmount: 300 },
      { upTo: null, flatAmount: 900 },
    ],
  },
} as const satisfies Record<string, PriceConfig>;

type Model = keyof typeof PRICES;
const MODELS = Object.keys(PRICES) as Model[];
const INCLUDED = 25;
const A_STEP = { model: 'stairstep', amount: INCLUDED + 1 } as const;

const CONFIG = {
  features: Object.fromEntries(
    MODELS.map((key) => [key, { displayName: `By ${key}`, reset: 'monthly', anchor: 'subscription' }]),
  ),
  plans: {
    free: { features: {} },
    all: {
      price: [{ amount: 2_000, currency: 'usd', interval: 'month' }],
      features: Object.fromEntries(MODELS.map((key) => [key, { included: INCLUDED, price: PRICES[key] }])),
    },
  },
  defaultPlan: 'free',
};

/** What is used in one go. */
const uses = fc.array(fc.record({ model: fc.constantFrom(...MODELS), amount: fc.integer({ min: 1, max: 90 }) }), {
  maxLength: 24,
});

describeStripes('the invoice that is foreseen', (stripe) => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop(await stripe.open(), CONFIG);
    await shop.sync();
  });

  it('is the one that Stripe foresees, line by line', async () => {
    let lives = 0;
    await fc.assert(
      fc.asyncProperty(uses, async (used) => {
        lives += 1;
        const referenceId = `life ${lives}`;
        const { subscribe } = await shop.signUp(referenceId);
        const { id } = await subscribe('all', MODELS);
        await shop.deliver();
        for (const { model, amount } of [A_STEP, ...used])
          expect(await shop.consume(referenceId, model, amount)).toBe('allowed');
        await shop.report();
        const here = await foreseenHere(shop, referenceId);
        await shop.eventually(`Stripe foresees ${JSON.stringify(here)}`, async () => {
          const there = await foreseenThere(shop, id);
          return JSON.stringify(there) === JSON.stringify(here);
        });
      }),
      { numRuns: shop.lives },
    );
  });
});

type Amounts = Readonly<Record<string, number>>;

/** In minor units, by feature; `base` is the plan's own price. Nothing is left out as 0. */
async function foreseenHere(shop: Shop, referenceId: string): Promise<Amounts> {
  const { invoicePreview } = await shop.data<{
    invoicePreview: {
      parts: readonly { lines: readonly { featureKey: string | null; amount: { amount: string } }[] }[];
    };
  }>(`{ invoicePreview(referenceId: "${referenceId}") { parts { lines { featureKey amount { amount } } } } }`);
  const lines = invoicePreview.parts.flatMap((part) => part.lines);
  return sums(lines.map(({ featureKey, amount }) => [featureKey ?? 'base', Number(amount.amount)]));
}

async function foreseenThere({ sdk, tenantId }: Shop, subscription: string): Promise<Amounts> {
  const preview = await sdk.invoices.createPreview({ subscription });
  const keys = new Map([
    [planProductId(tenantId, 'all'), 'base'],
    ...MODELS.map((key) => [featureProductId(tenantId, key), key] as const),
  ]);
  return sums(preview.lines.data.map((line) => [keys.get(productOf(line)) ?? 'something else', line.amount]));
}

const productOf = ({ pricing }: Stripe.InvoiceLineItem): string => pricing?.price_details?.product ?? '';

function sums(lines: readonly (readonly [string, number])[]): Amounts {
  const amounts = (key: string) => lines.filter(([of]) => of === key).reduce((sum, [, amount]) => sum + amount, 0);
  return Object.fromEntries(['base', ...MODELS, 'something else'].map((key) => [key, amounts(key)]));
}
