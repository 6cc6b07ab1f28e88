/**
 * prorating — when the base price of a running period changes, the rest of the old is given back and the rest of the new
 * is charged, by the second. What is metered is not prorated.
 */
import type { Account, InvoiceItem, InvoiceLine, Price, Subscription, SubscriptionItem } from './account.ts';
import { announce } from './announce.ts';
import { chargesOf } from './charges-of.ts';
import { bareLine, type Span } from './invoice-lines.ts';
import type { Seconds } from './wire.ts';

/** What an item was, or is to be. */
export type ItemState = Pick<SubscriptionItem, 'id' | 'price' | 'quantity'>;

export type Proration = {
  readonly price: Price;
  readonly quantity: bigint;
  readonly amount: number;
  readonly span: Span;
  readonly description: string;
};

export function prorations(
  before: readonly ItemState[],
  after: readonly ItemState[],
  span: Span,
  at: Seconds,
): Proration[] {
  const rest: Span = { start: at, end: span.end };
  const of = (states: readonly ItemState[], others: readonly ItemState[], sign: 1 | -1) =>
    states
      .filter(({ price }) => price.recurring?.usage_type !== 'metered')
      .filter((state) => !others.some((other) => isSame(state, other)))
      .map((state) => prorated(state, span, rest, sign));
  return [...of(before, after, -1), ...of(after, before, 1)].filter(({ amount }) => amount !== 0);
}

const isSame = (a: ItemState, b: ItemState): boolean =>
  a.id === b.id && a.price.id === b.price.id && a.quantity === b.quantity;

function prorated({ price, quantity = 1 }: ItemState, span: Span, rest: Span, sign: 1 | -1): Proration {
  const whole = chargesOf(price, BigInt(quantity)).reduce((sum, { amount }) => sum + amount, 0);
  const amount = sign * share(whole, rest.end - rest.start, span.end - span.start);
  const description = `${sign < 0 ? 'Unused' : 'Remaining'} time on ${quantity} × ${price.nickname ?? price.id}`;
  return { price, quantity: BigInt(quantity), amount, span: rest, description };
}

/** In whole minor units, halves up. */
const share = (whole: number, part: Seconds, all: Seconds): number =>
  all === 0 ? 0 : Number((2n * BigInt(whole) * BigInt(part) + BigInt(all)) / (2n * BigInt(all)));

/** To be billed with the next invoice. */
export function pending(account: Account, subscription: Subscription, proration: Proration): InvoiceItem {
  const { price, quantity, amount, span, description } = proration;
  const item: InvoiceItem = {
    id: account.newId('ii'),
    object: 'invoiceitem',
    amount,
    currency: price.currency,
    customer: subscription.customer,
    customer_account: null,
    date: account.now(subscription.customer),
    description,
    discountable: false,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    parent: {
      subscription_details: { subscription: subscription.id },
      type: 'subscription_details',
    },
    period: { ...span },
    pricing: {
      price_details: { price: price.id, product: price.product },
      type: 'price_details',
      unit_amount_decimal: null,
    },
    proration: true,
    quantity: Number(quantity),
    quantity_decimal: `${quantity}`,
    tax_rates: [],
    test_clock: subscription.test_clock,
  };
  announce(account, 'invoiceitem.created', account.invoiceItems.add(item));
  return item;
}

/** @param invoiceItem Of which it is the line; in a preview there is none. */
export const prorationLine = (
  account: Account,
  subscription: Subscription,
  proration: Proration,
  invoiceItem: string,
): InvoiceLine => ({
  ...bareLine(
    account,
    proration.price,
    { quantity: proration.quantity, amount: proration.amount, unitAmount: null, tier: undefined },
    proration.span,
    proration.description,
  ),
  discountable: false,
  parent: {
    invoice_item_details: {
      invoice_item: invoiceItem,
      proration: true,
      proration_details: null,
      subscription: subscription.id,
    },
    subscription_item_details: null,
    type: 'invoice_item_details',
  },
  subscription: subscription.id,
});

/** Of what is pending for a subscription, or for a customer without one; it belongs to the invoice from then on. */
export function takePending(account: Account, subscription: Subscription, invoice: string): InvoiceLine[] {
  return pendingOf(account, subscription).map((item) => {
    item.invoice = invoice;
    return lineOf(account, subscription, item);
  });
}

export const pendingOf = (account: Account, { customer, id }: Subscription): InvoiceItem[] =>
  account.invoiceItems.all((item) => {
    const of = item.parent?.subscription_details?.subscription;
    return item.invoice === null && item.customer === customer && (of === undefined || of === id);
  });

export function lineOf(account: Account, subscription: Subscription | undefined, item: InvoiceItem): InvoiceLine {
  const { amount, currency, description, period, quantity, quantity_decimal, proration, metadata } = item;
  return {
    id: account.newId('il'),
    object: 'line_item',
    amount,
    currency,
    description,
    discount_amounts: [],
    discountable: item.discountable,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: { ...metadata },
    parent: {
      invoice_item_details: {
        invoice_item: item.id,
        proration,
        proration_details: null,
        subscription: subscription?.id ?? null,
      },
      subscription_item_details: null,
      type: 'invoice_item_details',
    },
    period,
    pretax_credit_amounts: [],
    pricing: item.pricing as InvoiceLine['pricing'],
    quantity,
    quantity_decimal,
    subscription: subscription?.id ?? null,
    subtotal: amount,
    taxes: [],
  };
}
