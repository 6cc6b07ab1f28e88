/** payment-intents — money asked for at once, as for a top-up; off session, a card that wants its owner declines. */
import type Stripe from 'stripe';
import { type Account, customerOf, type PaymentIntent } from '../account.ts';
import { announce, change } from '../announce.ts';
import { page } from '../page.ts';
import { ownMethod } from '../payment-methods.ts';
import { attempt, newIntent } from '../payments.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { search } from '../search.ts';
import { mergeMetadata } from '../wire.ts';

/** In minor units. What Stripe takes of US dollars, and takes for all currencies here. */
const AMOUNT_MIN = 50;
const AMOUNT_MAX = 99_999_999;

export const paymentIntentRoutes = [
  route<Stripe.PaymentIntentCreateParams>('POST /v1/payment_intents', create),
  route('GET /v1/payment_intents/{}', ({ account, id }) => account.paymentIntents.get(id)),
  route<Stripe.PaymentIntentUpdateParams>('POST /v1/payment_intents/{}', ({ account, params, id }) => {
    const intent = account.paymentIntents.get(id);
    const { metadata, description } = params;
    return change(account, 'payment_intent.updated', intent, {
      metadata: mergeMetadata(intent.metadata, metadata),
      description,
    });
  }),
  route<Stripe.PaymentIntentConfirmParams>('POST /v1/payment_intents/{}/confirm', ({ account, params, id }) => {
    params.off_session; // a card that wants authentication declines either way
    return confirm(account, account.paymentIntents.get(id), params.payment_method);
  }),
  route<Stripe.PaymentIntentCancelParams>('POST /v1/payment_intents/{}/cancel', cancel),
  route<Stripe.PaymentIntentListParams>('GET /v1/payment_intents', ({ account, params, url }) => {
    const { customer } = params;
    return page(
      account.paymentIntents.all((intent) => customer === undefined || intent.customer === customer),
      params,
      url,
    );
  }),
  route<Stripe.PaymentIntentSearchParams>('GET /v1/payment_intents/search', ({ account, params, url }) =>
    search(account.paymentIntents.all(), params, url),
  ),
  route('GET /v1/charges/{}', ({ account, id }) => account.charges.get(id)),
  route<Stripe.ChargeListParams>('GET /v1/charges', ({ account, params, url }) => {
    const { customer, payment_intent } = params;
    const fits = (charge: { customer: string | null; payment_intent: string | null }) =>
      (customer === undefined || charge.customer === customer) &&
      (payment_intent === undefined || charge.payment_intent === payment_intent);
    return page(account.charges.all(fits), params, url);
  }),
];

function create({ account, params }: Call<Stripe.PaymentIntentCreateParams>): PaymentIntent {
  const {
    amount,
    currency,
    description,
    metadata,
    payment_method,
    confirm: isConfirmed = false,
    off_session = false,
  } = params;
  params.automatic_payment_methods; // only cards here
  if (amount < AMOUNT_MIN)
    throw invalid(`Amount must be at least ${AMOUNT_MIN} cents.`, { param: 'amount', code: 'amount_too_small' });
  if (amount > AMOUNT_MAX)
    throw invalid('Amount must be no more than $999,999.99.', { param: 'amount', code: 'amount_too_large' });
  if (off_session && !isConfirmed) throw invalid('off_session needs confirm=true.', { param: 'off_session' });
  const customer = params.customer === undefined ? undefined : customerOf(account, params.customer, 'customer');
  if (isConfirmed && payment_method === undefined)
    throw invalid('You must provide a payment method to confirm.', { param: 'payment_method' });
  const method = payment_method === undefined || !customer ? undefined : ownMethod(account, payment_method, customer);
  const intent = newIntent(account, {
    amount,
    currency: currency.toLowerCase(),
    customer: customer?.id ?? null,
    method,
    description: description ?? null,
    metadata: mergeMetadata(null, metadata),
  });
  return isConfirmed ? confirm(account, intent, undefined) : intent;
}

function confirm(account: Account, intent: PaymentIntent, methodId: string | undefined): PaymentIntent {
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    const message = `You cannot confirm this PaymentIntent because it has a status of ${intent.status}.`;
    throw invalid(message, { code: 'payment_intent_unexpected_state' });
  }
  const id = methodId ?? intent.payment_method;
  if (id === null) throw invalid('You must provide a payment method to confirm.', { param: 'payment_method' });
  const customer = account.customers.find(intent.customer);
  return attempt(
    account,
    intent,
    customer ? ownMethod(account, id, customer) : account.paymentMethods.get(id, 'payment_method'),
  );
}

function cancel({ account, params, id }: Call<Stripe.PaymentIntentCancelParams>): PaymentIntent {
  const intent = account.paymentIntents.get(id);
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    const message = `You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`;
    throw invalid(message, { code: 'payment_intent_unexpected_state' });
  }
  Object.assign(intent, {
    status: 'canceled',
    canceled_at: account.now(),
    cancellation_reason: params.cancellation_reason ?? null,
  });
  announce(account, 'payment_intent.canceled', intent);
  return intent;
}
