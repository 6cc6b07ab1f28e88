/** top-up — charges the saved payment method for money that a wallet asked for. */
import Stripe from 'stripe';
import { billingAccountOf } from '../../../db/queries/billing-accounts.ts';
import { type BillingAccount, stoppedFor } from '../../../domain/billing-account.ts';
import type { TopUpCharge, TopUpOutcome } from '../../biller.ts';
import { chargeOf } from '../amounts.ts';
import { onAccount } from '../client.ts';
import type { StripeDeps } from '../deps.ts';
import { orNull } from '../failures.ts';
import { fulfilOnce, methodOf } from './payment.ts';
import { metadataOfTopUp } from './purpose.ts';

/**
 * Looks first whether it was charged already: the key alone is good for a day, and only while the payment method stays
 * the same.
 */
export async function chargeTopUp(deps: StripeDeps, charge: TopUpCharge): Promise<TopUpOutcome> {
  const { stripe, database } = deps;
  const account = await billingAccountOf(database.db, charge);
  if (account === null) return refused('no_payment_method', null);
  const { amount, currency } = charge;
  if (amount <= 0n || chargeOf(amount, currency) === null) return refused('amount_not_whole', null);
  const to = onAccount(await deps.accountOf(charge.tenantId));
  const earlier = await chargedBefore(stripe, account, charge, to);
  if (earlier) return outcomeOf(deps, charge, earlier, to);
  const paymentMethodId = await paymentMethodOf(stripe, account, to);
  if (paymentMethodId === null) return refused('no_payment_method', null);
  const stopped = stoppedFor(account.topUps, paymentMethodId);
  if (stopped !== null) return refused(stopped, paymentMethodId);
  const payment = await pay(stripe, account, charge, paymentMethodId, to);
  if (payment === null) return { outcome: 'pending' };
  return 'refusal' in payment ? refused(payment.refusal, paymentMethodId) : outcomeOf(deps, charge, payment, to);
}

const refused = (reason: string, paymentMethodId: string | null): TopUpOutcome => ({
  outcome: 'failed',
  reason,
  paymentMethodId,
  paymentId: null,
});

/** @returns the payment, also one that the bank refused, or why there is none; null where somebody else is charging it at this moment. */
async function pay(
  stripe: Stripe,
  { stripeCustomerId }: BillingAccount,
  charge: TopUpCharge,
  paymentMethodId: string,
  to: Stripe.RequestOptions,
): Promise<Stripe.PaymentIntent | { readonly refusal: string } | null> {
  const { customerId, sequence, currency, amount } = charge;
  try {
    return await stripe.paymentIntents.create(
      {
        amount: chargeOf(amount, currency) ?? 0, // whole, or it is refused before
        currency,
        customer: stripeCustomerId,
        payment_method: paymentMethodId,
        off_session: true,
        confirm: true,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' }, // nobody is there to be sent anywhere
        metadata: metadataOfTopUp(charge),
      },
      { ...to, idempotencyKey: `metergraph-top-up-${customerId}-${currency}-${sequence}` },
    );
  } catch (error) {
    if (error instanceof Stripe.errors.StripeCardError && error.payment_intent) return error.payment_intent;
    if (error instanceof Stripe.errors.StripeIdempotencyError) return null;
    if (isForGood(error)) return error.payment_intent ?? { refusal: error.code ?? error.type };
    throw error;
  }
}

/** What Stripe would refuse each time: an amount that is too small, a currency that it does not know. */
const isForGood = (error: unknown): error is Stripe.errors.StripeInvalidRequestError =>
  error instanceof Stripe.errors.StripeInvalidRequestError && (error.statusCode === 400 || error.statusCode === 404);

/** More than a wallet can ask for in the time for which a request stays open. */
const PAYMENTS_MAX = 100;
/** The clocks of database and Stripe differ by less. */
const CLOCKS_DIFFER_SECONDS = 600;

async function chargedBefore(
  stripe: Stripe,
  { stripeCustomerId }: BillingAccount,
  { sequence, askedAtMs, currency }: TopUpCharge,
  to: Stripe.RequestOptions,
): Promise<Stripe.PaymentIntent | null> {
  const since = Math.floor(askedAtMs / 1_000) - CLOCKS_DIFFER_SECONDS;
  const made = { customer: stripeCustomerId, created: { gte: since }, limit: PAYMENTS_MAX };
  const { data } = (await orNull(stripe.paymentIntents.list(made, to))) ?? { data: [] };
  const isIt = (payment: Stripe.PaymentIntent) =>
    payment.metadata.metergraph_purpose === 'auto_top_up' &&
    payment.metadata.metergraph_sequence === `${sequence}` &&
    payment.currency === currency;
  return data.find(isIt) ?? null;
}

/** The one that is meant for it, or else the one that came last. */
async function paymentMethodOf(
  stripe: Stripe,
  { stripeCustomerId }: BillingAccount,
  to: Stripe.RequestOptions,
): Promise<string | null> {
  const customer = await orNull(stripe.customers.retrieve(stripeCustomerId, {}, to));
  if (customer === null || customer.deleted) return null;
  const meant = customer.invoice_settings.default_payment_method;
  if (meant !== null) return typeof meant === 'string' ? meant : meant.id;
  const { data } = await stripe.paymentMethods.list({ customer: stripeCustomerId, limit: 1 }, to);
  return data[0]?.id ?? null;
}

/**
 * A charge that failed is called off, so that nobody can pay it later: the wallet may ask for another by then. One that is
 * paid is given at once, as a notice of it would.
 */
async function outcomeOf(
  deps: StripeDeps,
  charge: TopUpCharge,
  found: Stripe.PaymentIntent,
  to: Stripe.RequestOptions,
): Promise<TopUpOutcome> {
  const reason = failureOf(found);
  const isOpen = reason !== null && found.status !== 'canceled';
  const payment = isOpen ? await callOff(deps.stripe, found, to) : found;
  const told = { paymentMethodId: methodOf(found), paymentId: payment.id };
  if (payment.status === 'succeeded') {
    await fulfilOnce(deps, charge, payment, { kind: 'auto_top_up', sequence: charge.sequence });
    return { outcome: 'paid', ...told };
  }
  return reason === null ? { outcome: 'pending' } : { outcome: 'failed', reason, ...told };
}

async function callOff(
  stripe: Stripe,
  { id }: Stripe.PaymentIntent,
  to: Stripe.RequestOptions,
): Promise<Stripe.PaymentIntent> {
  try {
    return await stripe.paymentIntents.cancel(id, {}, to);
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
    return stripe.paymentIntents.retrieve(id, {}, to); // somebody was quicker: paid, or called off
  }
}

/** Why a payment has failed, in the bank's word; null where it has not, or not yet. */
function failureOf({ status, last_payment_error }: Stripe.PaymentIntent): string | null {
  const said = last_payment_error?.decline_code ?? last_payment_error?.code ?? null;
  switch (status) {
    case 'requires_payment_method':
    case 'canceled':
      return said ?? 'canceled';
    case 'requires_action':
    case 'requires_confirmation':
      return said ?? 'authentication_required';
    default:
      return null;
  }
}
