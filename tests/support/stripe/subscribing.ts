/** subscribing — a new subscription and its first invoice. */
import type { Account, Customer, Invoice, Subscription } from './account.ts';
import { announce } from './announce.ts';
import { periodAt } from './calendar.ts';
import { baseLines, isMetered, type Span, usageLines } from './invoice-lines.ts';
import { failed, finalize, intentIdOf, tryToPay } from './invoicing.ts';
import { newInvoice } from './new-invoice.ts';
import { payingMethod } from './payment-methods.ts';
import { attempt } from './payments.ts';
import { invalid, Refusal } from './refusal.ts';
import { checkTogether, type ItemParams, itemsOf, newItem } from './subscription-items.ts';
import { DAY, mergeMetadata, type Seconds } from './wire.ts';

export type SubscribeParams = {
  readonly customer: Customer;
  readonly items: readonly ItemParams[];
  readonly anchor?: Seconds | undefined;
  readonly cancelAtPeriodEnd?: boolean | undefined;
  readonly cancelAt?: Seconds | undefined;
  readonly collection?: Subscription['collection_method'] | undefined;
  readonly daysUntilDue?: number | undefined;
  readonly description?: string | undefined;
  readonly metadata?: Parameters<typeof mergeMetadata>[1];
  readonly method?: string | undefined;
  readonly behavior?: string | undefined;
  readonly trialEnd?: Seconds | undefined;
  /** Without the part of a period that is before the anchor. */
  readonly isFreeUntilAnchor?: boolean | undefined;
};

const TRIAL_SPAN_MAX: Seconds = 730 * DAY;

/** @throws Refusal 402 where the first payment has to succeed and does not. */
export function subscribe(account: Account, params: SubscribeParams): Subscription {
  const { customer } = params;
  const now = account.now(customer.id);
  const id = account.newId('sub');
  const anchor = params.trialEnd ?? params.anchor ?? now;
  if (params.anchor !== undefined && params.anchor < now)
    throw invalid('billing_cycle_anchor must be in the future.', { param: 'billing_cycle_anchor' });
  if (params.trialEnd !== undefined && (params.trialEnd <= now || params.trialEnd > now + TRIAL_SPAN_MAX)) {
    throw invalid('Invalid timestamp: must be an integer Unix timestamp in the future.', { param: 'trial_end' });
  }
  const unknown = { start: now, end: now };
  const items = params.items.map((item) => newItem(account, id, item, unknown));
  const interval = items[0]?.price.recurring ?? { interval: 'month', interval_count: 1 };
  const end = params.trialEnd ?? periodAt(anchor, interval, now).end; // when the anchor comes round, or the trial ends
  const span = { start: now, end };
  for (const item of items) Object.assign(item, { current_period_start: span.start, current_period_end: span.end });
  const subscription = account.subscriptions.add(
    newSubscription(account, id, params, { now, anchor, currency: items[0]?.price.currency ?? 'usd' }),
  );
  try {
    checkTogether(items);
    return begin(account, subscription, params, span);
  } catch (refusal) {
    forget(account, subscription);
    throw refusal;
  }
}

function begin(account: Account, subscription: Subscription, params: SubscribeParams, span: Span): Subscription {
  const { customer, behavior = 'allow_incomplete' } = params;
  const isFree = subscription.status === 'trialing' || params.isFreeUntilAnchor === true;
  const invoice = firstInvoice(account, subscription, customer, isFree, span);
  const isCharged = invoice.amount_due > 0 && subscription.collection_method === 'charge_automatically';
  const isLater = behavior === 'default_incomplete';
  account.invoices.add(invoice);
  subscription.latest_invoice = invoice.id;
  if (params.cancelAtPeriodEnd) subscription.cancel_at = span.end;
  const declined = isCharged && !isLater ? chargeFirst(account, subscription, customer, invoice) : undefined;
  if (declined && behavior === 'error_if_incomplete') throw declined;
  if (isCharged && (isLater || declined)) subscription.status = 'incomplete';
  announce(account, 'customer.subscription.created', subscription);
  announce(account, 'invoice.created', invoice);
  finalize(account, invoice);
  if (declined) failed(account, invoice);
  else if (!isCharged || !isLater) settleFirst(account, subscription, invoice);
  return subscription;
}

/** Before anybody hears of the subscription. @returns Why the card does not pay. @throws Refusal where there is none. */
function chargeFirst(
  account: Account,
  subscription: Subscription,
  customer: Customer,
  invoice: Invoice,
): Refusal | undefined {
  const method = payingMethod(account, customer, subscription);
  if (!method) {
    throw invalid('This customer has no attached payment source or default payment method.', {
      code: 'resource_missing',
    });
  }
  try {
    attempt(account, account.paymentIntents.get(intentIdOf(account, invoice)), method);
    return undefined;
  } catch (refusal) {
    if (refusal instanceof Refusal) return refusal;
    throw refusal;
  }
}

/** It is paid already, or there is nothing to pay; what is sent as a bill stays open. */
function settleFirst(account: Account, subscription: Subscription, invoice: Invoice): void {
  if (subscription.collection_method === 'charge_automatically' || invoice.amount_due === 0) tryToPay(account, invoice);
}

function firstInvoice(
  account: Account,
  subscription: Subscription,
  customer: Customer,
  isFree: boolean,
  span: Span,
): Invoice {
  const items = itemsOf(account, subscription);
  const based = isFree
    ? []
    : items.filter((item) => !isMetered(item)).flatMap((item) => baseLines(account, subscription, item, span));
  const nothing = { start: span.start, end: span.start }; // no usage is in it
  const metered = items
    .filter(isMetered)
    .flatMap((item) => usageLines(account, subscription, item, nothing).slice(0, 1));
  const lines = [...based, ...metered.map((line) => Object.assign(line, { amount: 0, subtotal: 0 }))];
  const { currency } = subscription;
  return newInvoice(account, { customer, subscription, reason: 'subscription_create', span: nothing, currency, lines });
}

/** As if it had never been. */
function forget(account: Account, subscription: Subscription): void {
  for (const { id } of itemsOf(account, subscription)) account.items.remove(id);
  account.subscriptions.remove(subscription.id);
  if (subscription.latest_invoice) account.invoices.remove(subscription.latest_invoice);
}

type Begun = { readonly now: Seconds; readonly anchor: Seconds; readonly currency: string };

function newSubscription(
  account: Account,
  id: string,
  params: SubscribeParams,
  { now, anchor, currency }: Begun,
): Subscription {
  const { customer, trialEnd } = params;
  return {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: anchor,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: params.cancelAt ?? null,
    cancel_at_period_end: params.cancelAtPeriodEnd ?? false,
    canceled_at: params.cancelAtPeriodEnd ? now : null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: params.collection ?? 'charge_automatically',
    created: now,
    currency,
    customer: customer.id,
    customer_account: null,
    days_until_due: params.daysUntilDue ?? null,
    default_payment_method: params.method ?? null,
    default_source: null,
    default_tax_rates: [],
    description: params.description ?? null,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: {
      object: 'list',
      get data() {
        return itemsOf(account, { id });
      },
      has_more: false,
      url: `/v1/subscription_items?subscription=${id}`,
    },
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: mergeMetadata(null, params.metadata),
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: 'off' },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: now,
    status: trialEnd === undefined ? 'active' : 'trialing',
    test_clock: customer.test_clock ?? null,
    transfer_data: null,
    trial_end: trialEnd ?? null,
    trial_settings: { end_behavior: { billing_cycle_anchor: null, missing_payment_method: 'create_invoice' } },
    trial_start: trialEnd === undefined ? null : now,
  };
}
