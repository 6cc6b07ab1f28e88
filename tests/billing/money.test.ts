/**
 * Goal: what is paid for is there once, and what went back is taken back as far as it is still there. Method: checkouts
 * that are paid at a Stripe of the test, told of twice and out of order; refunds and disputes of them; calls that race.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { forgetAnswers } from '../../server/db/expired-answers.ts';
import { defineConfig } from '../../server/index.ts';
import { expectConsistent } from '../store/promises.ts';
import { openEmbedded } from '../support/engines.ts';
import { startGateway } from '../support/gateway.ts';
import { type BillingRig, buy, CONFIG, openBilling, PAGES, toPro } from './rig.ts';

let rig: BillingRig;
let count = 0;

beforeAll(async () => {
  rig = await openBilling();
});

/** A customer of its own. */
async function fresh(fields: Record<string, unknown> = {}): Promise<string> {
  count += 1;
  const referenceId = `customer ${count}`;
  await rig.write('registerCustomer', { referenceId, ...fields });
  return referenceId;
}

const checkout = (referenceId: string, purchase: Record<string, unknown>) =>
  rig.write(
    'createCheckoutSession',
    { referenceId, ...PAGES, ...purchase },
    '... on CheckoutSession { id url expiresAt }',
  );

/** Wallet and credits, as `1500 usd, 100 exports`. */
async function holds(referenceId: string, on = rig): Promise<string> {
  const { customer } = await on.data<{
    customer: {
      readonly wallets: readonly { readonly currency: string; readonly balance: { readonly amount: string } }[];
      readonly usages: readonly { readonly credits: string }[];
    };
  }>(
    'query ($referenceId: String!) { customer(referenceId: $referenceId) { wallets { currency balance { amount } } usages(featureKeys: ["exports"]) { credits } } }',
    { referenceId },
  );
  const money = customer.wallets.map(({ currency, balance }) => `${balance.amount} ${currency}`);
  return [...money, `${customer.usages[0]?.credits} exports`].join(', ');
}

/** All that waits, the latest first and each twice. */
async function deliverWildly(): Promise<void> {
  const waiting = [...rig.stripe.webhooks.waiting].reverse();
  const attempts = await rig.stripe.webhooks.resend([...waiting, ...waiting]);
  expect(attempts.filter(({ status }) => status !== 200)).toEqual([]);
  await rig.deliver();
}

const paymentOf = async (checkoutId: string) => {
  const session = await rig.sdk.checkout.sessions.retrieve(checkoutId, { expand: ['payment_intent'] });
  if (typeof session.payment_intent === 'string' || session.payment_intent === null) throw new Error('not paid');
  const { id, latest_charge } = session.payment_intent;
  return { id, charge: `${latest_charge}` };
};

describe('a checkout', () => {
  it('of a credit pack gives its units, once', async () => {
    const who = await fresh();
    await buy(rig, { creditPack: { key: 'hundred' } }, who);
    expect(await holds(who)).toBe('0 exports');
    await deliverWildly();
    expect(await holds(who)).toBe('100 exports');
    await buy(rig, { creditPack: { key: 'hundred' } }, who);
    await deliverWildly();
    expect(await holds(who)).toBe('200 exports');
  });

  it('of money puts it into the wallet, once, and keeps the card', async () => {
    const who = await fresh();
    await buy(rig, { walletTopUp: { amount: 1_500 } }, who);
    await deliverWildly();
    expect(await holds(who)).toBe('1500 usd, 0 exports');
    const { data } = await rig.sdk.paymentMethods.list({ customer: await rig.stripeCustomer(who) });
    expect(data).toHaveLength(1);
  });

  it.each([
    // put in, of a currency whose minor units Stripe counts otherwise; asked of the card; sent back, and left
    [500, 'isk', 50_000, 10_000, '400 isk, 0 exports'],
    [5_000, 'ugx', 500_000, 500_000, '0 ugx, 0 exports'],
    [10_000, 'mga', 100, 40, '6000 mga, 0 exports'],
    [1_500, 'jpy', 1_500, 500, '1000 jpy, 0 exports'],
  ])('of %d %s asks for %d', async (amount, currency, asked, refunded, left) => {
    const who = await fresh();
    const id = await buy(rig, { walletTopUp: { amount, currency } }, who);
    expect((await rig.sdk.checkout.sessions.retrieve(id)).amount_total).toBe(asked);
    await rig.deliver();
    expect(await holds(who)).toBe(`${amount} ${currency}, 0 exports`);
    const { charge } = await paymentOf(id);
    await rig.sdk.refunds.create({ charge, amount: refunded });
    await rig.deliver();
    expect(await holds(who)).toBe(left);
  });

  it('that nobody pays gives nothing', async () => {
    const who = await fresh();
    await checkout(who, { walletTopUp: { amount: 1_500 } });
    await rig.deliver();
    expect(await holds(who)).toBe('0 exports');
  });

  it('says who pays: one customer of Stripe for each of ours, whoever asks first, with name and e-mail', async () => {
    const who = await fresh({ name: 'Ada', email: 'ada@example.com' });
    const before = (await rig.sdk.customers.list({ limit: 100 })).data.length;
    await Promise.all([1, 2, 3].map(() => checkout(who, { creditPack: { key: 'hundred' } })));
    expect((await rig.sdk.customers.list({ limit: 100 })).data.length).toBe(before + 1);
    expect(await rig.sdk.customers.retrieve(await rig.stripeCustomer(who))).toMatchObject({
      name: 'Ada',
      email: 'ada@example.com',
      metadata: { metergraph_tenant: rig.tenantId, metergraph_customer: rig.customerId(who) },
    });
  });

  it.each([
    ['pays', '1500 usd, 0 exports'],
    ['declines', '0 exports'],
  ] as const)('that is paid from a bank account gives nothing before the bank %s: then %s', async (outcome, left) => {
    const who = await fresh();
    const { id } = await checkout(who, { walletTopUp: { amount: 1_500 } });
    const { payment_intent } = rig.stripe.completeCheckout(String(id), { kind: 'takes_days' });
    await deliverWildly();
    expect(await holds(who)).toBe('0 exports');
    rig.stripe.settlePayment(String(payment_intent), outcome);
    await deliverWildly();
    expect(await holds(who)).toBe(left);
  });

  it('makes another customer of Stripe where the first was deleted there; what was paid by that one is followed still', async () => {
    const who = await fresh({ name: 'Ada' });
    const { charge } = await paymentOf(await buy(rig, { walletTopUp: { amount: 1_500 } }, who));
    const former = await rig.stripeCustomer(who);
    await rig.deliver();
    await rig.sdk.customers.del(former);
    await buy(rig, toPro, who);
    const next = await rig.stripeCustomer(who);
    expect(next).not.toBe(former);
    expect(await rig.sdk.customers.retrieve(next)).toMatchObject({ name: 'Ada' });
    await rig.sdk.refunds.create({ charge, amount: 500 });
    await deliverWildly();
    expect(await holds(who)).toBe('1000 usd, 0 exports');
    expect(await rig.standing(who)).toBe('pro active');
  });

  it('of money is in the currency of the wallet of the plan, unless another is named', async () => {
    const wallet = { currency: 'eur', floor: 0 };
    const config = { ...CONFIG, plans: { ...CONFIG.plans, free: { ...CONFIG.plans?.free, wallet } } };
    const euros = await openBilling({ config });
    await buy(euros, { walletTopUp: { amount: 1_500 } });
    await euros.deliver();
    expect(await holds('acme', euros)).toBe('1500 eur, 0 exports');
  });

  it('is the same for the same key, and another is refused', async () => {
    const who = await fresh();
    const asked = { ...toPro, idempotencyKey: 'once' };
    const first = await checkout(who, asked);
    expect(first).toMatchObject({ __typename: 'CheckoutSession', url: expect.stringMatching(/^http/) });
    expect(await checkout(who, asked)).toEqual(first);
    expect(await checkout(who, { plan: { planKey: 'team' }, idempotencyKey: 'once' })).toMatchObject({
      __typename: 'IdempotencyConflictError',
    });
    expect(await checkout(await fresh(), asked)).not.toMatchObject({ id: first.id });
  });

  it('in a second tab closes the first, so that nobody subscribes twice', async () => {
    const who = await fresh();
    const first = await checkout(who, { ...toPro, idempotencyKey: 'first tab' });
    rig.clock.advance(1_000);
    const second = await checkout(who, { ...toPro, idempotencyKey: 'second tab' });
    expect((await rig.sdk.checkout.sessions.retrieve(String(first.id))).status).toBe('expired');
    expect((await rig.sdk.checkout.sessions.retrieve(String(second.id))).status).toBe('open');
    await checkout(who, { ...toPro, idempotencyKey: 'first tab' }); // answered again, and closes nothing that is newer
    expect((await rig.sdk.checkout.sessions.retrieve(String(second.id))).status).toBe('open');
  });

  describe('for a plan, of which several were opened,', () => {
    const openOnes = async (who: string) => {
      const { data } = await rig.sdk.checkout.sessions.list({
        customer: await rig.stripeCustomer(who),
        status: 'open',
      });
      return data.map(({ id }) => id);
    };

    /** What is asked for, and comes to an error that the caller can only pass on. */
    const failing = async (who: string) => {
      const document = `mutation ($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { __typename } }`;
      const { errors } = await rig.post(document, { input: { referenceId: who, ...PAGES, ...toPro } });
      expect(errors?.[0]?.extensions?.code).toBe('BILLING_UNAVAILABLE');
    };

    it('is one: at once', async () => {
      const who = await fresh();
      await checkout(who, { creditPack: { key: 'hundred' } }); // stays open beside it
      await Promise.all([1, 2, 3].map(() => checkout(who, toPro)));
      expect(await openOnes(who)).toHaveLength(2);
    });

    it('is one: also where nobody heard of the first', async () => {
      const who = await fresh();
      await rig.write('createPortalSession', { referenceId: who, returnUrl: 'https://app.example.com/account' });
      rig.stripe.faults.next('POST /v1/checkout/sessions', { kind: 'cut_after' }, 2);
      await failing(who);
      expect(await openOnes(who)).not.toEqual([]);
      const { id } = await checkout(who, toPro);
      expect(await openOnes(who)).toEqual([id]);
    });

    it('is none when the subscription begins', async () => {
      const who = await fresh();
      const { id } = await checkout(who, toPro);
      rig.stripe.faults.next('POST /v1/checkout/sessions', { kind: 'cut_after' }, 2);
      await failing(who); // the first is open still
      expect(await openOnes(who)).toContain(id);
      rig.stripe.completeCheckout(String(id));
      await rig.deliver();
      expect(await openOnes(who)).toEqual([]);
    });

    it('is refused where another is paid while it is made', async () => {
      const who = await fresh();
      const { id } = await checkout(who, toPro);
      const hold = rig.stripe.faults.hold('POST /v1/checkout/sessions');
      const second = checkout(who, toPro);
      await hold.arrived;
      rig.stripe.completeCheckout(String(id));
      hold.release();
      expect(await second).toMatchObject({ __typename: 'AlreadySubscribedError' });
      expect(await openOnes(who)).toEqual([]);
      await rig.deliver();
    });
  });

  it('is refused to who has a subscription, also one that was not told of yet; the portal is not', async () => {
    const who = await fresh();
    await buy(rig, toPro, who);
    const again = await checkout(who, { plan: { planKey: 'team' } });
    expect(again).toMatchObject({
      __typename: 'AlreadySubscribedError',
      message: expect.stringContaining('createPortalSession'),
    });
    expect(await rig.standing(who)).toBe('pro active');
    const input = { referenceId: who, returnUrl: 'https://app.example.com/account' };
    expect(await rig.write('createPortalSession', input, '... on PortalSession { url }')).toMatchObject({
      __typename: 'PortalSession',
      url: expect.stringMatching(/^http/),
    });
    await rig.deliver();
  });

  it('and the portal lead to no other place', async () => {
    const input = { referenceId: 'acme', returnUrl: 'https://evil.example/' };
    expect(await rig.write('createPortalSession', input)).toMatchObject({
      __typename: 'InvalidInputError',
      message: expect.stringContaining('redirectOrigins'),
    });
  });

  it.each([
    ['for nothing', {}, 'InvalidInputError', 'exactly one'],
    ['for two things', { ...toPro, creditPack: { key: 'hundred' } }, 'InvalidInputError', 'exactly one'],
    ['for an unknown plan', { plan: { planKey: 'prro' } }, 'PlanNotFoundError', 'did you mean "pro"'],
    ['for a plan without a price', { plan: { planKey: 'inside' } }, 'PlanNotForSaleError', 'no price at all'],
    [
      'for an interval without a price',
      { plan: { planKey: 'pro', interval: 'YEAR' } },
      'PlanNotForSaleError',
      'by the month in USD',
    ],
    ['in a currency without a price', { plan: { planKey: 'pro', currency: 'eur' } }, 'PlanNotForSaleError', 'in EUR'],
    ['for an unknown pack', { creditPack: { key: 'thousand' } }, 'CreditPackNotFoundError', 'there are hundred'],
    ['for half a cent', { walletTopUp: { amount: '10.5' } }, 'InvalidAmountError', 'whole minor units'],
    ['for parts of an ariary', { walletTopUp: { amount: 10_001, currency: 'mga' } }, 'InvalidAmountError', 'MGA'],
    ['for less than Stripe takes', { walletTopUp: { amount: 10 } }, 'InvalidAmountError', 'at least $0.50'],
    ['for more than Stripe takes', { walletTopUp: { amount: '100000000' } }, 'InvalidAmountError', 'whole minor units'],
    [
      'that goes elsewhere',
      { ...toPro, successUrl: 'https://evil.example/done' },
      'InvalidInputError',
      'redirectOrigins',
    ],
    [
      'that goes back elsewhere',
      { ...toPro, cancelUrl: 'https://app.example.com.evil.example/' },
      'InvalidInputError',
      'redirectOrigins',
    ],
    ['that goes nowhere', { ...toPro, successUrl: 'javascript:alert(1)' }, 'InvalidInputError', 'no address of a page'],
    [
      'by another user of the origin',
      { ...toPro, successUrl: 'https://me@app.example.com/' },
      'InvalidInputError',
      'no address of a page',
    ],
    [
      'that goes to another port',
      { ...toPro, successUrl: 'https://app.example.com:8443/' },
      'InvalidInputError',
      'redirectOrigins',
    ],
    [
      'that is not encrypted',
      { ...toPro, successUrl: 'http://app.example.com/' },
      'InvalidInputError',
      'redirectOrigins',
    ],
    ['of nobody', { ...toPro, referenceId: 'nobody' }, 'CustomerNotFoundError', 'registerCustomer'],
  ])('%s is refused', async (_what, purchase, type, says) => {
    const refused = await checkout('acme', purchase);
    expect(refused).toMatchObject({ __typename: type, message: expect.stringContaining(says) });
  });

  it('of a plan that is not at Stripe says what to do', async () => {
    const { sdk } = rig;
    const [price] = (await sdk.prices.list({ limit: 100 })).data.filter(({ unit_amount }) => unit_amount === 9_000);
    await sdk.prices.update(price?.id ?? '', { active: false });
    const refused = await checkout(await fresh(), { plan: { planKey: 'team' } });
    await sdk.prices.update(price?.id ?? '', { active: true });
    expect(refused).toMatchObject({
      __typename: 'PlanNotForSaleError',
      message: expect.stringContaining('metergraph stripe sync'),
    });
  });

  it('is refused where there is no Stripe, or no plan to fall back to', async () => {
    const gateway = await startGateway({ database: await openEmbedded() });
    const { defaultPlan: _, ...rest } = CONFIG;
    const without = await openBilling({ config: defineConfig(rest) });
    const input = { referenceId: 'acme', ...PAGES, ...toPro };
    const document = `mutation ($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { __typename ... on UserError { code message } } }`;
    expect(await gateway.data(document, { input })).toMatchObject({
      createCheckoutSession: { __typename: 'BillingDisabledError' },
    });
    expect(await without.data(document, { input })).toMatchObject({
      createCheckoutSession: { __typename: 'PlanNotForSaleError', message: expect.stringContaining('defaultPlan') },
    });
  });

  it('is to be asked for again where Stripe does not answer', async () => {
    const who = await fresh();
    rig.stripe.faults.next('POST /v1/checkout/sessions', { kind: 'fails_before' });
    const reply = await rig.post(
      'mutation ($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { __typename } }',
      { input: { referenceId: who, ...PAGES, creditPack: { key: 'hundred' } } },
    );
    expect(reply.errors?.[0]?.extensions?.code).toBe('BILLING_UNAVAILABLE');
  });
});

describe('a payment that is heard of again when its keys are forgotten', () => {
  const DAY_MS = 86_400_000;

  /** Bought, used, and disputed; the bank decides after all answers to idempotency keys are gone. */
  async function disputedLongAgo(purchase: Record<string, unknown>, use: (on: BillingRig) => Promise<unknown>) {
    const long = await openBilling();
    const session = await long.sdk.checkout.sessions.retrieve(await buy(long, purchase), {
      expand: ['payment_intent'],
    });
    await long.deliver();
    await use(long);
    const { latest_charge } = session.payment_intent as { readonly latest_charge: string };
    const { id } = long.stripe.dispute(latest_charge);
    await long.deliver();
    long.clock.advance(36 * DAY_MS);
    expect(await forgetAnswers(long.database, long.clock.now(), () => false)).toBeGreaterThan(0);
    return { long, close: () => long.stripe.closeDispute(id, 'lost') };
  }

  it('puts no money into the wallet again', async () => {
    const { long, close } = await disputedLongAgo({ walletTopUp: { amount: 1_500 } }, async () => {});
    close();
    await long.deliver();
    expect(await holds('acme', long)).toBe('0 usd, 0 exports');
  });

  it('brings back no pack that was used, or voided', async () => {
    const { long, close } = await disputedLongAgo({ creditPack: { key: 'hundred' } }, (on) =>
      on.write('consume', { referenceId: 'acme', featureKey: 'exports', amount: 40 }),
    );
    close();
    await long.deliver();
    expect(await holds('acme', long)).toBe('0 exports');
  });
});

describe('money that went back', () => {
  it.each([
    // used, refunded,           is left
    [0, [1_500], '0 usd, 0 exports'],
    [0, [500], '1000 usd, 0 exports'],
    [0, [500, 400], '600 usd, 0 exports'],
    [1_000, [1_500], '0 usd, 0 exports'],
    [1_000, [400, 400], '0 usd, 0 exports'],
  ])('of which %d were used, refunded by %j: %s', async (used, refunds, left) => {
    const who = await fresh();
    const { charge } = await paymentOf(await buy(rig, { walletTopUp: { amount: 1_500 } }, who));
    await rig.deliver();
    if (used > 0) await rig.write('refundWallet', { referenceId: who, amount: used });
    for (const amount of refunds) {
      await rig.sdk.refunds.create({ charge, amount });
      if (refunds.length > 1) await deliverWildly();
    }
    await deliverWildly();
    expect(await holds(who)).toBe(left);
  });

  it('is taken back once, also where a notice of the refund is heard before that of the payment', async () => {
    const who = await fresh();
    const { charge } = await paymentOf(await buy(rig, { walletTopUp: { amount: 1_500 } }, who));
    await rig.sdk.refunds.create({ charge, amount: 600 });
    await deliverWildly();
    expect(await holds(who)).toBe('900 usd, 0 exports');
  });

  it('is taken while it is disputed, and put in again when that is won', async () => {
    for (const [status, left] of [
      ['won', '1500 usd, 0 exports'],
      ['lost', '0 usd, 0 exports'],
    ] as const) {
      const who = await fresh();
      const { charge } = await paymentOf(await buy(rig, { walletTopUp: { amount: 1_500 } }, who));
      await rig.deliver();
      const { id } = rig.stripe.dispute(charge);
      await deliverWildly();
      expect(await holds(who)).toBe('0 usd, 0 exports');
      rig.stripe.closeDispute(id, status);
      await deliverWildly();
      expect(await holds(who)).toBe(left);
    }
  });

  it.each([
    // used, refunded,          is left of 100 for 900
    [40, [100], '49 exports'], // a ninth of 100 is 11 whole ones
    [40, [100, 50], '44 exports'], // a sixth is 16
    [95, [450], '0 exports'],
    [40, [100, 800], '0 exports'],
  ])('of a credit pack of which %d were used, refunded by %j: %s', async (used, refunds, left) => {
    const who = await fresh();
    const { charge } = await paymentOf(await buy(rig, { creditPack: { key: 'hundred' } }, who));
    await rig.deliver();
    await rig.write('consume', { referenceId: who, featureKey: 'exports', amount: used });
    for (const amount of refunds) {
      await rig.sdk.refunds.create({ charge, amount });
      await deliverWildly();
    }
    expect(await holds(who)).toBe(left);
  });

  it('of a disputed credit pack is there again, once, when that is won', async () => {
    for (const [status, left] of [
      ['won', '60 exports'],
      ['lost', '0 exports'],
    ] as const) {
      const who = await fresh();
      const { charge } = await paymentOf(await buy(rig, { creditPack: { key: 'hundred' } }, who));
      await rig.deliver();
      await rig.write('consume', { referenceId: who, featureKey: 'exports', amount: 40 });
      const { id } = rig.stripe.dispute(charge);
      await deliverWildly();
      expect(await holds(who)).toBe('0 exports');
      rig.stripe.closeDispute(id, status);
      await deliverWildly();
      expect(await holds(who)).toBe(left);
      await expectConsistent(rig.database, rig.customerId(who));
    }
  });
});
