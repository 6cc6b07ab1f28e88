/** payments — an intent to be paid, and each attempt at it as a charge. */
import type { Account, Charge, PaymentIntent, PaymentMethod } from './account.ts';
import { announce } from './announce.ts';
import { type CardOutcome, outcomeOf } from './payment-methods.ts';
import { Refusal } from './refusal.ts';

export type IntentParams = {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly method: PaymentMethod | undefined;
  readonly description: string | null;
  readonly metadata: { [key: string]: string };
};

/** Not attempted yet. */
export function newIntent(
  account: Account,
  { amount, currency, customer, method, description, metadata }: IntentParams,
): PaymentIntent {
  const id = account.newId('pi');
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount,
    amount_capturable: 0,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic',
    client_secret: `${id}_secret`,
    confirmation_method: 'automatic',
    created: account.now(),
    currency,
    customer,
    customer_account: null,
    description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: method?.id ?? null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: method ? 'requires_confirmation' : 'requires_payment_method',
    transfer_group: null,
  };
  announce(account, 'payment_intent.created', account.paymentIntents.add(intent));
  return intent;
}

/** Charges the card of the intent. @throws Refusal 402 where it does not pay; the intent tells of it too. */
export function attempt(account: Account, intent: PaymentIntent, method: PaymentMethod): PaymentIntent {
  const outcome = outcomeOf(method);
  const charge = newCharge(account, intent, method, outcome);
  intent.payment_method = method.id;
  intent.latest_charge = charge.id;
  switch (outcome.kind) {
    case 'takes_days':
      intent.status = 'processing';
      announce(account, 'charge.pending', charge);
      announce(account, 'payment_intent.processing', intent);
      return intent;
    case 'pays':
      return paid(account, intent, charge);
    default:
      throw new Refusal(402, { ...declined(account, intent, charge, method, outcome), payment_intent: intent });
  }
}

/** What became of a payment that takes days; and of the checkout that it is of, if any. */
export function settlePayment(account: Account, intent: PaymentIntent, outcome: 'pays' | 'declines'): PaymentIntent {
  const charge = account.charges.get(`${intent.latest_charge}`);
  const method = account.paymentMethods.get(`${intent.payment_method}`);
  const isPaid = outcome === 'pays';
  if (isPaid) {
    Object.assign(charge, { status: 'succeeded', paid: true, captured: true, amount_captured: charge.amount });
    paid(account, intent, charge);
  } else {
    const why: Declined = { kind: 'declines', declineCode: 'insufficient_funds' };
    const { code, message } = errorOf(why);
    Object.assign(charge, { status: 'failed', failure_code: code, failure_message: message });
    declined(account, intent, charge, method, why);
  }
  for (const session of account.checkouts.all(({ payment_intent }) => payment_intent === intent.id)) {
    if (isPaid) session.payment_status = 'paid';
    announce(account, `checkout.session.async_payment_${isPaid ? 'succeeded' : 'failed'}`, session);
  }
  return intent;
}

function paid(account: Account, intent: PaymentIntent, charge: Charge): PaymentIntent {
  Object.assign(intent, { status: 'succeeded', amount_received: intent.amount, last_payment_error: null });
  announce(account, 'charge.succeeded', charge);
  announce(account, 'payment_intent.succeeded', intent);
  return intent;
}

function declined(
  account: Account,
  intent: PaymentIntent,
  charge: Charge,
  method: PaymentMethod,
  outcome: Declined,
): CardError & { payment_method: PaymentMethod } {
  const error = errorOf(outcome);
  Object.assign(intent, {
    status: 'requires_payment_method',
    last_payment_error: { ...error, charge: charge.id, payment_method: method },
  });
  announce(account, 'charge.failed', charge);
  announce(account, 'payment_intent.payment_failed', intent);
  return { ...error, payment_method: method };
}

type Declined = Exclude<CardOutcome, { kind: 'pays' | 'takes_days' }>;

type CardError = { type: 'card_error'; code: string; decline_code?: string; advice_code?: string; message: string };

function errorOf(outcome: Declined): CardError {
  if (outcome.kind === 'wants_authentication') {
    const message = 'Your card was declined. This transaction requires authentication.';
    return { type: 'card_error', code: 'authentication_required', decline_code: 'authentication_required', message };
  }
  const advice = outcome.adviceCode === undefined ? {} : { advice_code: outcome.adviceCode };
  return {
    type: 'card_error',
    code: 'card_declined',
    decline_code: outcome.declineCode,
    ...advice,
    message: 'Your card was declined.',
  };
}

function newCharge(account: Account, intent: PaymentIntent, method: PaymentMethod, outcome: CardOutcome): Charge {
  const isPaid = outcome.kind === 'pays';
  const error = isPaid || outcome.kind === 'takes_days' ? undefined : errorOf(outcome);
  return account.charges.add({
    id: account.newId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: isPaid ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: null,
    captured: isPaid,
    created: account.now(),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: error?.code ?? null,
    failure_message: error?.message ?? null,
    fraud_details: null,
    livemode: false,
    metadata: { ...intent.metadata },
    on_behalf_of: null,
    outcome: null,
    paid: isPaid,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: null,
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: isPaid ? 'succeeded' : outcome.kind === 'takes_days' ? 'pending' : 'failed',
    transfer_data: null,
    transfer_group: null,
  });
}
