/**
 * Goal: what the gateway rests on at Stripe is so: a catalog that was brought there is found again, a meter event counts once by
 * its name, by either way, and the sums of a meter are the ledger's. Method: the product's own sync, sender and comparison.
 */
import { beforeAll, expect, it } from 'vitest';
import { desiredOf } from '../../server/billing/stripe/catalog/desired.ts';
import { compareCatalog } from '../../server/billing/stripe/catalog/sync.ts';
import { featureProductId } from '../../server/billing/stripe/names.ts';
import { collect } from '../../server/billing/stripe/usage/collector.ts';
import { Meters } from '../../server/billing/stripe/usage/meters.ts';
import { payersIn } from '../../server/billing/stripe/usage/payers.ts';
import { reconcile } from '../../server/billing/stripe/usage/reconcile.ts';
import { Sender } from '../../server/billing/stripe/usage/sender.ts';
import { loadCatalog } from '../../server/db/queries/catalog.ts';
import { describeStripes } from './either.ts';
import { openShop, type Shop, WINDOW_MS } from './rig.ts';

const CONFIG = {
  features: { calls: { displayName: 'Calls', unit: 'call', reset: 'monthly', anchor: 'subscription' } },
  plans: {
    pro: {
      price: [{ amount: 2_000, currency: 'usd', interval: 'month' }],
      features: { calls: { included: 10, price: { unitAmount: 10 } } },
    },
  },
  defaultPlan: 'pro',
};

describeStripes('Stripe', (stripe) => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop(await stripe.open(), CONFIG);
    await shop.sync();
  });

  const differences = async (): Promise<readonly string[]> => {
    const { database, sdk, tenantId } = shop;
    const desired = desiredOf(tenantId, await loadCatalog(database.query, tenantId));
    const { changes } = await compareCatalog({ stripe: sdk, on: {}, wait: async () => {} }, desired);
    return changes.map(({ kind }) => kind);
  };

  it('has the catalog as it was brought there, and shows what somebody changes in it', async () => {
    expect(await differences()).toEqual([]);
    expect((await shop.sync()).changes).toEqual([]);
    await shop.sdk.products.update(featureProductId(shop.tenantId, 'calls'), { name: 'Something else' });
    expect(await differences()).toEqual(['update_product']);
    await shop.sync();
    expect(await differences()).toEqual([]);
  });

  it.each([
    ['meter events', Number.POSITIVE_INFINITY],
    ['the stream', 1],
  ])('counts by %s what the ledger counts, and a name once', async (_by, streamFrom) => {
    const { clock, sdk, database } = shop;
    const referenceId = `by ${streamFrom}`;
    const { subscribe, advanceTo } = await shop.signUp(referenceId);
    await subscribe('pro', ['calls']);
    await shop.deliver();
    const sender = () =>
      new Sender({ query: database.query, clock, stripe: sdk, payersOf: payersIn(database.query) }, { streamFrom });
    for (const amount of [13, 4]) {
      expect(await shop.consume(referenceId, 'calls', amount)).toBe('allowed');
      await advanceTo(clock.now() + WINDOW_MS);
      await collect({ query: database.query, clock, windowMs: WINDOW_MS });
      await sender().run();
    }
    await resend(shop);
    await sender().run();
    await shop.eventually(
      'the ledger and Stripe agree',
      async () => (await compared(shop, referenceId)) === '7 and 7, no difference',
    );
  });
});

/** As if nobody had noted that the messages arrived. */
const resend = ({ database }: Shop) =>
  database.query({
    text: `UPDATE usage_messages SET state = 'waiting', delivered_at = NULL WHERE state = 'delivered'`,
    params: [],
  });

async function compared({ database, clock, sdk, tenantId }: Shop, referenceId: string): Promise<string> {
  const deps = { query: database.query, clock, payersOf: payersIn(database.query), meters: new Meters(sdk) };
  for await (const row of reconcile(deps, { tenantId, endedAfterMs: clock.now() })) {
    if (row.referenceId !== referenceId) continue;
    const names = [...row.differences.keys()].join(', ');
    return `${row.overage / 10n ** 9n} and ${(row.counted ?? 0n) / 10n ** 9n}, ${names || 'no difference'}`;
  }
  return 'nothing';
}
