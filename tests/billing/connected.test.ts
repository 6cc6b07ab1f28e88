/**
 * Goal: a tenant is paid into its own account, and what another account says of its customers is not believed. Method: the
 * same subscription, with the same metadata, in a connected account before and after it is the tenant's; usage that is sent,
 * compared and refused there, and an account that names another's messages.
 */
import { beforeAll, expect, it } from 'vitest';
import { meterEventName } from '../../server/billing/stripe/names.ts';
import { Meters } from '../../server/billing/stripe/usage/meters.ts';
import { reconcile } from '../../server/billing/stripe/usage/reconcile.ts';
import { setStripeAccount } from '../../server/db/queries/tenants.ts';
import { formatUnits } from '../../server/domain/units.ts';
import { type BillingRig, openBilling, SECRET } from './rig.ts';
import { openUsage, type UsageRig } from './usage-rig.ts';

let rig: BillingRig;
const on = { stripeAccount: 'acct_merchant' };

beforeAll(async () => {
  rig = await openBilling();
  rig.stripe.webhooks.to(`${rig.url}/webhooks/stripe`, { secret: SECRET, isConnect: true });
  rig.stripe.webhooks.to(`${rig.url}/webhooks/stripe`, { secret: SECRET, isConnect: true, isThin: true });
});

/** A tenant that is paid into an account of its own, where its customer and the meter of `calls` are. */
async function openMerchant(stripeAccount: string): Promise<UsageRig & { readonly stripeCustomerId: string }> {
  const usage = await openUsage(rig.database, { stripeRig: rig, features: [] });
  const { sdk, tenantId, payers } = usage;
  await setStripeAccount(rig.database.db, tenantId, stripeAccount);
  const { id } = await sdk.customers.create({ name: 'acme' }, { stripeAccount });
  await makeMeter(usage, stripeAccount);
  for (const [customerId, payer] of payers) payers.set(customerId, { ...payer, stripeCustomerId: id, stripeAccount });
  return { ...usage, stripeCustomerId: id };
}

const makeMeter = ({ sdk, tenantId }: UsageRig, stripeAccount: string) =>
  sdk.billing.meters.create(
    {
      display_name: 'Calls',
      event_name: meterEventName(tenantId, 'calls'),
      default_aggregation: { formula: 'sum' },
    },
    { stripeAccount },
  );

/** `counted at Stripe: differences` of its counters. */
async function compared({ database, clock, payers, sdk, tenantId }: UsageRig): Promise<readonly string[]> {
  const lines: string[] = [];
  const deps = { query: database.query, clock, payersOf: async () => payers, meters: new Meters(sdk) };
  for await (const { counted, differences } of reconcile(deps, { tenantId, endedAfterMs: 0 }))
    lines.push(`${counted === null ? 'none' : formatUnits(counted)}: ${[...differences.keys()].join(', ')}`);
  return lines;
}

it.each([
  ['one by one', Number.POSITIVE_INFINITY],
  ['by the stream', 1],
])('brings usage to the account, %s, and compares it there', async (how, streamFrom) => {
  const merchant = await openMerchant(`acct_${how.replaceAll(' ', '')}`);
  await merchant.copy('acme', 'calls', '7');
  await merchant.collect();
  await merchant.sendAll(merchant.newSender({ streamFrom }));
  expect(await merchant.messages()).toEqual(['delivered 7']);
  rig.stripe.settle();
  rig.clock.advance(15 * 60_000);
  expect(await compared(merchant)).toEqual(['7: ']);
});

it('hears of usage that the account does not count, and believes no other account of it', async () => {
  const merchant = await openMerchant('acct_refusing');
  const { sdk, tenantId } = merchant;
  await merchant.copy('acme', 'calls', '7');
  await merchant.collect();
  await merchant.sendAll();
  const [message] = await rig.database.query<{ identifier: string }>({
    text: 'SELECT identifier FROM usage_messages WHERE tenant_id = $1',
    params: [tenantId],
  });
  const stranger = { stripeAccount: 'acct_stranger' };
  await makeMeter(merchant, stranger.stripeAccount);
  await sdk.billing.meterEvents.create(
    {
      event_name: meterEventName(tenantId, 'calls'),
      identifier: message?.identifier ?? '',
      payload: { stripe_customer_id: 'cus_nobody', value: '7' },
    },
    stranger,
  );
  await sdk.customers.del(merchant.stripeCustomerId, {}, { stripeAccount: 'acct_refusing' });
  rig.stripe.settle();
  const isOf = (account: string) => (delivery: { readonly account: string }) => delivery.account === account;
  const told = await rig.stripe.webhooks.deliver({ pick: (waiting) => waiting.filter(isOf('acct_stranger')) });
  expect(told.map(({ event, status }) => `${event.type} ${status}`)).toContain(
    'v1.billing.meter.error_report_triggered 200',
  );
  expect(await merchant.messages()).toEqual(['delivered 7']);
  await rig.deliver();
  expect(await merchant.messages()).toEqual(['dead 7 meter_event_customer_not_found']);
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
