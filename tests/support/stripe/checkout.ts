/** checkout — what becomes of a session when the customer pays, or goes away. */
import type { Account, CheckoutSession, Customer, PaymentMethod } from './account.ts';
import { announce } from './announce.ts';
import { type Basket, basketOf } from './basket.ts';
import { attach, type CardOutcome, newCard } from './payment-methods.ts';
import { attempt, newIntent } from './payments.ts';
import { invalid } from './refusal.ts';
import { newCustomer } from './resources/customers.ts';
import { subscribe } from './subscribing.ts';

/** As the customer does who fills in a card. @throws Refusal 402 where it does not pay; the session stays open. */
export function complete(
  account: Account,
  session: CheckoutSession,
  outcome: CardOutcome = { kind: 'pays' },
): CheckoutSession {
  if (session.status !== 'open') throw invalid(`The checkout session is ${session.status}.`);
  const basket = basketOf(session);
  const customer = payerOf(account, session);
  const method = newCard(account, outcome);
  if (session.mode === 'subscription')
    buySubscription(account, session, basket, customer ?? newPayer(account, session), method);
  else payOnce(account, session, basket, customer, method);
  Object.assign(session, { status: 'complete', url: null });
  const payer = account.customers.find(session.customer);
  session.customer_details = {
    address: null,
    business_name: null,
    email: payer?.email ?? session.customer_email ?? 'payer@example.com',
    individual_name: null,
    name: payer?.name ?? null,
    phone: null,
    tax_exempt: 'none',
    tax_ids: [],
  };
  announce(account, 'checkout.session.completed', session);
  return session;
}

function buySubscription(
  account: Account,
  session: CheckoutSession,
  basket: Basket,
  customer: Customer,
  method: PaymentMethod,
): void {
  attach(account, method.id, customer);
  const items = basket.lines.map(({ price, quantity }) => ({
    price: price.id,
    ...(price.recurring?.usage_type === 'metered' ? {} : { quantity }),
  }));
  const { metadata, description, trialEnd } = basket;
  const subscription = subscribe(account, {
    customer,
    items,
    metadata,
    description,
    trialEnd,
    method: method.id,
    behavior: 'error_if_incomplete',
  });
  const invoice = account.invoices.find(subscription.latest_invoice);
  Object.assign(session, {
    customer: customer.id,
    subscription: subscription.id,
    invoice: subscription.latest_invoice,
    payment_status: invoice?.amount_due === 0 ? 'no_payment_required' : 'paid',
  });
}

function payOnce(
  account: Account,
  session: CheckoutSession,
  basket: Basket,
  known: Customer | undefined,
  method: PaymentMethod,
): void {
  const customer = known ?? (session.customer_creation === 'always' ? newPayer(account, session) : undefined);
  if (customer && basket.isCardKept) attach(account, method.id, customer);
  const { metadata, description = null } = basket;
  const intent = newIntent(account, {
    amount: session.amount_total ?? 0,
    currency: session.currency ?? 'usd',
    customer: customer?.id ?? null,
    method,
    description,
    metadata,
  });
  attempt(account, intent, method);
  const payment_status = intent.status === 'processing' ? 'unpaid' : 'paid';
  Object.assign(session, { customer: customer?.id ?? null, payment_intent: intent.id, payment_status });
}

const payerOf = (account: Account, { customer }: CheckoutSession): Customer | undefined =>
  account.customers.find(customer);

const newPayer = (account: Account, { customer_email }: CheckoutSession): Customer =>
  newCustomer(account, customer_email === null ? {} : { email: customer_email });
