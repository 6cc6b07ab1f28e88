/**
 * Goal: a tenant is paid into its own account, and what another account says of its customers is not believed. Method: the
 * same subscription, with the same metadata, in a connected account before and after it is the tenant's.
 */
import { beforeAll, expect, it } from 'vitest';
import { setStripeAccount } from '../../server/db/queries/tenants.ts';
import { type BillingRig, openBilling, SECRET } from './rig.ts';

let rig: BillingRig;
const on = { stripeAccount: 'acct_merchant' };

beforeAll(async () => {
  rig = await openBilling();
  rig.stripe.webhooks.to(`${rig.url}/webhooks/stripe`, { secret: SECRET, isConnect: true });
});

it('believes no account but the tenant’s own', async () => {
  const { sdk, tenantId, database } = rig;
  const metadata = { metergraph_tenant: tenantId, metergraph_plan: 'team' };
  const product = await sdk.products.create({ name: 'Team', metadata }, on);
  const recurring = { interval: 'month' } as const;
  const money = { currency: 'usd', unit_amount: 100 };
  const price = await sdk.prices.create({ product: product.id, ...money, recurring, metadata }, on);
  const whose = { metergraph_tenant: tenantId, metergraph_customer: rig.customerId() };
  const customer = await sdk.customers.create({ metadata: whose }, on);
  const method = await sdk.paymentMethods.attach('pm_card_visa', { customer: customer.id }, on);
  const items = [{ price: price.id }];
  const bought = { customer: customer.id, items, default_payment_method: method.id };
  const { id } = await sdk.subscriptions.create(bought, on);
  await rig.deliver();
  expect(await rig.standing()).toBe('free -');

  await setStripeAccount(database.db, tenantId, on.stripeAccount);
  await sdk.subscriptions.update(id, { metadata: { note: 'told again' } }, on);
  await rig.deliver();
  expect(await rig.standing()).toBe('team active');

  await setStripeAccount(database.db, tenantId, 'acct_another');
  await sdk.subscriptions.cancel(id, {}, on);
  await rig.deliver();
  expect(await rig.standing()).toBe('team active');
});
