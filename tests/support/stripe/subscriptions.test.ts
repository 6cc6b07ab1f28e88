/**
 * Goal: subscriptions and their invoices live as at Stripe: paid in advance, used, drafted, finalized after an hour,
 * collected or not. Method: whole lives over the SDK, on the fake's clock and on test clocks.
 */
import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { openStripe, refusal, type StripeRig } from './rig.ts';
import { DAY, HOUR } from './wire.ts';

const NOW = '2026-03-15T12:00:00Z';
const at = (iso: string) => Date.parse(iso) / 1_000;

/** A plan of $20.00 a month with 10 cents for each call, and a customer with a card. */
async function openPlan() {
  const rig = await openStripe();
  const { sdk } = rig;
  const product = await sdk.products.create({ name: 'Pro' });
  const calls = await sdk.products.create({ name: 'Calls', unit_label: 'call' });
  const meter = await sdk.billing.meters.create({
    event_name: 'calls',
    display_name: 'Calls',
    default_aggregation: { formula: 'sum' },
  });
  const recurring = { interval: 'month' } as const;
  const base = await sdk.prices.create({ currency: 'usd', product: product.id, unit_amount: 2_000, recurring });
  const metered = await sdk.prices.create({
    currency: 'usd',
    product: calls.id,
    unit_amount: 10,
    recurring: { ...recurring, usage_type: 'metered', meter: meter.id },
  });
  const newCustomer = (test_clock?: string) =>
    sdk.customers.create({
      email: 'ada@example.com',
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
      ...(test_clock ? { test_clock } : {}),
    });
  const customer = await newCustomer();
  const items = [{ price: base.id }, { price: metered.id }];
  const start = (params: Partial<Stripe.SubscriptionCreateParams> = {}) =>
    sdk.subscriptions.create({ customer: customer.id, items, ...params });
  const use = (value: number, timestamp = rig.clock.now() / 1_000, of = customer.id) =>
    sdk.billing.meterEvents.create({
      event_name: 'calls',
      timestamp,
      payload: { stripe_customer_id: of, value: `${value}` },
    });
  const invoices = async (subscription: string) => (await sdk.invoices.list({ subscription })).data;
  const happened = (prefix = '') =>
    rig.stripe
      .account()
      .events.all()
      .map(({ type }) => type)
      .filter((type) => type.startsWith(prefix));
  return { ...rig, product, base, metered, customer, items, start, use, invoices, happened, newCustomer };
}

type Plan = Awaited<ReturnType<typeof openPlan>>;

const linesOf = ({ lines }: Stripe.Invoice) => lines.data.map(({ description, amount }) => [description, amount]);

/** Declines from now on. */
function declining({ stripe }: StripeRig): void {
  for (const { id } of stripe.account().paymentMethods.all())
    stripe.card(id, { kind: 'declines', declineCode: 'insufficient_funds' });
}

describe('a month', () => {
  it('is paid in advance for the base, and after it for what was used: 150 calls and $20.00 are $35.00', async () => {
    const { start, use, stripe, sdk, invoices, clock } = await openPlan();
    const subscription = await start({ expand: ['latest_invoice'] });
    expect(subscription).toMatchObject({
      status: 'active',
      latest_invoice: { amount_paid: 2_000, status: 'paid', billing_reason: 'subscription_create' },
    });
    await use(100);
    await stripe.advanceTo('2026-04-15T11:00:00Z');
    await use(50);
    await stripe.advanceTo('2026-04-15T12:30:00Z');
    const [drafted] = await invoices(subscription.id);
    expect(drafted).toMatchObject({
      status: 'draft',
      amount_due: 3_500,
      period_start: at(NOW),
      period_end: at('2026-04-15T12:00:00Z'),
    });
    await stripe.advanceTo('2026-04-15T13:00:00Z');
    const [paid] = await invoices(subscription.id);
    expect(paid).toMatchObject({
      id: drafted?.id,
      status: 'paid',
      amount_paid: 3_500,
      number: expect.stringMatching(/-0002$/),
    });
    expect(linesOf(paid as Stripe.Invoice)).toEqual([
      ['1 × Pro (at 20 USD / month)', 2_000],
      ['150 call × Calls (at 0.1 USD / month)', 1_500],
    ]);
    const { items } = await sdk.subscriptions.retrieve(subscription.id);
    expect(items.data[0]).toMatchObject({
      current_period_start: at('2026-04-15T12:00:00Z'),
      current_period_end: at('2026-05-15T12:00:00Z'),
    });
    expect(clock.now() / 1_000).toBe(at('2026-04-15T13:00:00Z'));
  });

  it.each([
    // received              counts for       the first invoice, the second
    ['2026-04-15T12:58:59Z', 'the old month', 2_100, 2_000],
    ['2026-04-15T12:59:30Z', 'neither: it was not processed when the invoice was finalized', 2_000, 2_000],
    ['2026-04-15T13:00:01Z', 'neither: the invoice is final', 2_000, 2_000],
  ])('that is over: usage of its last minute, received %s, counts for %s', async (received, _for, first, second) => {
    const { start, use, stripe, invoices } = await openPlan();
    const { id } = await start();
    await stripe.advanceTo(received);
    await use(10, at('2026-04-15T11:59:00Z'));
    await stripe.advanceTo('2026-05-15T13:00:00Z');
    const amounts = (await invoices(id)).map(({ amount_due }) => amount_due);
    expect(amounts).toEqual([second, first, 2_000]);
  });

  it('in which more was taken back than used costs nothing but the base', async () => {
    const { start, use, stripe, invoices } = await openPlan();
    const { id } = await start();
    await use(-5);
    await stripe.advanceTo('2026-04-15T13:00:00Z');
    expect((await invoices(id))[0]).toMatchObject({ amount_due: 2_000 });
  });

  it('is previewed as it is billed', async () => {
    const { start, use, stripe, sdk, invoices } = await openPlan();
    const { id } = await start();
    await use(123);
    stripe.settle();
    const preview = await sdk.invoices.createPreview({ subscription: id });
    await stripe.advanceTo('2026-04-15T13:00:00Z');
    const [billed] = await invoices(id);
    expect(preview).toMatchObject({
      status: 'draft',
      billing_reason: 'upcoming',
      total: billed?.total,
      period_end: billed?.period_end,
    });
    expect(linesOf(preview)).toEqual(linesOf(billed as Stripe.Invoice));
  });

  it('tells its life by events, in order', async () => {
    const { start, stripe, happened } = await openPlan();
    await start();
    await stripe.advanceTo('2026-04-15T13:00:00Z');
    const told = happened().filter((type) => /^(customer\.subscription|invoice)\./.test(type));
    expect(told).toEqual([
      'customer.subscription.created',
      'invoice.created',
      'invoice.finalized',
      'invoice.paid',
      'invoice.payment_succeeded',
      'invoice.upcoming',
      'invoice.created',
      'customer.subscription.updated',
      'invoice.finalized',
      'invoice.paid',
      'invoice.payment_succeeded',
    ]);
  });
});

describe('a first payment', () => {
  const without = async (plan: Plan, params: Partial<Stripe.SubscriptionCreateParams>) => {
    const { id } = await plan.sdk.customers.create();
    return plan.start({ customer: id, ...params });
  };

  it('needs a card, where there is something to pay', async () => {
    const plan = await openPlan();
    expect(await refusal(without(plan, {}))).toContain(
      '400 invalid_request_error resource_missing: This customer has no attached payment source',
    );
    expect(plan.stripe.account().subscriptions.all()).toEqual([]);
    expect(await without(plan, { items: [{ price: plan.metered.id }] })).toMatchObject({ status: 'active' });
  });

  it.each([
    ['allow_incomplete', 'incomplete'],
    ['default_incomplete', 'incomplete'],
    ['error_if_incomplete', '402 card_error card_declined: Your card was declined.'],
  ] as const)('that is declined under %s is %s', async (payment_behavior, is) => {
    const plan = await openPlan();
    declining(plan);
    const call = plan.start({ payment_behavior });
    if (is === 'incomplete') expect(await call).toMatchObject({ status: is });
    else expect(await refusal(call)).toBe(is);
    expect(plan.happened('customer.subscription')).toEqual(
      is === 'incomplete' ? ['customer.subscription.created'] : [],
    );
  });

  it('may come a little later, and not much', async () => {
    const plan = await openPlan();
    const { id, latest_invoice } = await plan.start({
      payment_behavior: 'default_incomplete',
      expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments'],
    });
    const invoice = latest_invoice as Stripe.Invoice;
    expect(invoice.confirmation_secret).toMatchObject({ type: 'payment_intent' });
    const late = await plan.start({ payment_behavior: 'default_incomplete' });
    await plan.sdk.invoices.pay(invoice.id);
    expect(await plan.sdk.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
    await plan.stripe.advanceTo(new Date(plan.clock.now() + 23 * HOUR * 1_000));
    expect(await plan.sdk.subscriptions.retrieve(late.id)).toMatchObject({ status: 'incomplete_expired' });
  });
});

describe('a payment that fails', () => {
  it('is tried again after 3, 5 and 7 days, and then the subscription ends', async () => {
    const plan = await openPlan();
    const { id } = await plan.start();
    declining(plan);
    await plan.stripe.advanceTo('2026-04-15T13:00:00Z');
    expect(await plan.sdk.subscriptions.retrieve(id)).toMatchObject({ status: 'past_due' });
    const [invoice] = await plan.invoices(id);
    expect(invoice).toMatchObject({
      status: 'open',
      attempt_count: 1,
      next_payment_attempt: at('2026-04-18T13:00:00Z'),
    });
    await plan.stripe.advanceTo('2026-04-30T13:00:00Z');
    const ended = await plan.sdk.subscriptions.retrieve(id);
    expect(ended).toMatchObject({ status: 'canceled', cancellation_details: { reason: 'payment_failed' } });
    expect(plan.happened('invoice.payment_failed')).toHaveLength(4);
  });

  it('may succeed by a better card, and all is well again', async () => {
    const plan = await openPlan();
    const { id } = await plan.start();
    declining(plan);
    await plan.stripe.advanceTo('2026-04-15T13:00:00Z');
    const better = await plan.sdk.paymentMethods.attach('pm_card_mastercard', { customer: plan.customer.id });
    await plan.sdk.customers.update(plan.customer.id, { invoice_settings: { default_payment_method: better.id } });
    await plan.stripe.advanceTo('2026-04-18T13:00:00Z');
    expect(await plan.sdk.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
    expect((await plan.invoices(id))[0]).toMatchObject({ status: 'paid', attempt_count: 2 });
  });
});

describe('a subscription that ends', () => {
  it('with its period is billed for what was used', async () => {
    const { sdk, start, use, stripe, invoices } = await openPlan();
    const { id } = await start();
    const leaving = await sdk.subscriptions.update(id, { cancel_at_period_end: true });
    expect(leaving).toMatchObject({ status: 'active', cancel_at: at('2026-04-15T12:00:00Z'), canceled_at: at(NOW) });
    await use(7);
    await stripe.advanceTo('2026-04-15T13:00:00Z');
    expect(await sdk.subscriptions.retrieve(id)).toMatchObject({
      status: 'canceled',
      ended_at: at('2026-04-15T12:00:00Z'),
    });
    expect((await invoices(id)).map(({ amount_due, status }) => [amount_due, status])).toEqual([
      [70, 'paid'],
      [2_000, 'paid'],
    ]);
    expect((await sdk.subscriptions.list({ customer: `${leaving.customer}` })).data).toEqual([]);
    expect((await sdk.subscriptions.list({ customer: `${leaving.customer}`, status: 'all' })).data).toHaveLength(1);
  });

  it('may think again', async () => {
    const { sdk, start, stripe } = await openPlan();
    const { id } = await start();
    await sdk.subscriptions.update(id, { cancel_at_period_end: true });
    await sdk.subscriptions.update(id, { cancel_at_period_end: false });
    await stripe.advanceTo('2026-04-15T13:00:00Z');
    expect(await sdk.subscriptions.retrieve(id)).toMatchObject({ status: 'active', cancel_at: null });
  });

  it.each([
    [undefined, 1],
    [true, 2],
  ] as const)('at once, invoice_now %s, has %i invoices', async (invoice_now, count) => {
    const { sdk, start, use, stripe, invoices, happened } = await openPlan();
    const { id } = await start();
    await use(7);
    stripe.settle();
    await sdk.subscriptions.cancel(id, invoice_now === undefined ? {} : { invoice_now });
    expect(await invoices(id)).toHaveLength(count);
    expect(happened('customer.subscription.deleted')).toHaveLength(1);
    expect(await refusal(sdk.subscriptions.update(id, { description: 'x' }))).toContain('canceled subscription');
  });
});

describe('a change in the middle of a month', () => {
  it.each([
    // behavior             the next invoice: rest of $20.00 given back, of $50.00 charged, next month
    ['none', [[5_000]]],
    ['create_prorations', [[5_000, -1_000, 2_500]]],
    ['always_invoice', [[-1_000, 2_500], [5_000]]],
  ] as const)('of a base price under %s', async (proration_behavior, billed) => {
    const { sdk, start, stripe, invoices, product, base } = await openPlan();
    const dear = await sdk.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 5_000,
      recurring: { interval: 'month' },
    });
    const { id, items } = await start({ items: [{ price: base.id }] });
    await stripe.advanceTo(new Date((at(NOW) + 15.5 * DAY) * 1_000));
    const changes = [{ id: items.data[0]?.id as string, price: dear.id }];
    const preview = await sdk.invoices.createPreview({
      subscription: id,
      subscription_details: { items: changes, proration_behavior },
    });
    const changed = await sdk.subscriptions.update(id, { items: changes, proration_behavior });
    expect(changed.items.data.map(({ price }) => price.id)).toEqual([dear.id]);
    await stripe.advanceTo('2026-04-15T13:00:00Z');
    const amounts = (await invoices(id))
      .slice(0, -1)
      .reverse()
      .map(({ lines }) => lines.data.map(({ amount }) => amount));
    expect(amounts).toEqual(billed);
    const all = billed.flat().reduce((sum, amount) => sum + amount, 0);
    expect(preview.total).toBe(all);
  });

  it('of the interval begins a new period and is paid at once', async () => {
    const { sdk, start, stripe, product, base } = await openPlan();
    const yearly = await sdk.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 20_000,
      recurring: { interval: 'year' },
    });
    const { id, items } = await start({ items: [{ price: base.id }] });
    await stripe.advanceTo(new Date((at(NOW) + 15.5 * DAY) * 1_000));
    const changed = await sdk.subscriptions.update(id, {
      items: [{ id: items.data[0]?.id as string, price: yearly.id }],
      expand: ['latest_invoice'],
    });
    expect(changed).toMatchObject({
      latest_invoice: { amount_paid: 19_000, status: 'paid', billing_reason: 'subscription_update' },
    });
    expect(changed.items.data[0]).toMatchObject({ current_period_end: at('2027-03-31T00:00:00Z') });
  });

  it('that is not possible changes nothing', async () => {
    const { sdk, start, product } = await openPlan();
    const yearly = await sdk.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 20_000,
      recurring: { interval: 'year' },
    });
    const { id, items } = await start();
    expect(await refusal(sdk.subscriptions.update(id, { items: [{ price: yearly.id }] }))).toContain(
      'same interval and currency',
    );
    expect((await sdk.subscriptions.retrieve(id)).items.data).toEqual(items.data);
  });

  it('item by item', async () => {
    const { sdk, start, metered, base, happened } = await openPlan();
    const { id } = await start({ items: [{ price: base.id }] });
    const item = await sdk.subscriptionItems.create({
      subscription: id,
      price: metered.id,
      proration_behavior: 'none',
    });
    expect(item).not.toHaveProperty('quantity');
    const { data } = await sdk.subscriptionItems.list({ subscription: id });
    await sdk.subscriptionItems.update(`${data.at(-1)?.id}`, { quantity: 3, proration_behavior: 'none' });
    expect(await refusal(sdk.subscriptionItems.update(item.id, { quantity: 2 }))).toContain('usage_type is `metered`');
    await sdk.subscriptionItems.del(item.id, { proration_behavior: 'none' });
    expect((await sdk.subscriptions.retrieve(id)).items.data).toMatchObject([{ quantity: 3 }]);
    expect(happened('customer.subscription.updated')).toHaveLength(3);
  });
});

describe('a subscription that rests', () => {
  it.each([
    ['void', 'void'],
    ['keep_as_draft', 'draft'],
    ['mark_uncollectible', 'uncollectible'],
  ] as const)('with its collection paused as %s has invoices that are %s', async (behavior, status) => {
    const { sdk, start, stripe, invoices } = await openPlan();
    const { id } = await start();
    await sdk.subscriptions.update(id, { pause_collection: { behavior, resumes_at: at('2026-04-20T00:00:00Z') } });
    await stripe.advanceTo('2026-05-15T13:00:00Z');
    expect((await invoices(id)).map((invoice) => invoice.status)).toEqual(['paid', status, 'paid']);
    expect(await sdk.subscriptions.retrieve(id)).toMatchObject({ status: 'active', pause_collection: null });
  });

  it('paused as a whole is billed no more until it is resumed', async () => {
    const { sdk, start, stripe, invoices, happened } = await openPlan();
    const { id } = await start();
    expect(await sdk.subscriptions.pause(id)).toMatchObject({
      status: 'paused',
      status_details: { paused: { type: 'subscription' } },
    });
    await stripe.advanceTo('2026-06-01T00:00:00Z');
    expect(await invoices(id)).toHaveLength(1);
    const resumed = await sdk.subscriptions.resume(id);
    expect(resumed).toMatchObject({ status: 'active', billing_cycle_anchor: at('2026-06-01T00:00:00Z') });
    expect(happened('customer.subscription').filter((type) => /paused|resumed/.test(type))).toHaveLength(2);
  });

  it('in a trial is free until it ends, which is told three days before', async () => {
    const { sdk, start, use, stripe, invoices, happened } = await openPlan();
    const { id, latest_invoice } = await start({ trial_period_days: 14 });
    expect(await sdk.invoices.retrieve(`${latest_invoice}`)).toMatchObject({ amount_due: 0, status: 'paid' });
    await use(30);
    await stripe.advanceTo('2026-03-26T13:00:00Z');
    expect(happened('customer.subscription.trial_will_end')).toHaveLength(1);
    await stripe.advanceTo('2026-03-29T13:00:00Z');
    expect(await sdk.subscriptions.retrieve(id)).toMatchObject({
      status: 'active',
      trial_end: at('2026-03-29T12:00:00Z'),
    });
    expect((await invoices(id)).map(({ amount_due }) => amount_due)).toEqual([2_000, 0]);
  });
});

describe('a test clock', () => {
  it('moves its own customers, forward, two intervals at most, and takes a moment', async () => {
    const { sdk, newCustomer, start, stripe, use, invoices } = await openPlan();
    const clock = await sdk.testHelpers.testClocks.create({ frozen_time: at('2026-01-31T00:00:00Z'), name: 'a year' });
    const customer = await newCustomer(clock.id);
    const { id } = await start({ customer: customer.id });
    const advance = (iso: string) => sdk.testHelpers.testClocks.advance(clock.id, { frozen_time: at(iso) });
    expect(await refusal(advance('2026-01-30T00:00:00Z'))).toContain('must be after the current time');
    expect(await refusal(advance('2026-04-01T00:00:00Z'))).toContain('more than two intervals');
    expect(await advance('2026-02-10T00:00:00Z')).toMatchObject({ status: 'advancing' });
    expect(await refusal(advance('2026-02-11T00:00:00Z'))).toContain('advancement underway');
    expect(await sdk.testHelpers.testClocks.retrieve(clock.id)).toMatchObject({ status: 'advancing' });
    expect(await sdk.testHelpers.testClocks.retrieve(clock.id)).toMatchObject({
      status: 'ready',
      frozen_time: at('2026-02-10T00:00:00Z'),
    });
    await use(3, at('2026-02-09T00:00:00Z'), customer.id);
    stripe.settle(); // test clocks do not hurry the processing of usage
    await advance('2026-03-31T01:00:00Z');
    stripe.settle();
    expect((await invoices(id)).map(({ amount_due, period_end }) => [amount_due, period_end])).toEqual([
      [2_000, at('2026-03-31T00:00:00Z')],
      [2_030, at('2026-02-28T00:00:00Z')],
      [2_000, at('2026-01-31T00:00:00Z')],
    ]);
  });

  it('hides its own from lists that do not ask for it', async () => {
    const { sdk, newCustomer, start } = await openPlan();
    const clock = await sdk.testHelpers.testClocks.create({ frozen_time: at(NOW) });
    const { id } = await newCustomer(clock.id);
    await start({ customer: id });
    expect((await sdk.customers.list()).data.map((each) => each.id)).not.toContain(id);
    expect((await sdk.customers.list({ test_clock: clock.id })).data.map((each) => each.id)).toEqual([id]);
    expect((await sdk.subscriptions.list()).data).toEqual([]);
    expect((await sdk.subscriptions.list({ customer: id })).data).toHaveLength(1);
    await sdk.testHelpers.testClocks.del(clock.id);
    expect(await refusal(sdk.customers.retrieve(id))).toContain('resource_missing');
  });
});
