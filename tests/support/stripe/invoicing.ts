/**
 * invoicing — the life of an invoice: drafted when a period ends, finalized an hour later with the usage that counts by
 * then, collected at once, and when that fails again and again.
 */
import type { Account, Invoice, InvoiceLine, Subscription } from './account.ts';
import { announce, change } from './announce.ts';
import { applyCredits } from './credits.ts';
import { isMetered, usageLines } from './invoice-lines.ts';
import { subscriptionIdOf, withLines } from './new-invoice.ts';
import { payingMethod } from './payment-methods.ts';
import { attempt, newIntent } from './payments.ts';
import { invalid, Refusal } from './refusal.ts';
import { DAY, HOUR, type Seconds } from './wire.ts';

/** From drafting to finalizing: the grace in which usage of the ended period still counts for it. */
export const GRACE_SPAN: Seconds = HOUR;
/** After each failed attempt to collect, the next. Then the subscription ends, as Stripe does unless told otherwise. */
const RETRY_SPANS: readonly Seconds[] = [3 * DAY, 5 * DAY, 7 * DAY];

export function draft(account: Account, invoice: Invoice): Invoice {
  account.invoices.add(invoice);
  invoice.automatically_finalizes_at = invoice.auto_advance ? invoice.created + GRACE_SPAN : null;
  announce(account, 'invoice.created', invoice);
  return invoice;
}

/** Open and numbered, never to be changed; of nothing, it is paid at once. @throws Refusal where it is no draft. */
export function finalize(account: Account, invoice: Invoice): Invoice {
  if (invoice.status !== 'draft') throw invalid('This invoice is already finalized.', { code: 'invoice_not_editable' });
  const subscription = account.subscriptions.find(subscriptionIdOf(invoice));
  if (subscription) withLines(invoice, upToDate(account, subscription, invoice.lines.data));
  applyCredits(account, invoice);
  const now = account.now(invoice.customer);
  const customer = account.customers.find(invoice.customer);
  const sequence = customer?.next_invoice_sequence ?? 1;
  if (customer) customer.next_invoice_sequence = sequence + 1;
  invoice.status_transitions.finalized_at = now;
  Object.assign(invoice, {
    status: 'open',
    number: `${customer?.invoice_prefix}-${`${sequence}`.padStart(4, '0')}`,
    automatically_finalizes_at: null,
    effective_at: now,
    ending_balance: 0,
    hosted_invoice_url: `https://invoice.stripe.com/i/${invoice.id}`,
    invoice_pdf: `https://pay.stripe.com/invoice/${invoice.id}/pdf`,
  });
  announce(account, 'invoice.finalized', invoice);
  if (invoice.amount_due > 0) intentIdOf(account, invoice);
  return invoice;
}

/** Of each metered item the usage as it is now, in place of what it was when the invoice was drafted. */
function upToDate(account: Account, subscription: Subscription, lines: readonly InvoiceLine[]): InvoiceLine[] {
  const renewed = new Set<string>();
  return lines.flatMap((line) => {
    const id = line.parent?.subscription_item_details?.subscription_item;
    const item = account.items.find(id);
    if (!item || !isMetered(item)) return [line];
    const key = `${item.id} ${line.period.start}`;
    if (renewed.has(key)) return [];
    renewed.add(key);
    return usageLines(account, subscription, item, line.period);
  });
}

/** Tries to collect what is due. @throws Refusal 402 where the card does not pay; the invoice stays open. */
export function pay(account: Account, invoice: Invoice, methodId?: string): Invoice {
  if (invoice.status !== 'open') throw invalid(`Invoice is ${invoice.status}, it cannot be paid.`);
  if (invoice.amount_remaining === 0) return paid(account, invoice);
  const customer = account.customers.get(`${invoice.customer}`);
  const subscription = account.subscriptions.find(subscriptionIdOf(invoice));
  const method =
    methodId === undefined
      ? payingMethod(account, customer, subscription)
      : account.paymentMethods.get(methodId, 'payment_method');
  if (!method) {
    failed(account, invoice);
    throw invalid('This customer has no attached payment source or default payment method.', {
      code: 'resource_missing',
    });
  }
  const intent = account.paymentIntents.get(intentIdOf(account, invoice));
  try {
    if (intent.status !== 'succeeded') attempt(account, intent, method);
  } catch (refusal) {
    failed(account, invoice);
    throw refusal;
  }
  return paid(account, invoice);
}

/** The intent that an invoice is paid by; made when it is first asked for. */
export function intentIdOf(account: Account, invoice: Invoice): string {
  const known = account.invoicePayments.all((payment) => payment.invoice === invoice.id)[0]?.payment.payment_intent;
  if (known !== undefined) return known;
  const { amount_remaining: amount, currency, customer, created } = invoice;
  const description =
    invoice.billing_reason === 'subscription_create' ? 'Subscription creation' : 'Subscription update';
  const intent = newIntent(account, { amount, currency, customer, method: undefined, description, metadata: {} });
  account.invoicePayments.add({
    id: account.newId('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: amount,
    created,
    currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { type: 'payment_intent', payment_intent: intent.id },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  });
  return intent.id;
}

function paid(account: Account, invoice: Invoice): Invoice {
  const now = account.now(invoice.customer);
  for (const payment of account.invoicePayments.all((each) => each.invoice === invoice.id)) {
    payment.status = 'paid';
    payment.amount_paid = payment.amount_requested;
    payment.status_transitions.paid_at = now;
  }
  invoice.status_transitions.paid_at = now;
  const isAttempt = invoice.amount_due > 0;
  Object.assign(invoice, {
    status: 'paid',
    attempted: true,
    attempt_count: invoice.attempt_count + (isAttempt ? 1 : 0),
    amount_paid: invoice.amount_due,
    amount_remaining: 0,
    next_payment_attempt: null,
  });
  announce(account, 'invoice.paid', invoice);
  announce(account, 'invoice.payment_succeeded', invoice);
  const subscription = account.subscriptions.find(subscriptionIdOf(invoice));
  if (subscription && ['incomplete', 'past_due', 'unpaid'].includes(subscription.status)) {
    change(account, 'customer.subscription.updated', subscription, { status: 'active' });
  }
  return invoice;
}

/** Of a card, or of there being none. */
export function failed(account: Account, invoice: Invoice): void {
  const now = account.now(invoice.customer);
  const span = RETRY_SPANS[invoice.attempt_count];
  const isFirst = invoice.billing_reason === 'subscription_create';
  Object.assign(invoice, {
    attempted: true,
    attempt_count: invoice.attempt_count + 1,
    next_payment_attempt: isFirst || span === undefined ? null : now + span,
  });
  announce(account, 'invoice.payment_failed', invoice);
  const subscription = account.subscriptions.find(subscriptionIdOf(invoice));
  if (subscription?.status === 'active')
    change(account, 'customer.subscription.updated', subscription, { status: 'past_due' });
}

/** Whether every attempt to collect has failed. */
export const isGivenUp = ({ status, attempt_count }: Invoice): boolean =>
  status === 'open' && attempt_count > RETRY_SPANS.length;

/** Collects what it can; that it could not is told by the invoice. */
export function tryToPay(account: Account, invoice: Invoice): void {
  try {
    pay(account, invoice);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
  }
}

export function voidInvoice(account: Account, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible')
    throw invalid('Only open or uncollectible invoices can be voided.');
  invoice.status_transitions.voided_at = account.now(invoice.customer);
  Object.assign(invoice, { status: 'void', next_payment_attempt: null });
  announce(account, 'invoice.voided', invoice);
  return invoice;
}

export function markUncollectible(account: Account, invoice: Invoice): Invoice {
  if (invoice.status !== 'open') throw invalid('Only open invoices can be marked uncollectible.');
  invoice.status_transitions.marked_uncollectible_at = account.now(invoice.customer);
  Object.assign(invoice, { status: 'uncollectible', next_payment_attempt: null });
  announce(account, 'invoice.marked_uncollectible', invoice);
  return invoice;
}
