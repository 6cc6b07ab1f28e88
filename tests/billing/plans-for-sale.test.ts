/**
 * Goal: a plan that was brought to Stripe can be bought, whatever its features are: with what is billed there, and nothing
 * else. Method: plans of a config that is synced, bought by a customer each; the items of the subscriptions are looked at.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { syncConfig } from '../../server/actions/sync-config.ts';
import { defineConfig } from '../../server/index.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { type BillingRig, buy, openBilling, PAGES, sell } from './rig.ts';

const USD = { amount: 2_000, interval: 'month' } as const;

const config = defineConfig({
  features: {
    calls: { reset: 'monthly', price: { unitAmount: 10 } },
    ahead: { reset: 'monthly', price: { unitAmount: 10 }, billing: 'prepaid' },
    euros: { reset: 'monthly', price: { unitAmount: 10, currency: 'eur' } },
    halves: { reset: 'monthly', price: { unitAmount: 10, per: '0.5' } },
  },
  plans: {
    free: { features: {} },
    ahead: { price: [USD], features: { calls: true, ahead: true } },
    wordless: { price: [USD], features: { calls: true, halves: true } },
    foreign: { price: [USD, { ...USD, currency: 'eur' }], features: { calls: true, euros: true } },
    metered: { features: { calls: true } },
    abroad: { features: { euros: true } },
    unsayable: { features: { halves: true } },
  },
  defaultPlan: 'free',
  billing: { redirectOrigins: ['https://app.example.com'] },
});

describe('a plan', () => {
  let rig: BillingRig;
  beforeAll(async () => {
    const gone = { reset: 'monthly', price: { unitAmount: 10 } } as const;
    rig = await openBilling({ config: { ...config, features: { ...config.features, gone } } });
    const features = [{ featureKey: 'calls' }, { featureKey: 'gone' }];
    const price = [{ amount: 2_000, currency: 'usd', interval: 'MONTH' }];
    await rig.write('savePlan', { key: 'archived', price, features });
    const { gateway, database, clock, tenantId } = rig;
    const { announce } = gateway.services;
    await syncConfig({ database, clock, announce }, tenantId, parseConfig(config, 'the test').definition);
    await sell(rig, rig.sdk);
  });

  /** Lookup keys of what was subscribed to, without the tenant. */
  async function itemsOf(referenceId: string): Promise<string> {
    const { data } = await rig.sdk.subscriptions.list({ customer: await rig.stripeCustomer(referenceId) });
    const keys = data.flatMap(({ items }) => items.data.map(({ price }) => `${price.lookup_key?.split(':').slice(1)}`));
    return keys.join(' ');
  }

  it.each([
    ['that is paid ahead in part', { planKey: 'ahead' }, 'ahead,base,month,usd ahead,calls,month'],
    ['with an archived feature', { planKey: 'archived' }, 'archived,base,month,usd archived,calls,month'],
    [
      'with a price that Stripe has no words for',
      { planKey: 'wordless' },
      'wordless,base,month,usd wordless,calls,month',
    ],
    ['in two currencies, in dollars', { planKey: 'foreign' }, 'foreign,base,month,usd foreign,calls,month'],
    [
      'in two currencies, in euros',
      { planKey: 'foreign', currency: 'eur' },
      'foreign,base,month,eur foreign,euros,month',
    ],
    ['that costs by use alone', { planKey: 'metered' }, 'metered,calls,month'],
    ['that costs by use alone, in its own currency', { planKey: 'abroad' }, 'abroad,euros,month'],
  ])('%s is sold with what Stripe bills', async (what, plan, items) => {
    await rig.write('registerCustomer', { referenceId: what });
    await buy(rig, { plan }, what);
    await rig.deliver();
    expect(await itemsOf(what)).toBe(items);
    expect(await rig.standing(what)).toBe(`${plan.planKey} active`);
  });

  it.each([
    ['unsayable', {}, 'stripe status'],
    ['metered', { currency: 'eur' }, 'it is sold by the month in USD'],
    ['metered', { interval: 'YEAR' }, 'it is sold by the month in USD'],
  ])('%s %j is not for sale', async (planKey, more, says) => {
    const input = { referenceId: 'acme', ...PAGES, plan: { planKey, ...more } };
    expect(await rig.write('createCheckoutSession', input)).toMatchObject({
      __typename: 'PlanNotForSaleError',
      message: expect.stringContaining(says),
    });
  });
});
