/** payment-methods — cards, and what comes of charging one. A test tells what a card will do; else it pays. */
import type { Account, Customer, PaymentMethod, Subscription } from './account.ts';
import { announce } from './announce.ts';
import { invalid } from './refusal.ts';

/** What happens to charges of a card. */
export type CardOutcome =
  | { readonly kind: 'pays' }
  /** `insufficient_funds` may pay another day, `stolen_card` never will; `adviceCode` says which, where the bank does. */
  | { readonly kind: 'declines'; readonly declineCode: string; readonly adviceCode?: string }
  /** As a bank debit does: `settlePayment` says what became of it. */
  | { readonly kind: 'takes_days' }
  /** The bank wants the customer to confirm, which nobody can off session. */
  | { readonly kind: 'wants_authentication' };

/** Stripe's own names for test cards, and what they do. */
const TEST_CARDS: { readonly [name: string]: CardOutcome } = {
  pm_card_visa: { kind: 'pays' },
  pm_card_mastercard: { kind: 'pays' },
  pm_card_chargeCustomerFail: { kind: 'declines', declineCode: 'generic_decline' },
  pm_card_authenticationRequired: { kind: 'wants_authentication' },
};

const outcomes = new WeakMap<PaymentMethod, CardOutcome>();

/** From now on. */
export const behave = (method: PaymentMethod, outcome: CardOutcome): void => void outcomes.set(method, outcome);

export const outcomeOf = (method: PaymentMethod): CardOutcome => outcomes.get(method) ?? { kind: 'pays' };

/** Attaches a card to a customer; a test card by its name is a new one each time. @throws Refusal where it is another's. */
export function attach(account: Account, id: string, customer: Customer): PaymentMethod {
  const method =
    id in TEST_CARDS
      ? newCard(account, TEST_CARDS[id] ?? { kind: 'pays' })
      : account.paymentMethods.get(id, 'payment_method');
  if (method.customer !== null && method.customer !== customer.id) {
    throw invalid('The payment method is attached to another customer.', { param: 'payment_method' });
  }
  if (method.customer === null) {
    method.customer = customer.id;
    announce(account, 'payment_method.attached', method);
  }
  return method;
}

/** A card of the customer's own. @throws Refusal where it is not. */
export function ownMethod(account: Account, id: string, customer: Customer): PaymentMethod {
  if (id in TEST_CARDS) return attach(account, id, customer);
  const method = account.paymentMethods.get(id, 'payment_method');
  if (method.customer !== customer.id)
    throw invalid('The payment method must be attached to the customer.', { param: 'payment_method' });
  return method;
}

/** Who pays: the subscription's own card, or else the customer's default. */
export function payingMethod(
  account: Account,
  customer: Customer,
  subscription?: Subscription,
): PaymentMethod | undefined {
  const { default_payment_method: standard } = customer.invoice_settings;
  return account.paymentMethods.find(subscription?.default_payment_method ?? standard);
}

export function newCard(account: Account, outcome: CardOutcome): PaymentMethod {
  const method: PaymentMethod = {
    id: account.newId('pm'),
    object: 'payment_method',
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    card: {
      brand: 'visa',
      checks: null,
      country: 'US',
      display_brand: 'visa',
      exp_month: 12,
      exp_year: 2034,
      funding: 'credit',
      generated_from: null,
      last4: '4242',
      networks: null,
      regulated_status: null,
      three_d_secure_usage: null,
      wallet: null,
    },
    created: account.now(),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  };
  behave(method, outcome);
  return account.paymentMethods.add(method);
}
