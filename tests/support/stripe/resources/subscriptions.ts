/** subscriptions — begun, changed, paused and ended by request; what time does to them is in `due.ts`. */
import type Stripe from 'stripe';
import { type Account, customerOf, type Subscription } from '../account.ts';
import { announce, change } from '../announce.ts';
import { changeItems } from '../changing.ts';
import { page } from '../page.ts';
import { ownMethod } from '../payment-methods.ts';
import { invalid } from '../refusal.ts';
import { end, spanOf } from '../renewing.ts';
import { type Call, route } from '../route.ts';
import { search } from '../search.ts';
import { subscribe } from '../subscribing.ts';
import { itemsOf } from '../subscription-items.ts';
import { DAY, mergeMetadata, type Seconds } from '../wire.ts';

export const subscriptionRoutes = [
  route<Stripe.SubscriptionCreateParams>('POST /v1/subscriptions', create),
  route('GET /v1/subscriptions/{}', ({ account, id }) => account.subscriptions.get(id)),
  route<Stripe.SubscriptionUpdateParams>('POST /v1/subscriptions/{}', update),
  route<Stripe.SubscriptionCancelParams>('DELETE /v1/subscriptions/{}', cancel),
  route<Stripe.SubscriptionListParams>('GET /v1/subscriptions', list),
  route<Stripe.SubscriptionSearchParams>('GET /v1/subscriptions/search', ({ account, params, url }) =>
    search(account.subscriptions.all(), params, url),
  ),
  route<Stripe.SubscriptionPauseParams>('POST /v1/subscriptions/{}/pause', pause),
  route<Stripe.SubscriptionResumeParams>('POST /v1/subscriptions/{}/resume', resume),
];

function create({ account, params }: Call<Stripe.SubscriptionCreateParams>): Subscription {
  const { items = [], cancel_at, collection_method, days_until_due, default_payment_method: method } = params;
  const customer = customerOf(account, `${params.customer}`, 'customer');
  if (collection_method === 'send_invoice' && days_until_due === undefined)
    throw invalid('days_until_due is needed to send invoices.');
  if (typeof cancel_at === 'string') throw invalid('the fake takes an instant for cancel_at');
  return subscribe(account, {
    customer,
    items,
    anchor: params.billing_cycle_anchor,
    cancelAt: cancel_at,
    cancelAtPeriodEnd: params.cancel_at_period_end,
    collection: collection_method,
    daysUntilDue: days_until_due,
    description: params.description,
    metadata: params.metadata,
    method: method === undefined ? undefined : ownMethod(account, method, customer).id,
    behavior: params.payment_behavior,
    trialEnd: trialEndOf(account.now(customer.id), params),
    isFreeUntilAnchor: params.proration_behavior === 'none',
  });
}

function trialEndOf(
  now: Seconds,
  { trial_end, trial_period_days }: Call<Stripe.SubscriptionCreateParams>['params'],
): Seconds | undefined {
  if (trial_end === 'now') return undefined;
  return trial_end ?? (trial_period_days === undefined ? undefined : now + trial_period_days * DAY);
}

/** @throws Refusal where it is over: nothing can be changed then but its metadata. */
function living(account: Account, id: string): Subscription {
  const subscription = account.subscriptions.get(id);
  if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') {
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.');
  }
  return subscription;
}

function update({ account, params, id }: Call<Stripe.SubscriptionUpdateParams>): Subscription {
  const subscription = living(account, id);
  const now = account.now(subscription.customer);
  const {
    items,
    proration_behavior: behavior,
    proration_date,
    billing_cycle_anchor,
    trial_end,
    payment_behavior,
  } = params;
  if (payment_behavior === 'pending_if_incomplete') throw invalid('the fake knows no pending updates');
  const before = JSON.stringify(itemsOf(account, subscription));
  if (items || billing_cycle_anchor?.type === 'now') {
    changeItems(account, subscription, {
      items: items ?? [],
      behavior,
      at: proration_date ?? now,
      isFromNow: billing_cycle_anchor?.type === 'now',
    });
  }
  if (trial_end === 'now' && subscription.status === 'trialing') endTrial(account, subscription, now);
  const changes = { ...cancelling(account, subscription, params), ...described(account, subscription, params) };
  const previous = JSON.parse(before) as object[];
  if (JSON.stringify(itemsOf(account, subscription)) === before)
    return change(account, 'customer.subscription.updated', subscription, changes);
  return changeAll(account, subscription, changes, previous);
}

/** Tells of other items too, in the one event of the update. */
function changeAll(account: Account, subscription: Subscription, changes: object, items: object[]): Subscription {
  const row = subscription as { [field: string]: unknown };
  const changed = Object.entries(changes).filter(([, value]) => value !== undefined);
  const previous = Object.fromEntries(changed.map(([field]) => [field, row[field]]));
  Object.assign(subscription, Object.fromEntries(changed));
  announce(account, 'customer.subscription.updated', subscription, { ...previous, items: { data: items } });
  return subscription;
}

function cancelling(
  account: Account,
  subscription: Subscription,
  params: Call<Stripe.SubscriptionUpdateParams>['params'],
) {
  const { cancel_at_period_end, cancel_at, cancellation_details: details } = params;
  const now = account.now(subscription.customer);
  const { cancellation_details } = subscription;
  const told =
    details && cancellation_details
      ? { cancellation_details: { ...cancellation_details, comment: details.comment || null } }
      : {};
  if (cancel_at_period_end === true) {
    const periodEnd = spanOf(itemsOf(account, subscription)).end;
    return { ...told, cancel_at_period_end, cancel_at: periodEnd, canceled_at: now };
  }
  if (cancel_at_period_end === false || cancel_at === '' || cancel_at === null) {
    return { ...told, cancel_at_period_end: false, cancel_at: null, canceled_at: null };
  }
  if (cancel_at === undefined) return told;
  if (typeof cancel_at === 'string') {
    if (cancel_at === 'max_billed_until') throw invalid('the fake does not know max_billed_until');
    return { ...told, cancel_at: spanOf(itemsOf(account, subscription)).end, canceled_at: now };
  }
  return { ...told, cancel_at, canceled_at: now };
}

function described(
  account: Account,
  subscription: Subscription,
  params: Call<Stripe.SubscriptionUpdateParams>['params'],
) {
  const {
    metadata,
    description,
    default_payment_method: method,
    pause_collection,
    collection_method,
    days_until_due,
  } = params;
  const customer = customerOf(account, subscription.customer);
  return {
    metadata: mergeMetadata(subscription.metadata, metadata),
    description: description === '' ? null : description,
    default_payment_method: method === undefined ? undefined : ownMethod(account, method, customer).id,
    pause_collection:
      pause_collection === undefined
        ? undefined
        : pause_collection === '' || pause_collection === null
          ? null
          : { behavior: pause_collection.behavior, resumes_at: pause_collection.resumes_at ?? null },
    collection_method,
    days_until_due,
  };
}

/** The first paid period begins now. */
function endTrial(account: Account, subscription: Subscription, now: Seconds): void {
  subscription.status = 'active';
  subscription.trial_end = now;
  changeItems(account, subscription, { items: [], behavior: 'none', at: now, isFromNow: true });
}

function cancel({ account, params, id }: Call<Stripe.SubscriptionCancelParams>): Subscription {
  const subscription = account.subscriptions.get(id);
  if (subscription.status === 'canceled') throw invalid(`No such subscription: '${id}'`, { code: 'resource_missing' });
  const { invoice_now = false, prorate = false, cancellation_details } = params;
  if (prorate) throw invalid('the fake does not prorate what is cancelled');
  if (cancellation_details && subscription.cancellation_details) {
    subscription.cancellation_details.comment = cancellation_details.comment || null;
  }
  end(account, subscription, { isBilled: invoice_now });
  return subscription;
}

/** By default without the cancelled; those of a test clock only by the clock or their customer. */
function list({ account, params, url }: Call<Stripe.SubscriptionListParams>): unknown {
  const { customer, status, price, test_clock, collection_method } = params;
  const fits = (each: Subscription) =>
    (customer === undefined || each.customer === customer) &&
    (status === undefined ? each.status !== 'canceled' : isOfStatus(each, status)) &&
    (price === undefined || itemsOf(account, each).some((item) => item.price.id === price)) &&
    (test_clock === undefined ? customer !== undefined || each.test_clock === null : each.test_clock === test_clock) &&
    (collection_method === undefined || each.collection_method === collection_method);
  return page(account.subscriptions.all(fits), params, url);
}

function isOfStatus(subscription: Subscription, status: string): boolean {
  if (status === 'all') return true;
  if (status === 'ended') return ['canceled', 'incomplete_expired'].includes(subscription.status);
  return subscription.status === status;
}

function pause({ account, params, id }: Call<Stripe.SubscriptionPauseParams>): Subscription {
  const subscription = living(account, id);
  if (params.type !== undefined && params.type !== 'subscription')
    throw invalid('Only subscriptions can be paused.', { param: 'type' });
  if (subscription.status === 'paused') throw invalid('The subscription is paused already.');
  const transitioned_at = account.now(subscription.customer);
  const paused = { subscription: { type: 'pause_requested' as const }, transitioned_at, type: 'subscription' as const };
  Object.assign(subscription, { status: 'paused', status_details: { paused } });
  announce(account, 'customer.subscription.paused', subscription);
  return subscription;
}

/** A new period begins. */
function resume({ account, params, id }: Call<Stripe.SubscriptionResumeParams>): Subscription {
  const subscription = living(account, id);
  if (subscription.status !== 'paused') throw invalid('Only a paused subscription can be resumed.');
  if (params.billing_cycle_anchor?.type === 'unchanged') throw invalid('the fake resumes with a new period');
  subscription.status = 'active';
  delete subscription.status_details;
  const behavior = params.proration_behavior ?? 'none';
  changeItems(account, subscription, { items: [], behavior, at: account.now(subscription.customer), isFromNow: true });
  announce(account, 'customer.subscription.resumed', subscription);
  return subscription;
}
