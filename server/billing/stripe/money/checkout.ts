/** checkout — a page of Stripe's on which a customer subscribes to a plan, or pays for something prepaid. */
import { hash } from 'node:crypto';
import Stripe from 'stripe';
import { billingAccountOf, saveOpenCheckout } from '../../../db/queries/billing-accounts.ts';
import type { BillingAccount } from '../../../domain/billing-account.ts';
import { MeterError } from '../../../domain/errors.ts';
import { isRunning } from '../../../domain/subscription.ts';
import { ONE, type Units } from '../../../domain/units.ts';
import type { Checkout, CheckoutRequest, Payer, Purchase } from '../../biller.ts';
import { accountFor } from '../accounts.ts';
import { meteredKeysOf } from '../catalog/desired.ts';
import { onAccount } from '../client.ts';
import type { StripeDeps } from '../deps.ts';
import { followAccount } from '../inbound/follow.ts';
import { basePriceKey } from '../names.ts';
import { metadataOfPurchase } from './purpose.ts';

type PlanPurchase = Extract<Purchase, { kind: 'plan' }>;
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
  const session = await stripe.checkout.sessions.create(params, {
    ...to,
    ...keyFor('checkout', payer, idempotencyKey),
  });
  if (purchase.kind === 'plan') await closeEarlier(deps, account, session, to);
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
 * Of a customer's checkouts for plans one is open at a time, so that two tabs don't make two subscriptions. A session
 * that is answered again, under the key of an earlier call, closes none that is newer.
 */
async function closeEarlier(
  { stripe, database }: StripeDeps,
  of: BillingAccount,
  session: Stripe.Checkout.Session,
  to: Stripe.RequestOptions,
): Promise<void> {
  const account = (await billingAccountOf(database.db, of)) ?? of;
  const earlierId = account.openCheckoutId;
  if (earlierId === session.id) return;
  if (earlierId !== null) {
    const earlier = await stripe.checkout.sessions.retrieve(earlierId, {}, to);
    if (earlier.created > session.created) return;
    if (earlier.status === 'open') await expire(stripe, earlierId, to);
  }
  await saveOpenCheckout(database.db, account, session.id); // if another was opened meanwhile, that one knows of the earlier
}

async function expire(stripe: Stripe, id: string, to: Stripe.RequestOptions): Promise<void> {
  try {
    await stripe.checkout.sessions.expire(id, {}, to);
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error; // it has been paid, or has expired
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
        price_data: { currency: purchase.currency, unit_amount: wholeOf(purchase.amount), product_data: { name } },
      },
    ],
    // Whoever pays ahead may be asked for more later, by the wallet's own rule: with the same card.
    payment_intent_data: { metadata, ...(purchase.kind === 'top_up' && { setup_future_usage: 'off_session' }) },
  };
}

const wholeOf = (amount: Units): number => Number(amount / ONE);

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
