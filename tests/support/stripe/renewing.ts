/** renewing — the end of a period: the next begins, or the subscription ends, and what is due is drafted. */
import type { Account, Invoice, InvoiceLine, Subscription, SubscriptionItem } from './account.ts';
import { announce, change } from './announce.ts';
import { periodAt } from './calendar.ts';
import { baseLines, isMetered, type Span, usageLines } from './invoice-lines.ts';
import { draft, GRACE_SPAN, voidInvoice } from './invoicing.ts';
import { newInvoice, subscriptionIdOf, withLines } from './new-invoice.ts';
import { lineOf, pendingOf, takePending } from './prorating.ts';
import { itemsOf } from './subscription-items.ts';
import type { Seconds } from './wire.ts';

export const spanOf = ([item]: readonly SubscriptionItem[]): Span => ({
  start: item?.current_period_start ?? 0,
  end: item?.current_period_end ?? 0,
});

/** The period after this one. */
export const nextSpan = (subscription: Subscription, items: readonly SubscriptionItem[], end: Seconds): Span =>
  periodAt(
    subscription.billing_cycle_anchor,
    items[0]?.price.recurring ?? { interval: 'month', interval_count: 1 },
    end,
  );

/** Begins the next period, and drafts the invoice of it and of the usage of the last. */
export function renew(account: Account, subscription: Subscription): Invoice {
  const items = itemsOf(account, subscription);
  const ended = spanOf(items);
  const next = nextSpan(subscription, items, ended.end);
  const wasTrial = subscription.status === 'trialing';
  for (const item of items) Object.assign(item, { current_period_start: next.start, current_period_end: next.end });
  const usage = wasTrial
    ? []
    : items.filter(isMetered).flatMap((item) => usageLines(account, subscription, item, ended));
  const base = items.filter((item) => !isMetered(item)).flatMap((item) => baseLines(account, subscription, item, next));
  const invoice = cycleInvoice(account, subscription, ended, [...base, ...usage]);
  const previous = {
    items: {
      data: items.map((item) => ({ ...item, ...{ current_period_start: ended.start, current_period_end: ended.end } })),
    },
  };
  const { latest_invoice, status } = subscription;
  subscription.latest_invoice = invoice.id;
  if (wasTrial) subscription.status = 'active';
  announce(account, 'customer.subscription.updated', subscription, {
    ...previous,
    latest_invoice,
    ...(wasTrial ? { status } : {}),
  });
  return invoice;
}

function cycleInvoice(
  account: Account,
  subscription: Subscription,
  ended: Span,
  lines: readonly InvoiceLine[],
): Invoice {
  const customer = account.customers.get(subscription.customer);
  const { currency, pause_collection: pause } = subscription;
  const invoice = newInvoice(account, {
    customer,
    subscription,
    reason: 'subscription_cycle',
    span: ended,
    currency,
    lines: [],
  });
  withLines(invoice, [...lines, ...takePending(account, subscription, invoice.id)]);
  if (pause?.behavior === 'keep_as_draft') invoice.auto_advance = false;
  return draft(account, invoice);
}

/** Now; of the usage that is not billed yet there is a last invoice, where it is wanted. */
export function end(
  account: Account,
  subscription: Subscription,
  options: { isBilled: boolean; reason?: 'cancellation_requested' | 'payment_failed' },
): void {
  const now = account.now(subscription.customer);
  const items = itemsOf(account, subscription);
  const last = { start: spanOf(items).start, end: Math.min(now, spanOf(items).end) };
  const usage = items.filter(isMetered).flatMap((item) => usageLines(account, subscription, item, last));
  if (options.isBilled && (usage.length > 0 || pendingOf(account, subscription).length > 0)) {
    subscription.latest_invoice = cycleInvoice(account, subscription, last, usage).id;
  }
  for (const invoice of account.invoices.all(
    (each) => subscriptionIdOf(each) === subscription.id && each.status === 'open',
  )) {
    invoice.next_payment_attempt = null;
  }
  const { cancellation_details } = subscription;
  Object.assign(subscription, {
    status: 'canceled',
    canceled_at: subscription.canceled_at ?? now,
    ended_at: now,
    cancellation_details: { ...cancellation_details, reason: options.reason ?? 'cancellation_requested' },
  });
  announce(account, 'customer.subscription.deleted', subscription);
}

/** Never paid at all. */
export function expire(account: Account, subscription: Subscription): void {
  const invoice = account.invoices.find(subscription.latest_invoice);
  if (invoice?.status === 'open') voidInvoice(account, invoice);
  change(account, 'customer.subscription.updated', subscription, {
    status: 'incomplete_expired',
    ended_at: account.now(subscription.customer),
  });
}

/** What the next invoice would say if the period ended with the usage of now. */
export function upcoming(account: Account, subscription: Subscription, items: readonly SubscriptionItem[]): Invoice {
  const ended = spanOf(items);
  const next = nextSpan(subscription, items, ended.end);
  const isLast = subscription.cancel_at !== null && subscription.cancel_at <= ended.end;
  const base = isLast
    ? []
    : items.filter((item) => !isMetered(item)).flatMap((item) => baseLines(account, subscription, item, next));
  const isFree = subscription.status === 'trialing';
  const usage = isFree ? [] : items.filter(isMetered).flatMap((item) => usageLines(account, subscription, item, ended));
  const extra = pendingOf(account, subscription).map((item) => lineOf(account, subscription, item));
  return preview(account, subscription, ended, [...base, ...usage, ...extra]);
}

export function preview(
  account: Account,
  subscription: Subscription,
  span: Span,
  lines: readonly InvoiceLine[],
): Invoice {
  const customer = account.customers.get(subscription.customer);
  const { currency } = subscription;
  const invoice = newInvoice(account, { customer, subscription, reason: 'upcoming', span, currency, lines });
  invoice.id = `upcoming_${invoice.id}`;
  invoice.created = span.end;
  invoice.next_payment_attempt = span.end + GRACE_SPAN;
  return withLines(invoice, lines);
}
