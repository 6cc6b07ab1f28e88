/** previewing — the next invoice as it would be now, of a subscription as it is, as it might become, or of a new one. */
import type Stripe from 'stripe';
import { type Account, customerOf, type Invoice, type Subscription, type SubscriptionItem } from './account.ts';
import { periodAt } from './calendar.ts';
import { baseLines, isMetered, usageLines } from './invoice-lines.ts';
import { withLines } from './new-invoice.ts';
import { prorationLine, prorations } from './prorating.ts';
import { invalid } from './refusal.ts';
import { preview, spanOf, upcoming } from './renewing.ts';
import { changeItem, checkTogether, type ItemParams, itemsOf, newItem } from './subscription-items.ts';
import type { Wire } from './wire.ts';

type Params = Wire<Stripe.InvoiceCreatePreviewParams>;

export function previewOf(
  account: Account,
  { customer, subscription: id, subscription_details: details }: Params,
): Invoice {
  const subscription = id === undefined ? undefined : account.subscriptions.get(id, 'subscription');
  if (!subscription) return previewOfNew(account, `${customer}`, details?.items ?? []);
  if (subscription.status === 'canceled')
    throw invalid('You cannot preview the invoice of a canceled subscription.', { code: 'invoice_upcoming_none' });
  const items = itemsOf(account, subscription);
  if (!details?.items) return upcoming(account, subscription, items);
  return previewOfChange(account, subscription, items, details.items, details.proration_behavior !== 'none');
}

function previewOfChange(
  account: Account,
  subscription: Subscription,
  items: readonly SubscriptionItem[],
  changes: readonly ItemParams[],
  isProrated: boolean,
): Invoice {
  const changed = changedItems(account, subscription, items, changes);
  const invoice = upcoming(account, subscription, changed);
  if (!isProrated) return invoice;
  const at = account.now(subscription.customer);
  const lines = prorations(items, changed, spanOf(items), at).map((each) =>
    prorationLine(account, subscription, each, 'ii_preview'),
  );
  return withLines(invoice, [...lines, ...invoice.lines.data]);
}

/** Copies: nothing is changed by looking. */
function changedItems(
  account: Account,
  subscription: Subscription,
  items: readonly SubscriptionItem[],
  changes: readonly ItemParams[],
): SubscriptionItem[] {
  const kept = items.flatMap((item) => {
    const params = changes.find(({ id }) => id === item.id);
    if (params?.deleted) return [];
    const copy = { ...item };
    if (params) changeItem(account, copy, params);
    return [copy];
  });
  const added = changes
    .filter(({ id }) => id === undefined)
    .map((params) => passing(account, subscription.id, params, spanOf(items)));
  const all = [...kept, ...added];
  checkTogether(all);
  return all;
}

function passing(
  account: Account,
  subscription: string,
  params: ItemParams,
  span: { start: number; end: number },
): SubscriptionItem {
  const item = newItem(account, subscription, params, span);
  account.items.remove(item.id);
  return item;
}

/** What its first period would cost, with the usage that the customer has in it. */
function previewOfNew(account: Account, customerId: string, changes: readonly ItemParams[]): Invoice {
  const customer = customerOf(account, customerId, 'customer');
  const now = account.now(customer.id);
  const items = changes.map((params) => passing(account, 'sub_preview', params, { start: now, end: now }));
  checkTogether(items);
  const span = periodAt(now, items[0]?.price.recurring ?? { interval: 'month', interval_count: 1 }, now);
  const subscription = {
    id: 'sub_preview',
    customer: customer.id,
    currency: items[0]?.price.currency ?? 'usd',
    metadata: {},
  } as Subscription;
  const lines = items.flatMap((item) =>
    isMetered(item) ? usageLines(account, subscription, item, span) : baseLines(account, subscription, item, span),
  );
  return preview(account, subscription, span, lines);
}
