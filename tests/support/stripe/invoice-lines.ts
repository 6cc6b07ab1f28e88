/** invoice-lines — what a subscription's invoice says: the base of the period that begins, the usage of the one that ended. */
import type { Account, InvoiceLine, Price, Subscription, SubscriptionItem } from './account.ts';
import { chargesOf, type PricedLine } from './charges-of.ts';
import { decimalOf } from './decimal.ts';
import { usageBetween } from './summaries.ts';
import type { Seconds } from './wire.ts';

export type Span = { readonly start: Seconds; readonly end: Seconds };

export const isMetered = ({ price }: SubscriptionItem): boolean => price.recurring?.usage_type === 'metered';

/** Of an item with a quantity, in advance. */
export const baseLines = (
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  span: Span,
): InvoiceLine[] => linesOf(account, subscription, item, item.price, BigInt(item.quantity ?? 1), span);

/**
 * Of an item whose usage is metered, by what counts now. All usage of the period is billed by the price that the item has
 * now, also where it had another before.
 */
export function usageLines(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  span: Span,
): InvoiceLine[] {
  const meter = account.meters.find(item.price.recurring?.meter);
  const used = meter ? usageBetween(account, meter, subscription.customer, span.start, span.end) : 0n;
  return linesOf(account, subscription, item, item.price, used, span);
}

const linesOf = (
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  price: Price,
  quantity: bigint,
  span: Span,
): InvoiceLine[] =>
  chargesOf(price, quantity).map((priced) => ({
    ...bareLine(account, price, priced, span, describe(account, price, priced)),
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: null,
        subscription: subscription.id,
        subscription_item: item.id,
      },
      type: 'subscription_item_details' as const,
    },
    subscription: subscription.id,
    metadata: { ...subscription.metadata },
  }));

/** Of no parent yet. */
export function bareLine(
  account: Account,
  price: Price,
  priced: PricedLine,
  { start, end }: Span,
  description: string,
): InvoiceLine {
  return {
    id: account.newId('il'),
    object: 'line_item',
    amount: priced.amount,
    currency: price.currency,
    description,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    parent: null,
    period: { start, end },
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: price.id, product: price.product },
      type: 'price_details',
      unit_amount_decimal: priced.unitAmount === null ? null : decimalOf(priced.unitAmount),
    },
    quantity: Number(priced.quantity),
    quantity_decimal: `${priced.quantity}`,
    subscription: null,
    subtotal: priced.amount,
    taxes: [],
  };
}

function describe(account: Account, price: Price, { quantity, tier, unitAmount }: PricedLine): string {
  const name = account.products.find(price.product)?.name ?? price.id;
  const label = account.products.find(price.product)?.unit_label;
  const each = unitAmount === null ? '' : `${quantity} ${label ? `${label} ` : ''}× `;
  const by = tier === undefined ? '' : `Tier ${tier + 1} `;
  const cost = unitAmount === null ? 'flat fee' : `at ${decimalOf(unitAmount / 100n)} ${price.currency.toUpperCase()}`;
  return `${each}${name} (${by}${cost} / ${price.recurring?.interval ?? 'once'})`;
}
