/** subscription-items — what a subscription is of: prices, each with a quantity or with the usage of a meter. */
import type { Account, Price, Subscription, SubscriptionItem } from './account.ts';
import { decimalOf, exact } from './decimal.ts';
import type { Span } from './invoice-lines.ts';
import { invalid } from './refusal.ts';
import { mergeMetadata } from './wire.ts';

export type ItemParams = {
  readonly id?: string;
  readonly price?: string;
  readonly quantity?: number;
  readonly deleted?: boolean;
  readonly metadata?: Parameters<typeof mergeMetadata>[1];
  /** Usage belongs to the customer and the meter, and not to the item: there is nothing to clear. */
  readonly clear_usage?: boolean;
};

/** @throws Refusal for a price that cannot be subscribed to, or a quantity of what is metered. */
export function newItem(account: Account, subscription: string, params: ItemParams, span: Span): SubscriptionItem {
  const price = subscribable(account, params.price);
  const item: SubscriptionItem = {
    id: account.newId('si'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: span.start,
    current_period_end: span.end,
    current_period_start: span.start,
    current_trial: null,
    discounts: [],
    metadata: mergeMetadata(null, params.metadata),
    plan: planOf(price),
    price,
    subscription,
    tax_rates: [],
  };
  setQuantity(item, params.quantity);
  return account.items.add(item);
}

export function changeItem(account: Account, item: SubscriptionItem, params: ItemParams): void {
  if (params.price !== undefined && params.price !== item.price.id) {
    item.price = subscribable(account, params.price);
    item.plan = planOf(item.price);
    setQuantity(item, params.quantity);
  } else if (params.quantity !== undefined) setQuantity(item, params.quantity);
  item.metadata = mergeMetadata(item.metadata, params.metadata);
}

/** All items are billed together. @throws Refusal where their intervals or currencies differ, or a price is there twice. */
export function checkTogether(items: readonly SubscriptionItem[]): void {
  const [first] = items;
  if (!first) throw invalid('A subscription must have at least one item.', { param: 'items' });
  const of = ({ price: { recurring, currency } }: SubscriptionItem) =>
    `${recurring?.interval} ${recurring?.interval_count} ${currency}`;
  if (items.some((item) => of(item) !== of(first))) {
    throw invalid('All prices on a subscription must have the same interval and currency.', { param: 'items' });
  }
  if (new Set(items.map(({ price }) => price.id)).size < items.length) {
    throw invalid('You cannot have multiple items with the same price.', { param: 'items' });
  }
}

export const itemsOf = (account: Account, { id }: Pick<Subscription, 'id'>): SubscriptionItem[] =>
  account.items.all(({ subscription }) => subscription === id);

function subscribable(account: Account, id: string | undefined): Price {
  const price = account.prices.get(`${id}`, 'items[0][price]');
  if (!price.active)
    throw invalid('The price specified is inactive. This field only accepts active prices.', {
      param: 'items[0][price]',
    });
  if (!price.recurring)
    throw invalid(
      'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
    );
  return price;
}

function setQuantity(item: SubscriptionItem, quantity: number | undefined): void {
  if (item.price.recurring?.usage_type !== 'metered') item.quantity = quantity ?? 1;
  else if (quantity !== undefined)
    throw invalid('Quantity should not be specified where usage_type is `metered`.', { param: 'items[0][quantity]' });
  else delete item.quantity;
}

/** The price as version 1 of the API has always told it. */
function planOf(price: Price): SubscriptionItem['plan'] {
  const { id, active, billing_scheme, created, currency, metadata, nickname, product, tiers_mode, unit_amount } = price;
  const amount = price.unit_amount_decimal;
  const {
    interval = 'month',
    interval_count = 1,
    meter = null,
    trial_period_days = null,
    usage_type = 'licensed',
  } = price.recurring ?? {};
  const plan = {
    id,
    object: 'plan',
    active,
    billing_scheme,
    created,
    currency,
    metadata,
    nickname,
    product,
    tiers_mode,
  } as const;
  const amounts = { amount: unit_amount, amount_decimal: amount === null ? null : decimalOf(exact(amount)) };
  return {
    ...plan,
    ...amounts,
    interval,
    interval_count,
    livemode: false,
    meter,
    transform_usage: price.transform_quantity,
    trial_period_days,
    usage_type,
  };
}
