/** checkout — a page of Stripe's on which a customer subscribes to a plan, or pays for something prepaid. */
import { hash } from 'node:crypto';
import Stripe from 'stripe';
import type { BillingAccount } from '../../../domain/billing-account.ts';
import { MeterError } from '../../../domain/errors.ts';
import { isRunning } from '../../../domain/subscription.ts';
import { formatUnits } from '../../../domain/units.ts';
import type { Checkout, CheckoutRequest, Payer, Purchase } from '../../biller.ts';
import { accountFor } from '../accounts.ts';
import { chargeOf } from '../amounts.ts';
import { meteredKeysOf } from '../catalog/desired.ts';
import { onAccount } from '../client.ts';
import type { StripeDeps } from '../deps.ts';
import { followAccount } from '../inbound/follow.ts';
import { basePriceKey } from '../names.ts';
import { closeAll, closeEarlier } from './open-checkouts.ts';
import { metadataOfPurchase } from './purpose.ts';

type PlanPurchase = Extract<Purchase, { kind: 'plan' }>;
type PaidAhead = Exclude<Purchase, PlanPurchase>;
type Params = Stripe.Checkout.SessionCreateParams;

/** Stripe keeps keys for a day, for all of an account together: ours say whose they are. */
export const keyFor = (what: string, { customerId }: Payer, key: string | null): Stripe.RequestOptions =>
  key === null ? {} : { idempotencyKey: `metergraph-${what}-${hash('sha256', `${customerId} ${key}`)}` };

export async function createCheckout(deps: StripeDeps, request: CheckoutRequest): Promise<Checkout> {
  const { stripe } = deps;
  const { payer, purchase, idempotencyKey } = request;
  const account = await accountFor(deps, payer);
  if (purchase.kind === 'plan') await refuseSecond(deps, account, payer);
  const to = onAccount(await deps.accountOf(payer.tenantId));
  const params = await paramsOf(deps, account, request, to);
  const key = keyFor('checkout', payer, idempotencyKey);
  const session = await open(purchase, () => stripe.checkout.sessions.create(params, { ...to, ...key }));
  if (purchase.kind === 'plan') await leaveOne(deps, account, payer, to);
  if (session.url === null) throw new Error(`checkout ${session.id} has no page`);
  return { id: session.id, url: session.url, expiresAtMs: session.expires_at * 1_000 };
}

/** Stripe is asked, since a notice may still be on its way: nobody is to pay twice. */
async function refuseSecond(deps: StripeDeps, account: BillingAccount, { referenceId }: Payer): Promise<void> {
  const { subscription } = await followAccount(deps, account);
  if (subscription === null || !isRunning(subscription)) return;
  throw new MeterError(
    'ALREADY_SUBSCRIBED',
    `Customer "${referenceId}" has a subscription to "${subscription.planKey}" that is ${subscription.status}; it is changed, paid and ended in the portal: send the customer there with createPortalSession.`,
    { path: ['input', 'referenceId'] },
  );
}

/**
 * Whichever checkout is paid from now on is the only one: of the others each is closed, or was paid before, and then the
 * subscription is there to be seen.
 */
async function leaveOne(deps: StripeDeps, account: BillingAccount, payer: Payer, to: Stripe.RequestOptions) {
  const { stripe } = deps;
  await closeEarlier(stripe, account.stripeCustomerId, to);
  try {
    await refuseSecond(deps, account, payer);
  } catch (error) {
    if (error instanceof MeterError && error.code === 'ALREADY_SUBSCRIBED') {
      await closeAll(stripe, account.stripeCustomerId, to);
    }
    throw error;
  }
}

async function paramsOf(
  deps: StripeDeps,
  { stripeCustomerId }: BillingAccount,
  { payer, purchase, successUrl, cancelUrl }: CheckoutRequest,
  to: Stripe.RequestOptions,
): Promise<Params> {
  const metadata = metadataOfPurchase(payer, purchase);
  const common: Params = {
    customer: stripeCustomerId,
    client_reference_id: payer.customerId,
    success_url: successUrl,
    cancel_url: cancelUrl,
    metadata,
  };
  if (purchase.kind === 'plan') {
    const lines = await planLines(deps, payer, purchase, to);
    return { ...common, mode: 'subscription', line_items: lines, subscription_data: { metadata } };
  }
  const name = purchase.kind === 'credit_pack' ? purchase.displayName : 'Prepaid balance';
  return {
    ...common,
    mode: 'payment',
    line_items: [
      {
        quantity: 1,
        price_data: { currency: purchase.currency, unit_amount: wholeOf(purchase), product_data: { name } },
      },
    ],
    // Whoever pays ahead may be asked for more later, by the wallet's own rule: with the same card.
    payment_intent_data: { metadata, ...(purchase.kind === 'top_up' && { setup_future_usage: 'off_session' }) },
  };
}

function wholeOf(purchase: PaidAhead): number {
  const whole = chargeOf(purchase.amount, purchase.currency);
  if (whole !== null) return whole;
  const { currency } = purchase;
  throw notTaken(purchase, `a payment in ${currency.toUpperCase()} is of whole ones of the unit that people pay in`);
}

/** What Stripe takes of a currency at least and at most is Stripe's to say. */
const AMOUNT_REFUSED: ReadonlySet<string | undefined> = new Set(['amount_too_small', 'amount_too_large']);

/** An amount that Stripe does not take is for whoever named it to mend. */
async function open<T>(purchase: Purchase, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isAmount = error instanceof Stripe.errors.StripeInvalidRequestError && AMOUNT_REFUSED.has(error.code);
    if (!isAmount || purchase.kind === 'plan') throw error;
    throw notTaken(purchase, `Stripe says: ${error.message}`);
  }
}

const notTaken = ({ kind, amount, currency }: PaidAhead, why: string): MeterError =>
  new MeterError(
    'INVALID_AMOUNT',
    `${formatUnits(amount)} minor units of ${currency.toUpperCase()} can not be paid by Stripe: ${why.replace(/\.$/, '')}.`,
    { path: kind === 'top_up' ? ['input', 'walletTopUp', 'amount'] : ['input', 'creditPack', 'key'] },
  );

/** Once the base price, and without a quantity what is charged by use. */
async function planLines(
  { stripe }: StripeDeps,
  { tenantId }: Payer,
  purchase: PlanPurchase,
  to: Stripe.RequestOptions,
): Promise<Params['line_items'] & object> {
  const { plan, use, interval, currency } = purchase;
  const base = plan.prices.length > 0 ? [basePriceKey(tenantId, plan.key, interval, currency)] : [];
  const metered = meteredKeysOf(plan, use, purchase);
  if (base.length + metered.length === 0) throw notSayable(purchase);
  const prices = await pricesBy(stripe, [...base, ...metered], to);
  const missing = [...base, ...metered].filter((key) => !prices.has(key));
  if (missing.length > 0) throw notInStripe(purchase, missing);
  return [
    ...base.map((key) => ({ price: prices.get(key) ?? '', quantity: 1 })),
    ...metered.map((key) => ({ price: prices.get(key) ?? '' })),
  ];
}

/** As many as Stripe looks up at once. */
const KEYS_MAX = 10;

async function pricesBy(stripe: Stripe, keys: readonly string[], to: Stripe.RequestOptions) {
  const prices = new Map<string, string>();
  for (let i = 0; i < keys.length; i += KEYS_MAX) {
    const lookup_keys = keys.slice(i, i + KEYS_MAX);
    const { data } = await stripe.prices.list({ lookup_keys, active: true, limit: KEYS_MAX }, to);
    for (const { lookup_key, id } of data) if (lookup_key !== null) prices.set(lookup_key, id);
  }
  return prices;
}

const notSayable = ({ plan, currency }: PlanPurchase): MeterError =>
  new MeterError(
    'PLAN_NOT_FOR_SALE',
    `Plan "${plan.key}" has no price in ${currency.toUpperCase()} that Stripe can charge: \`metergraph stripe status\` tells why.`,
    { path: ['input', 'plan', 'planKey'] },
  );

const notInStripe = ({ plan, interval, currency }: PlanPurchase, missing: readonly string[]): MeterError =>
  new MeterError(
    'PLAN_NOT_FOR_SALE',
    `Plan "${plan.key}" by the ${interval} in ${currency.toUpperCase()} is not in Stripe yet (no active price ${missing.join(', ')}): run \`metergraph stripe sync\`.`,
    { path: ['input', 'plan', 'planKey'] },
  );
