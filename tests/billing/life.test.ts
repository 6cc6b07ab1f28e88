/**
 * Goal: a customer follows its subscription through all that can happen to one, whoever tells of it and in which order.
 * Method: lives at a Stripe of the test. For the law, two customers live the same: of one every notice is delivered in
 * order when all is over; of the other in any order, each twice, also between the steps.
 */
import fc from 'fast-check';
import type Stripe from 'stripe';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Delivery } from '../support/stripe/webhooks.ts';
import { type BillingRig, buy, openBilling, PAGES, toPro } from './rig.ts';

let rig: BillingRig;

beforeAll(async () => {
  rig = await openBilling();
});

/** A customer with a plan of its own; whatever was to be told of others has been. */
async function subscriber(referenceId: string): Promise<Stripe.Subscription> {
  await rig.write('registerCustomer', { referenceId });
  await buy(rig, toPro, referenceId);
  const customer = await rig.stripeCustomer(referenceId);
  const [subscription] = (await rig.sdk.subscriptions.list({ customer })).data;
  if (!subscription) throw new Error('no subscription');
  return subscription;
}

async function priceOf(planKey: string): Promise<string> {
  const { data } = await rig.sdk.prices.list({ limit: 100 });
  const price = data.find(({ metadata }) => metadata.metergraph_plan === planKey && !metadata.metergraph_feature);
  if (!price) throw new Error(`no price of ${planKey}`);
  return price.id;
}

const changeTo = async (subscription: Stripe.Subscription, planKey: string) => {
  const [base] = subscription.items.data.filter(({ price }) => price.recurring?.usage_type === 'licensed');
  const { id } = subscription;
  await rig.sdk.subscriptions.update(id, { items: [{ id: base?.id ?? '', price: await priceOf(planKey) }] });
};

const STEPS = {
  'change to team': (s: Stripe.Subscription) => changeTo(s, 'team'),
  'change to pro': (s: Stripe.Subscription) => changeTo(s, 'pro'),
  'call off': (s: Stripe.Subscription) => rig.sdk.subscriptions.update(s.id, { cancel_at_period_end: true }),
  'go on': (s: Stripe.Subscription) => rig.sdk.subscriptions.update(s.id, { cancel_at_period_end: false }),
  'throw invoices away': (s: Stripe.Subscription) =>
    rig.sdk.subscriptions.update(s.id, { pause_collection: { behavior: 'void' } }),
  'bill again': (s: Stripe.Subscription) => rig.sdk.subscriptions.update(s.id, { pause_collection: '' }),
  end: (s: Stripe.Subscription) => rig.sdk.subscriptions.cancel(s.id),
} as const;
type Step = keyof typeof STEPS;

/** Once it has ended, Stripe lets nobody change it. */
async function take(step: Step, subscription: Stripe.Subscription): Promise<void> {
  const { status } = await rig.sdk.subscriptions.retrieve(subscription.id);
  if (status !== 'canceled') await STEPS[step](subscription);
}

describe('a customer', () => {
  it.each<[readonly Step[], string]>([
    [[], 'pro active'],
    [['change to team'], 'team active'],
    [['change to team', 'change to pro'], 'pro active'],
    [['call off'], 'pro active → free 2026-04-15'],
    [['change to team', 'call off'], 'team active → free 2026-04-15'],
    [['call off', 'go on'], 'pro active'],
    [['throw invoices away'], 'free paused'],
    [['throw invoices away', 'bill again'], 'pro active'],
    [['end'], 'free canceled'],
    [['call off', 'end'], 'free canceled'],
  ])('whose subscription went through %j is %s', async (steps, says) => {
    const referenceId = `after ${steps.join(', ')}`;
    const subscription = await subscriber(referenceId);
    for (const step of steps) {
      await take(step, subscription);
      await rig.deliver();
    }
    await rig.deliver();
    expect(await rig.standing(referenceId)).toBe(says);
  });

  it('is let through at once when it is upgraded, and keeps what was used', async () => {
    const subscription = await subscriber('upgraded');
    await rig.deliver();
    await changeTo(subscription, 'team');
    await rig.deliver();
    const input = { referenceId: 'upgraded', featureKey: 'api_calls', amount: 10_000 };
    expect(await rig.write('consume', input, '... on Consumption { allowed }')).toMatchObject({ allowed: true });
    expect(await rig.write('consume', { ...input, amount: 1 }, '... on Consumption { allowed }')).toMatchObject({
      allowed: false,
    });
  });

  it('keeps a plan that was given by hand until the subscription changes', async () => {
    const subscription = await subscriber('by hand');
    await rig.deliver();
    await rig.write('setCustomerPlan', { referenceId: 'by hand', planKey: 'inside', effective: 'IMMEDIATELY' });
    await rig.sdk.subscriptions.update(subscription.id, { metadata: { note: 'nothing of ours' } });
    await rig.deliver();
    expect(await rig.standing('by hand')).toBe('inside active');
    await STEPS.end(subscription);
    await rig.deliver();
    expect(await rig.standing('by hand')).toBe('free canceled');
  });

  it('whom somebody has subscribed in Stripe by hand is found by the metadata there, and only by a customer of ours', async () => {
    const { sdk, tenantId } = rig;
    await rig.write('registerCustomer', { referenceId: 'dashboard' });
    const price = await priceOf('team');
    for (const metergraph_customer of [rig.customerId('dashboard'), rig.customerId('nobody'), 'nonsense']) {
      const metadata = { metergraph_tenant: tenantId, metergraph_customer };
      const customer = await sdk.customers.create({ metadata });
      const method = await sdk.paymentMethods.attach('pm_card_visa', { customer: customer.id });
      const items = [{ price }];
      await sdk.subscriptions.create({ customer: customer.id, items, default_payment_method: method.id });
    }
    await rig.deliver();
    expect(await rig.standing('dashboard')).toBe('team active');
  });

  it('follows a trial from its first day, paused and resumed, and what is announced changes nothing', async () => {
    const { sdk, stripe } = rig;
    await rig.write('registerCustomer', { referenceId: 'trial' });
    const metadata = { metergraph_tenant: rig.tenantId, metergraph_customer: rig.customerId('trial') };
    const customer = await sdk.customers.create({ metadata });
    const method = await sdk.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    const { id } = await sdk.subscriptions.create({
      customer: customer.id,
      items: [{ price: await priceOf('team') }],
      trial_period_days: 7,
      default_payment_method: method.id,
    });
    await rig.deliver();
    expect(await rig.standing('trial')).toBe('team trialing');
    await sdk.subscriptions.update(id, { trial_end: 'now' });
    await rig.deliver();
    expect(await rig.standing('trial')).toBe('team active');
    await sdk.subscriptions.pause(id, { type: 'subscription' });
    await rig.deliver();
    expect(await rig.standing('trial')).toBe('free paused');
    await sdk.subscriptions.resume(id);
    await rig.deliver();
    expect(await rig.standing('trial')).toBe('team active');
    const account = stripe.account();
    account.subscriptions.get(id).status = 'unpaid';
    await sdk.subscriptions.update(id, { metadata: { note: 'given up' } });
    await rig.deliver();
    expect(await rig.standing('trial')).toBe('free unpaid');
  });

  it('may subscribe again after one has ended, and of two that live the one that is paid counts', async () => {
    const first = await subscriber('again');
    await rig.deliver();
    await STEPS.end(first);
    await rig.deliver();
    expect(await rig.standing('again')).toBe('free canceled');
    await buy(rig, { plan: { planKey: 'team' } }, 'again');
    await rig.deliver();
    expect(await rig.standing('again')).toBe('team active');
    const customer = await rig.stripeCustomer('again');
    const [living] = (await rig.sdk.subscriptions.list({ customer })).data;
    rig.clock.advance(60_000);
    const { id } = await rig.sdk.subscriptions.create({
      customer,
      items: [{ price: await priceOf('pro') }],
      default_payment_method: String(living?.default_payment_method),
    });
    await rig.deliver();
    expect(await rig.standing('again')).toBe('pro active'); // the newest
    await rig.sdk.subscriptions.update(id, { pause_collection: { behavior: 'void' } });
    await rig.deliver();
    expect(await rig.standing('again')).toBe('team active'); // the one that is paid
    await rig.sdk.subscriptions.cancel(id);
    await rig.deliver();
    expect(await rig.standing('again')).toBe('team active');
  });

  it('whose price is changed by hand to none of ours keeps its plan until that ends', async () => {
    const subscription = await subscriber('custom');
    await rig.deliver();
    const product = await rig.sdk.products.create({ name: 'As agreed' });
    const money = { currency: 'usd', unit_amount: 12_300, recurring: { interval: 'month' as const } };
    const price = await rig.sdk.prices.create({ product: product.id, ...money });
    const { data } = (await rig.sdk.subscriptions.retrieve(subscription.id)).items;
    const [kept, ...others] = data;
    await rig.sdk.subscriptions.update(subscription.id, {
      items: [{ id: kept?.id ?? '', price: price.id }, ...others.map(({ id }) => ({ id, deleted: true }))],
      metadata: { metergraph_tenant: '', metergraph_plan: '' },
    });
    await rig.deliver();
    expect(await rig.standing('custom')).toBe('pro active');
    await STEPS.end(subscription);
    await rig.deliver();
    expect(await rig.standing('custom')).toBe('free canceled');
  });

  it('falls back when it is deleted at Stripe', async () => {
    await subscriber('deleted');
    await rig.deliver();
    const { sdk } = rig;
    await sdk.customers.del(await rig.stripeCustomer('deleted'));
    await rig.deliver();
    expect(await rig.standing('deleted')).toBe('free canceled');
  });

  it('waits for a plan that is not here yet, and has it as soon as it is', async () => {
    const { sdk, tenantId } = rig;
    await rig.write('registerCustomer', { referenceId: 'early' });
    const metadata = { metergraph_tenant: tenantId, metergraph_plan: 'stray' };
    const product = await sdk.products.create({ name: 'Stray', metadata });
    const money = { currency: 'usd', unit_amount: 5_000, recurring: { interval: 'month' as const } };
    const price = await sdk.prices.create({ product: product.id, ...money, metadata });
    const whose = { metergraph_tenant: tenantId, metergraph_customer: rig.customerId('early') };
    const customer = await sdk.customers.create({ metadata: whose });
    const method = await sdk.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    const items = [{ price: price.id }];
    await sdk.subscriptions.create({ customer: customer.id, items, default_payment_method: method.id });
    await rig.deliver();
    expect(await rig.standing('early')).toBe('free active');
    const second = await rig.write('createCheckoutSession', { referenceId: 'early', ...PAGES, ...toPro });
    expect(second).toMatchObject({ code: 'ALREADY_SUBSCRIBED' }); // it pays already
    const sweep = async () => {
      rig.clock.advance(5 * 60_000);
      await rig.gateway.stripe?.run();
    };
    await sweep();
    expect(await rig.standing('early')).toBe('free active');
    await rig.write('savePlan', { key: 'stray', features: [{ featureKey: 'api_calls', limit: 7 }] });
    await sweep();
    expect(await rig.standing('early')).toBe('stray active');
    expect(await rig.passes(8, 'early')).toBe(7);
  });

  it('is not thrown back by an answer of Stripe that comes late', async () => {
    const subscription = await subscriber('late');
    await rig.deliver();
    await changeTo(subscription, 'team');
    const [early] = rig.stripe.webhooks.waiting.filter(({ event }) => event.type === 'customer.subscription.updated');
    const hold = rig.stripe.faults.hold('GET /v1/subscriptions', 'after');
    const told = rig.stripe.webhooks.resend(early ? [early] : []);
    await hold.arrived; // it has heard of `team`, and does not know it yet
    await STEPS.end(subscription);
    const { length } = rig.stripe.webhooks.waiting;
    expect(
      (await rig.stripe.webhooks.resend(rig.stripe.webhooks.waiting.slice(length - 1))).map(({ status }) => status),
    ).toEqual([200]);
    expect(await rig.standing('late')).toBe('free canceled');
    hold.release();
    expect((await told).map(({ status }) => status)).toEqual([200]);
    expect(await rig.standing('late')).toBe('free canceled');
    await rig.deliver();
  });

  it('ends the same in every order in which notices come, each twice', async () => {
    let runs = 0;
    const step = fc.constantFrom(...(Object.keys(STEPS) as Step[]));
    const moment = fc.record({ step, delivered: fc.array(fc.nat({ max: 30 }), { maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { maxLength: 5 }), fc.infiniteStream(fc.nat()), async (moments, random) => {
        runs += 1;
        const names = [`plain ${runs}`, `shuffled ${runs}`] as const;
        const [plain, shuffled] = [await subscriber(names[0]), await subscriber(names[1])];
        const isOf = ({ id }: Stripe.Subscription, { event }: Delivery) => JSON.stringify(event).includes(`${id}"`);
        const all: Delivery[] = [];
        for (const { step: taken, delivered } of moments) {
          await take(taken, plain);
          await take(taken, shuffled);
          const waiting = rig.stripe.webhooks.waiting.filter((one) => isOf(shuffled, one));
          const picked = delivered.flatMap((i) => waiting[i % Math.max(waiting.length, 1)] ?? []);
          await rig.stripe.webhooks.resend(picked);
        }
        const waiting = [...rig.stripe.webhooks.waiting];
        all.push(...waiting.filter((one) => isOf(shuffled, one)));
        const order = [...all, ...all]
          .map((one) => ({ one, at: random.next().value as number }))
          .sort((a, b) => a.at - b.at);
        await rig.stripe.webhooks.resend(order.map(({ one }) => one));
        await rig.stripe.webhooks.resend(waiting.filter((one) => isOf(plain, one)));
        rig.stripe.webhooks.lose();
        expect(await rig.standing(names[1])).toBe(await rig.standing(names[0]));
        const expected = await rig.sdk.subscriptions.retrieve(shuffled.id);
        expect(await rig.standing(names[1])).toContain(
          expected.pause_collection && expected.status !== 'canceled' ? 'paused' : expected.status,
        );
      }),
      { numRuns: 12 },
    );
  }, 120_000);
});
