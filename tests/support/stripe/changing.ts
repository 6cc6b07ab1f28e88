/** changing — a subscription gets other items in the middle of its period. */
import type { Account, InvoiceLine, Subscription, SubscriptionItem } from './account.ts';
import { announce, change } from './announce.ts';
import { periodAt } from './calendar.ts';
import { baseLines, isMetered, type Span } from './invoice-lines.ts';
import { finalize, tryToPay } from './invoicing.ts';
import { newInvoice, withLines } from './new-invoice.ts';
import { type ItemState, type Proration, pending, prorations, takePending } from './prorating.ts';
import { invalid } from './refusal.ts';
import { spanOf } from './renewing.ts';
import { changeItem, checkTogether, type ItemParams, itemsOf, newItem } from './subscription-items.ts';
import type { Seconds } from './wire.ts';

export type ProrationBehavior = 'always_invoice' | 'create_prorations' | 'none' | (string & Record<never, never>);

export type Changing = {
  readonly items: readonly ItemParams[];
  readonly behavior: ProrationBehavior | undefined;
  readonly at: Seconds;
  /** The period begins anew. */
  readonly isFromNow: boolean;
};

/** @throws Refusal where the items are not possible; then nothing is changed. */
export function changeItems(
  account: Account,
  subscription: Subscription,
  { items: changes, behavior = 'create_prorations', at, isFromNow }: Changing,
): void {
  const before = itemsOf(account, subscription).map((item) => ({ ...item }));
  const span = spanOf(before);
  try {
    for (const params of changes) applyTo(account, subscription, params, span);
    checkTogether(itemsOf(account, subscription));
  } catch (refusal) {
    restore(account, subscription, before);
    throw refusal;
  }
  const after = itemsOf(account, subscription);
  const isOtherInterval = intervalOf(after) !== intervalOf(before);
  if (isOtherInterval || isFromNow) {
    beginAnew(account, subscription, before, at, behavior);
    return;
  }
  const changed = behavior === 'none' ? [] : prorations(before, after, span, at);
  for (const proration of changed) pending(account, subscription, proration);
  if (behavior === 'always_invoice' && changed.length > 0)
    invoiceNow(account, subscription, { start: at, end: at }, []);
}

function applyTo(account: Account, subscription: Subscription, params: ItemParams, span: Span): void {
  if (params.id === undefined) return void newItem(account, subscription.id, params, span);
  const item = account.items.get(params.id, 'items[0][id]');
  if (item.subscription !== subscription.id)
    throw invalid('The item is of another subscription.', { param: 'items[0][id]' });
  if (params.deleted) account.items.remove(item.id);
  else changeItem(account, item, params);
}

function restore(account: Account, subscription: Subscription, before: readonly SubscriptionItem[]): void {
  for (const { id } of itemsOf(account, subscription)) account.items.remove(id);
  for (const item of before) account.items.add(item);
}

const intervalOf = ([item]: readonly SubscriptionItem[]): string =>
  `${item?.price.recurring?.interval} ${item?.price.recurring?.interval_count}`;

/** The rest of the old period is given back, the new one begins and is billed at once. */
function beginAnew(
  account: Account,
  subscription: Subscription,
  before: readonly ItemState[],
  at: Seconds,
  behavior: ProrationBehavior,
): void {
  const items = itemsOf(account, subscription);
  const ended = spanOf(items);
  const given: Proration[] = behavior === 'none' ? [] : prorations(before, [], ended, at);
  for (const proration of given) pending(account, subscription, proration);
  const interval = items[0]?.price.recurring ?? { interval: 'month', interval_count: 1 };
  const next = periodAt(at, interval, at);
  for (const item of items) Object.assign(item, { current_period_start: next.start, current_period_end: next.end });
  change(account, 'customer.subscription.updated', subscription, { billing_cycle_anchor: at });
  const base = items.filter((item) => !isMetered(item)).flatMap((item) => baseLines(account, subscription, item, next));
  invoiceNow(account, subscription, { start: at, end: at }, base);
}

/** With all that is pending, finalized and collected at once. */
function invoiceNow(account: Account, subscription: Subscription, span: Span, lines: readonly InvoiceLine[]): void {
  const customer = account.customers.get(subscription.customer);
  const { currency } = subscription;
  const invoice = newInvoice(account, {
    customer,
    subscription,
    reason: 'subscription_update',
    span,
    currency,
    lines: [],
  });
  withLines(invoice, [...lines, ...takePending(account, subscription, invoice.id)]);
  account.invoices.add(invoice);
  subscription.latest_invoice = invoice.id;
  announce(account, 'invoice.created', invoice);
  finalize(account, invoice);
  if (invoice.collection_method === 'charge_automatically') tryToPay(account, invoice);
}
