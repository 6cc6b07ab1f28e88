/** Goal: money comes in, goes back and is given away as at Stripe. Method: a table for each way, over the SDK. */
import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { openStripe, refusal } from './rig.ts';
import { DAY } from './wire.ts';

async function openCustomer() {
  const rig = await openStripe();
  const customer = await rig.sdk.customers.create({ email: 'ada@example.com', name: 'Ada' });
  const card = await rig.sdk.paymentMethods.attach('pm_card_visa', { customer: customer.id });
  const topUp = (
    amount = 2_000,
    more: Partial<Stripe.PaymentIntentCreateParams> = {},
    options: Stripe.RequestOptions = {},
  ) =>
    rig.sdk.paymentIntents.create(
      {
        amount,
        currency: 'usd',
        customer: customer.id,
        payment_method: card.id,
        off_session: true,
        confirm: true,
        metadata: { wallet: 'w1' },
        ...more,
      },
      options,
    );
  const happened = () =>
    rig.stripe
      .account()
      .events.all()
      .map(({ type }) => type);
  return { ...rig, customer, card, topUp, happened };
}

describe('a top-up off session', () => {
  it('is paid by the saved card', async () => {
    const { topUp, happened, sdk, customer } = await openCustomer();
    const intent = await topUp(2_000, { expand: ['latest_charge'] });
    expect(intent).toMatchObject({
      status: 'succeeded',
      amount_received: 2_000,
      latest_charge: { paid: true, metadata: { wallet: 'w1' } },
    });
    expect(happened().slice(-3)).toEqual(['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded']);
    expect((await sdk.charges.list({ customer: customer.id })).data).toMatchObject([{ payment_intent: intent.id }]);
  });

  it.each([
    ['insufficient_funds', undefined],
    ['stolen_card', 'do_not_try_again'],
    ['issuer_not_available', 'try_again_later'],
  ])('that the bank declines as %s, %s', async (declineCode, adviceCode) => {
    const { topUp, stripe, card, sdk, happened } = await openCustomer();
    stripe.card(card.id, { kind: 'declines', declineCode, ...(adviceCode ? { adviceCode } : {}) });
    const failure = (await topUp().catch((thrown) => thrown)) as Stripe.errors.StripeCardError;
    expect(failure).toMatchObject({
      statusCode: 402,
      rawType: 'card_error',
      code: 'card_declined',
      decline_code: declineCode,
    });
    expect((failure.raw as { advice_code?: string }).advice_code).toBe(adviceCode);
    const intent = await sdk.paymentIntents.retrieve(`${failure.payment_intent?.id}`);
    expect(intent).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { decline_code: declineCode },
    });
    expect(happened().slice(-2)).toEqual(['charge.failed', 'payment_intent.payment_failed']);
    stripe.card(card.id, { kind: 'pays' });
    expect(await sdk.paymentIntents.confirm(intent.id, { payment_method: card.id })).toMatchObject({
      status: 'succeeded',
    });
  });

  it('declined hears the same again by its key, and is not tried anew', async () => {
    const { topUp, stripe, card } = await openCustomer();
    stripe.card(card.id, { kind: 'declines', declineCode: 'insufficient_funds' });
    const options = { idempotencyKey: 'topup-1' };
    const first = await refusal(topUp(2_000, {}, options));
    stripe.card(card.id, { kind: 'pays' });
    expect(await refusal(topUp(2_000, {}, options))).toBe(first);
    expect(stripe.account().charges.all()).toHaveLength(1);
  });

  it.each([
    ['too little', { amount: 49 }, 'amount_too_small'],
    ['too much', { amount: 100_000_000 }, 'amount_too_large'],
    ['no card of theirs', { payment_method: 'pm_x' }, "No such PaymentMethod: 'pm_x'"],
    ['not confirmed', { confirm: false }, 'off_session needs confirm=true'],
  ])('of %s is refused', async (_what, params, says) => {
    const { topUp } = await openCustomer();
    expect(await refusal(topUp(2_000, params))).toContain(says);
  });

  it('by a card that wants its owner is declined', async () => {
    const { topUp, stripe, card } = await openCustomer();
    stripe.card(card.id, { kind: 'wants_authentication' });
    expect(await refusal(topUp())).toContain('402 card_error authentication_required');
  });
});

describe('a refund', () => {
  it('gives back in parts, and never more than was paid', async () => {
    const { topUp, sdk, happened } = await openCustomer();
    const { id } = await topUp(1_000);
    const refund = (amount?: number) =>
      sdk.refunds.create({ payment_intent: id, ...(amount === undefined ? {} : { amount }) });
    expect(await refund(400)).toMatchObject({ amount: 400, status: 'succeeded' });
    expect(await refusal(refund(601))).toContain('greater than unrefunded amount on charge (600)');
    expect(await refund()).toMatchObject({ amount: 600 });
    expect(await refusal(refund())).toContain('charge_already_refunded');
    expect((await sdk.charges.list({ payment_intent: id })).data).toMatchObject([
      { amount_refunded: 1_000, refunded: true },
    ]);
    expect((await sdk.refunds.list({ payment_intent: id })).data.map(({ amount }) => amount)).toEqual([600, 400]);
    expect(happened().filter((type) => type === 'charge.refunded')).toHaveLength(2);
  });
});

describe('a dispute', () => {
  it.each([
    [
      'won',
      [
        'charge.dispute.created',
        'charge.dispute.funds_withdrawn',
        'charge.dispute.funds_reinstated',
        'charge.dispute.closed',
      ],
    ],
    ['lost', ['charge.dispute.created', 'charge.dispute.funds_withdrawn', 'charge.dispute.closed']],
  ] as const)('that is %s tells so', async (status, told) => {
    const { topUp, sdk, stripe, happened } = await openCustomer();
    const { latest_charge } = await topUp(1_000);
    const { id } = stripe.dispute(`${latest_charge}`, 'fraudulent');
    stripe.closeDispute(id, status);
    expect(await sdk.disputes.retrieve(id)).toMatchObject({ status, amount: 1_000, reason: 'fraudulent' });
    expect((await sdk.charges.retrieve(`${latest_charge}`)).disputed).toBe(true);
    expect(happened().filter((type) => type.startsWith('charge.dispute'))).toEqual(told);
  });
});

describe('a checkout', () => {
  const urls = {
    success_url: 'https://app.example.com/ok?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'https://app.example.com/back',
  };

  async function openPlan() {
    const rig = await openCustomer();
    const product = await rig.sdk.products.create({ name: 'Pro' });
    const price = await rig.sdk.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 2_000,
      recurring: { interval: 'month' },
    });
    const plan = (more: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
      rig.sdk.checkout.sessions.create({
        mode: 'subscription',
        customer: rig.customer.id,
        line_items: [{ price: price.id, quantity: 1 }],
        client_reference_id: 'acme',
        ...urls,
        ...more,
      });
    return { ...rig, price, plan };
  }

  it('of a plan that is paid begins the subscription', async () => {
    const { plan, stripe, sdk, happened, price } = await openPlan();
    const session = await plan({ subscription_data: { metadata: { tenant: 't1' } }, expand: ['line_items'] });
    expect(session).toMatchObject({
      status: 'open',
      amount_total: 2_000,
      payment_status: 'unpaid',
      line_items: { data: [{ price: { id: price.id } }] },
    });
    stripe.completeCheckout(session.id);
    const done = await sdk.checkout.sessions.retrieve(session.id, { expand: ['subscription'] });
    expect(done).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      client_reference_id: 'acme',
      subscription: { status: 'active', metadata: { tenant: 't1' } },
    });
    expect(happened().at(-1)).toBe('checkout.session.completed');
    expect(() => stripe.completeCheckout(session.id)).toThrow('The checkout session is complete');
  });

  it('of somebody unknown makes a customer of them', async () => {
    const { sdk, stripe, price } = await openPlan();
    const line_items = [{ price: price.id, quantity: 2 }];
    const { id } = await sdk.checkout.sessions.create({
      mode: 'subscription',
      customer_email: 'eve@example.com',
      line_items,
      ...urls,
    });
    const { customer } = stripe.completeCheckout(id);
    expect(await sdk.customers.retrieve(`${customer}`, { expand: ['subscriptions'] })).toMatchObject({
      email: 'eve@example.com',
      subscriptions: { data: [{ status: 'active' }] },
    });
  });

  it('of a credit pack is paid once, and keeps the card for later', async () => {
    const { sdk, stripe, customer } = await openCustomer();
    const session = await sdk.checkout.sessions.create({
      mode: 'payment',
      customer: customer.id,
      line_items: [
        { price_data: { currency: 'usd', unit_amount: 1_500, product_data: { name: '100 credits' } }, quantity: 2 },
      ],
      payment_intent_data: { metadata: { pack: 'p1' }, setup_future_usage: 'off_session' },
      ...urls,
    });
    stripe.completeCheckout(session.id);
    const done = await sdk.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] });
    expect(done).toMatchObject({
      payment_status: 'paid',
      payment_intent: { amount: 3_000, status: 'succeeded', metadata: { pack: 'p1' } },
    });
    expect((await sdk.customers.listPaymentMethods(customer.id)).data).toHaveLength(2);
  });

  it('whose card is declined stays open, until it is over', async () => {
    const { plan, stripe, sdk, clock, happened } = await openPlan();
    const { id } = await plan();
    expect(() => stripe.completeCheckout(id, { kind: 'declines', declineCode: 'generic_decline' })).toThrow('declined');
    expect(await sdk.checkout.sessions.retrieve(id)).toMatchObject({ status: 'open', subscription: null });
    await stripe.advanceTo(new Date(clock.now() + DAY * 1_000));
    expect(await sdk.checkout.sessions.retrieve(id)).toMatchObject({ status: 'expired', url: null });
    expect(happened().filter((type) => type === 'checkout.session.expired')).toHaveLength(1);
    expect(await refusal(sdk.checkout.sessions.expire(id))).toContain('Only Checkout Sessions');
  });

  it('has a page for browsers, which leads back', async () => {
    const { plan, sdk } = await openPlan();
    const { id, url } = await plan();
    expect(await (await fetch(`${url}`)).text()).toContain('Pay 2000 usd');
    const paid = await fetch(`${url}`, { method: 'POST', redirect: 'manual' });
    expect([paid.status, paid.headers.get('location')]).toEqual([303, `https://app.example.com/ok?session=${id}`]);
    expect((await fetch(`${url}`)).status).toBe(410);
    expect(await sdk.checkout.sessions.retrieve(id)).toMatchObject({ status: 'complete' });
  });

  it.each([
    ['nothing', { line_items: [] }, 'at least one line item'],
    ['no way back', { success_url: undefined }, 'success_url'],
    ['an end too soon', { expires_at: Date.parse('2026-03-15T12:10:00Z') / 1_000 }, '30 minutes to 24 hours'],
    ['somebody who is not there', { customer: 'cus_x' }, "No such customer: 'cus_x'"],
    ['a plan as one payment', { mode: 'payment' }, 'passed a recurring price'],
  ])('of %s is refused', async (_what, params, says) => {
    const { plan } = await openPlan();
    expect(await refusal(plan(params as object))).toContain(says);
  });

  it('and a portal, for who is a customer', async () => {
    const { sdk, customer } = await openCustomer();
    const session = await sdk.billingPortal.sessions.create({
      customer: customer.id,
      return_url: 'https://app.example.com',
    });
    expect(session).toMatchObject({
      customer: customer.id,
      return_url: 'https://app.example.com',
      url: expect.stringContaining('/portal/'),
    });
    expect(await refusal(sdk.billingPortal.sessions.create({ customer: 'cus_x' }))).toContain('No such customer');
  });
});

describe('credit grants', () => {
  async function openCredits() {
    const rig = await openCustomer();
    const { sdk, customer } = rig;
    const meter = await sdk.billing.meters.create({
      event_name: 'calls',
      display_name: 'Calls',
      default_aggregation: { formula: 'sum' },
    });
    const product = await sdk.products.create({ name: 'Calls' });
    const recurring = { interval: 'month', usage_type: 'metered', meter: meter.id } as const;
    const price = await sdk.prices.create({ currency: 'usd', product: product.id, unit_amount: 10, recurring });
    const { id: subscription } = await sdk.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      default_payment_method: rig.card.id,
    });
    const give = (value: number, more: Partial<Stripe.Billing.CreditGrantCreateParams> = {}) =>
      sdk.billing.creditGrants.create({
        customer: customer.id,
        amount: { type: 'monetary', monetary: { currency: 'usd', value } },
        applicability_config: { scope: { price_type: 'metered' } },
        ...more,
      });
    const use = (value: number) =>
      sdk.billing.meterEvents.create({
        event_name: 'calls',
        payload: { stripe_customer_id: customer.id, value: `${value}` },
      });
    const balance = async (credit_grant?: string) => {
      const filter = credit_grant
        ? { type: 'credit_grant' as const, credit_grant }
        : { type: 'applicability_scope' as const, applicability_scope: { price_type: 'metered' as const } };
      const { balances } = await sdk.billing.creditBalanceSummaries.retrieve({ customer: customer.id, filter });
      return balances.map(({ available_balance, ledger_balance }) => [
        available_balance.monetary?.value,
        ledger_balance.monetary?.value,
      ])[0];
    };
    const bill = async () => {
      await rig.stripe.advanceTo('2026-04-15T13:00:00Z');
      return (await sdk.invoices.list({ subscription })).data[0] as Stripe.Invoice;
    };
    return { ...rig, give, use, balance, bill };
  }

  it('pay for usage, in their order, and no more than there is', async () => {
    const { give, use, balance, bill } = await openCredits();
    const [later, sooner, first] = [
      await give(500),
      await give(300, { expires_at: Date.parse('2026-06-01') / 1_000 }),
      await give(200, { priority: 1 }),
    ];
    await use(60);
    const invoice = await bill();
    expect(invoice).toMatchObject({ subtotal: 600, total: 0, amount_due: 0, status: 'paid' });
    expect(invoice.total_pretax_credit_amounts?.map(({ amount }) => amount)).toEqual([200, 300, 100]);
    expect(await Promise.all([first, sooner, later].map(({ id }) => balance(id)))).toEqual([
      [0, 0],
      [0, 0],
      [400, 400],
    ]);
    expect(await balance()).toEqual([400, 400]);
  });

  it('that are over or not begun do not', async () => {
    const { sdk, give, use, balance, bill } = await openCredits();
    const gone = await give(100);
    const undone = await give(100);
    await give(100, { effective_at: Date.parse('2026-05-01') / 1_000 });
    await sdk.billing.creditGrants.expire(gone.id);
    await sdk.billing.creditGrants.voidGrant(undone.id);
    await use(60);
    expect(await bill()).toMatchObject({ total: 600, amount_paid: 600 });
    expect(await balance()).toEqual([0, 100]);
    const { data } = await sdk.billing.creditBalanceTransactions.list({
      customer: gone.customer as string,
      credit_grant: gone.id,
    });
    expect(data.map(({ credit, debit }) => credit?.type ?? debit?.type)).toEqual([
      'credits_expired',
      'credits_granted',
    ]);
  });
});
