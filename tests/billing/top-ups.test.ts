/**
 * Goal: a wallet that runs low is charged by itself, once for each time it asks, and stops when it should. Method: cards
 * that do what a test says, a clock that is moved over cool-offs, gateways that charge at once, answers that are lost.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { chargeTopUps } from '../../server/billing/top-ups.ts';
import { billingEffects } from '../../server/billing-effects.ts';
import { describeEngines } from '../support/engines.ts';
import type { CardOutcome } from '../support/stripe/index.ts';
import { type BillingRig, beside, buy, CONFIG, openBilling, toPro } from './rig.ts';

const declines = (declineCode: string): CardOutcome => ({ kind: 'declines', declineCode });
const PAYS: CardOutcome = { kind: 'pays' };
const DAY_MS = 86_400_000;

/** On a plan that tops up by 1000 below 500, with 600 in the wallet and a card. */
async function lowSoon(
  options: Parameters<typeof openBilling>[0] = {},
): Promise<BillingRig & { readonly card: string }> {
  const rig = await openBilling(options);
  await buy(rig, toPro);
  await buy(rig, { walletTopUp: { amount: 600 } });
  await rig.deliver();
  const { data } = await rig.sdk.paymentMethods.list({ customer: await rig.stripeCustomer() });
  return { ...rig, card: data[0]?.id ?? '' };
}

/** For 110 in all: with that, the wallet is below 500. */
const use = (rig: BillingRig, amount = 11) =>
  rig.write('consume', { referenceId: 'acme', featureKey: 'sms', amount }, '... on Consumption { allowed }');

const charge = async (rig: BillingRig) => {
  await rig.gateway.stripe?.run();
};

async function walletOf(rig: BillingRig): Promise<string> {
  const { topUpRequests, customer } = await rig.data<{
    readonly topUpRequests: { readonly nodes: readonly { readonly state: string }[] };
    readonly customer: { readonly wallets: readonly { readonly balance: { readonly amount: string } }[] };
  }>(
    '{ topUpRequests(first: 50) { nodes { state } } customer(referenceId: "acme") { wallets { balance { amount } } } }',
  );
  const states = topUpRequests.nodes.map(({ state }) => state.toLowerCase()).join(' ');
  return `${customer.wallets[0]?.balance.amount}: ${states}`;
}

const charges = async (rig: BillingRig) => {
  const { data } = await rig.sdk.paymentIntents.list({ customer: await rig.stripeCustomer(), limit: 100 });
  return data.filter(({ metadata }) => metadata.metergraph_purpose === 'auto_top_up').map(({ status }) => status);
};

describeEngines('a wallet that runs low', (engine) => {
  let rig: BillingRig;
  beforeAll(async () => {
    rig = await lowSoon({ database: await engine.open() });
  });

  it('is charged once, by however many gateways, and told of in any order', async () => {
    await use(rig);
    expect(await walletOf(rig)).toBe('490: asked');
    const other = await beside(rig);
    await Promise.all([charge(rig), other.run()]);
    await rig.deliver();
    await charge(rig);
    expect(await walletOf(rig)).toBe('1490: paid');
    expect(await charges(rig)).toEqual(['succeeded']);
  });
});

describe('charging by itself', () => {
  it.each<[string, readonly CardOutcome[], number, string]>([
    // what the card does, day by day                        charges, and what became of them
    ['a refusal that may pass, then money', [declines('insufficient_funds'), PAYS], 2, 'failed paid'],
    [
      'three refusals that may pass',
      [...Array<CardOutcome>(4).fill(declines('do_not_honor'))],
      3,
      'failed failed failed failed',
    ],
    ['a card that is gone', [declines('stolen_card'), PAYS], 1, 'failed failed'],
    ['a bank that wants to ask the customer', [{ kind: 'wants_authentication' }, PAYS], 2, 'failed paid'],
  ])('%s', async (_what, outcomes, count, states) => {
    const rig = await lowSoon();
    await use(rig, 10);
    for (const outcome of outcomes) {
      rig.stripe.card(rig.card, outcome);
      await use(rig, 1);
      await charge(rig);
      await use(rig, 1);
      await charge(rig); // within the cool-off nothing is asked for
      rig.clock.advance(DAY_MS);
    }
    expect(await charges(rig)).toHaveLength(count);
    expect((await walletOf(rig)).split(': ')[1]).toBe(states);
    expect((await charges(rig)).filter((status) => status !== 'succeeded' && status !== 'canceled')).toEqual([]);
  });

  it('goes on with another card after it has stopped', async () => {
    const rig = await lowSoon();
    rig.stripe.card(rig.card, declines('expired_card'));
    await use(rig);
    await charge(rig);
    const customer = await rig.stripeCustomer();
    const other = await rig.sdk.paymentMethods.attach('pm_card_visa', { customer });
    await rig.sdk.customers.update(customer, { invoice_settings: { default_payment_method: other.id } });
    rig.clock.advance(DAY_MS);
    await use(rig);
    await charge(rig);
    expect((await walletOf(rig)).split(': ')[1]).toBe('failed paid');
  });

  it('counts refusals in a row, also where a notice was quicker to tell of one that was paid', async () => {
    const rig = await lowSoon();
    const refused = declines('do_not_honor');
    await use(rig, 11);
    for (const outcome of [refused, refused, PAYS, refused, refused, PAYS]) {
      rig.stripe.card(rig.card, outcome);
      await use(rig, 1);
      if (outcome === PAYS) rig.stripe.faults.next('POST /v1/payment_intents', { kind: 'cut_after' }, 2);
      await charge(rig);
      await rig.deliver();
      await use(rig, 100); // low again
      rig.clock.advance(DAY_MS);
    }
    expect((await walletOf(rig)).split(': ')[1]).toBe('failed failed paid failed failed paid asked');
  });

  /** What looks after top-ups of a gateway that is ended when it has settled so many. */
  const ending = async (rig: BillingRig, settles: number) => {
    const { gateway, database } = rig;
    let left = settles;
    const ends = async () => {
      left -= 1;
      if (left < 0) throw new Error('ended');
    };
    const effects = billingEffects(gateway.services, 0);
    const { biller } = gateway.services;
    await chargeTopUps({
      biller,
      database,
      effects: {
        settleTopUp: async (...settled) => {
          await ends();
          const isFirst = await effects.settleTopUp(...settled);
          await ends();
          return isFirst;
        },
      },
      clock: rig.clock,
      pending: new Map(),
      onNews: () => {},
      onError: () => {},
    });
  };

  it.each([0, 1])('knows of a card that is gone where it is ended in between (%d)', async (settles) => {
    const rig = await lowSoon();
    rig.stripe.card(rig.card, declines('stolen_card'));
    await use(rig);
    await ending(rig, settles);
    await charge(rig);
    rig.clock.advance(DAY_MS);
    await use(rig, 1);
    await charge(rig);
    expect(await charges(rig)).toHaveLength(1);
    expect((await walletOf(rig)).split(': ')[1]).toBe('failed failed');
  });

  it('counts a refusal once where it is ended in between', async () => {
    const rig = await lowSoon();
    await use(rig);
    rig.stripe.card(rig.card, declines('do_not_honor'));
    for (let day = 0; day < 3; day += 1) {
      await use(rig, 1);
      await ending(rig, 0);
      await ending(rig, 1);
      rig.clock.advance(DAY_MS);
    }
    expect(await charges(rig)).toHaveLength(3);
  });

  it('gives what was charged after the wallet was told that it failed', async () => {
    const rig = await lowSoon();
    await use(rig);
    rig.stripe.faults.next('POST /v1/payment_intents', { kind: 'cut_after' }, 2);
    await charge(rig);
    await rig.write('settleTopUp', { referenceId: 'acme', outcome: 'FAILED' });
    await rig.deliver();
    await charge(rig);
    expect(await walletOf(rig)).toBe('1490: failed');
  });

  it.each([
    ['pays', true, '1490: paid'],
    ['pays', false, '1490: paid'],
    ['declines', false, '490: failed'],
  ] as const)('waits for a bank that %s (told of: %s), and asks it rarely', async (outcome, isTold, says) => {
    const rig = await lowSoon();
    rig.stripe.card(rig.card, { kind: 'takes_days' });
    await use(rig);
    await charge(rig);
    const asked = rig.stripe.requests.length;
    rig.clock.advance(5_000);
    await charge(rig);
    expect(rig.stripe.requests).toHaveLength(asked);
    expect(await walletOf(rig)).toBe('490: asked');
    const [intent] = (await rig.sdk.paymentIntents.list({ limit: 1 })).data;
    rig.stripe.settlePayment(intent?.id ?? '', outcome);
    if (isTold) await rig.deliver();
    else rig.clock.advance(5 * 60_000);
    await charge(rig);
    expect(await walletOf(rig)).toBe(says);
  });

  it('fails where Stripe does not take the amount, and charges nothing', async () => {
    const pro = CONFIG.plans?.pro;
    const wallet = { autoTopUp: { threshold: 500, amount: 20 } };
    const rig = await lowSoon({ config: { ...CONFIG, plans: { ...CONFIG.plans, pro: { ...pro, wallet } } } });
    await use(rig);
    await charge(rig);
    expect(await walletOf(rig)).toBe('490: failed');
  });

  it('charges krónur as Stripe counts them', async () => {
    const pro = CONFIG.plans?.pro;
    const wallet = { currency: 'isk', autoTopUp: { threshold: 500, amount: 1_000 } };
    const sms = { price: { unitAmount: 10, currency: 'isk' } };
    const plans = { ...CONFIG.plans, pro: { ...pro, wallet, features: { ...pro?.features, sms } } };
    const rig = await openBilling({ config: { ...CONFIG, plans } });
    await buy(rig, toPro);
    await buy(rig, { walletTopUp: { amount: 600, currency: 'isk' } });
    await rig.deliver();
    await use(rig);
    await charge(rig);
    expect(await walletOf(rig)).toBe('1490: paid');
    const [payment] = (await rig.sdk.paymentIntents.list({ customer: await rig.stripeCustomer(), limit: 1 })).data;
    expect(payment).toMatchObject({ currency: 'isk', amount: 100_000 });
  });

  it('fails without a card, and charges nothing', async () => {
    const rig = await openBilling();
    await rig.write('setCustomerPlan', { referenceId: 'acme', planKey: 'pro' });
    await rig.write('topUpWallet', { referenceId: 'acme', amount: 600 });
    await use(rig);
    await charge(rig);
    expect(await walletOf(rig)).toBe('490: failed');
  });

  it.each(['cut_after', 'fails_after', 'fails_before', 'cut_before'] as const)(
    'charges once where the answer is lost (%s)',
    async (kind) => {
      const rig = await lowSoon();
      rig.stripe.faults.next('POST /v1/payment_intents', { kind }, 2);
      await use(rig);
      await charge(rig);
      rig.clock.advance(2 * DAY_MS); // Stripe has forgotten the key
      await charge(rig);
      await charge(rig);
      await rig.deliver();
      expect(await walletOf(rig)).toBe('1490: paid');
      expect(await charges(rig)).toEqual(['succeeded']);
    },
  );

  it('takes back what was refunded of it', async () => {
    const rig = await lowSoon();
    await use(rig);
    await charge(rig);
    const [payment] = (await rig.sdk.paymentIntents.list({ customer: await rig.stripeCustomer(), limit: 1 })).data;
    await rig.sdk.refunds.create({ charge: `${payment?.latest_charge}` });
    await rig.deliver();
    expect((await walletOf(rig)).split(': ')[0]).toBe('490');
  });
});
