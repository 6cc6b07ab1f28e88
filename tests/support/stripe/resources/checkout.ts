/** checkout — sessions in which a customer buys a plan or pays once. Who pays is in `../checkout.ts`. */
import type Stripe from 'stripe';
import { type Account, type CheckoutSession, customerOf, type Price } from '../account.ts';
import { announce } from '../announce.ts';
import { lineItemsOf, priceOf, setBasket } from '../basket.ts';
import { page } from '../page.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { DAY, HOUR, MINUTE, mergeMetadata, type Seconds } from '../wire.ts';
import { newPrice } from './prices.ts';

/** In minor units. What Stripe takes of US dollars, and takes for all currencies here. */
const AMOUNT_MIN = 50;
const OPEN_SPAN: Seconds = DAY;
const OPEN_SPAN_MIN: Seconds = 30 * MINUTE;
const OPEN_SPAN_MAX: Seconds = 24 * HOUR;

export const checkoutRoutes = [
  route<Stripe.Checkout.SessionCreateParams>('POST /v1/checkout/sessions', create),
  route('GET /v1/checkout/sessions/{}', ({ account, id }) => account.checkouts.get(id)),
  route('POST /v1/checkout/sessions/{}/expire', expire),
  route<Stripe.Checkout.SessionListParams>('GET /v1/checkout/sessions', ({ account, params, url }) => {
    const { customer, subscription, payment_intent, status } = params;
    const fits = (session: CheckoutSession) =>
      (customer === undefined || session.customer === customer) &&
      (subscription === undefined || session.subscription === subscription) &&
      (payment_intent === undefined || session.payment_intent === payment_intent) &&
      (status === undefined || session.status === status);
    return page(account.checkouts.all(fits), params, url);
  }),
  route<Stripe.Checkout.SessionListLineItemsParams>(
    'GET /v1/checkout/sessions/{}/line_items',
    ({ account, params, id, url }) => page(lineItemsOf(account.checkouts.get(id)), params, url),
  ),
];

type Params = Call<Stripe.Checkout.SessionCreateParams>['params'];
type Line = { readonly price: Price; readonly quantity: number };

function create({ account, params }: Call<Stripe.Checkout.SessionCreateParams>): CheckoutSession {
  const {
    mode,
    line_items = [],
    customer,
    customer_email,
    customer_creation,
    subscription_data,
    payment_intent_data,
  } = params;
  const now = account.now(customer);
  const lines = line_items.map((line) => lineOf(account, line, `${mode}`));
  check(account, params, lines, now);
  const total = lines.reduce((sum, { price, quantity }) => sum + priceOf(price, quantity), 0);
  if (mode === 'payment' && total < AMOUNT_MIN)
    throw invalid("The Checkout Session's total amount due must add up to at least $0.50 usd", {
      code: 'amount_too_small',
    });
  const session = newSession(account, params, { now, total, currency: lines[0]?.price.currency ?? null });
  const data = mode === 'subscription' ? subscription_data : payment_intent_data;
  const trialDays = subscription_data?.trial_period_days;
  setBasket(session, {
    lines,
    metadata: mergeMetadata(null, data?.metadata),
    description: data?.description,
    trialEnd: subscription_data?.trial_end ?? (trialDays === undefined ? undefined : now + trialDays * DAY),
    isCardKept: payment_intent_data?.setup_future_usage !== undefined,
  });
  session.customer_email = customer_email ?? null;
  session.customer_creation =
    mode === 'payment' && customer === undefined ? (customer_creation ?? 'if_required') : null;
  return account.checkouts.add(session);
}

function check(account: Account, params: Params, lines: readonly Line[], now: Seconds): void {
  const { mode, success_url, customer, customer_email, expires_at, ui_mode } = params;
  if (mode !== 'subscription' && mode !== 'payment')
    throw invalid('the fake knows the modes `subscription` and `payment`', { param: 'mode' });
  if (lines.length === 0) throw invalid('You must provide at least one line item.', { param: 'line_items' });
  if (new Set(lines.map(({ price }) => price.currency)).size > 1)
    throw invalid('All prices on a Checkout Session must be in the same currency.', { param: 'line_items' });
  if (ui_mode !== undefined && ui_mode !== 'hosted_page')
    throw invalid('the fake has hosted pages only', { param: 'ui_mode' });
  if (success_url === undefined)
    throw invalid('Missing required param: success_url.', { param: 'success_url', code: 'parameter_missing' });
  if (customer !== undefined) customerOf(account, customer, 'customer');
  if (customer !== undefined && customer_email !== undefined)
    throw invalid('You may only specify one of customer and customer_email.');
  const span = (expires_at ?? now + OPEN_SPAN) - now;
  if (span < OPEN_SPAN_MIN || span > OPEN_SPAN_MAX)
    throw invalid('The `expires_at` must be 30 minutes to 24 hours from now.', { param: 'expires_at' });
}

function lineOf(account: Account, line: NonNullable<Params['line_items']>[number], mode: string): Line {
  const { price: id, price_data, quantity } = line;
  const price = price_data ? newPrice(account, price_data) : account.prices.get(`${id}`, 'line_items[0][price]');
  const isMetered = price.recurring?.usage_type === 'metered';
  if (mode === 'payment' && price.recurring)
    throw invalid('You specified `payment` mode but passed a recurring price.', { param: 'line_items' });
  if (isMetered && quantity !== undefined)
    throw invalid('Quantity should not be specified where usage_type is `metered`.', {
      param: 'line_items[0][quantity]',
    });
  if (!isMetered && quantity === undefined)
    throw invalid('Quantity is required.', { param: 'line_items[0][quantity]' });
  return { price, quantity: quantity ?? 0 };
}

type Begun = { readonly now: Seconds; readonly total: number; readonly currency: string | null };

function newSession(account: Account, params: Params, { now, total, currency }: Begun): CheckoutSession {
  const id = account.newId('cs_test');
  return {
    id,
    object: 'checkout.session',
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    allowed_payment_method_types: null,
    amount_subtotal: total,
    amount_total: total,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: now,
    currency: params.currency ?? currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: params.customer ?? null,
    customer_account: null,
    customer_creation: null,
    customer_details: null,
    customer_email: null,
    discounts: [],
    expires_at: params.expires_at ?? now + OPEN_SPAN,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: params.locale ?? null,
    managed_payments: null,
    metadata: mergeMetadata(null, params.metadata),
    mode: params.mode ?? 'payment',
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: params.payment_method_collection ?? 'always',
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card'],
    payment_status: 'unpaid',
    permissions: null,
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    success_url: params.success_url ?? null,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: `${account.world.url}/pay/${account.id}/${id}`,
    wallet_options: null,
  };
}

function expire({ account, id }: Call): CheckoutSession {
  const session = account.checkouts.get(id);
  if (session.status !== 'open') throw invalid('Only Checkout Sessions with a status in ["open"] can be expired.');
  Object.assign(session, { status: 'expired', url: null });
  announce(account, 'checkout.session.expired', session);
  return session;
}
