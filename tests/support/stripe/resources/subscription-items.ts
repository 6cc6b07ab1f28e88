/** subscription-items — the items of a subscription, one by one. */
import type Stripe from 'stripe';
import type { Account, SubscriptionItem } from '../account.ts';
import { announce } from '../announce.ts';
import { changeItems } from '../changing.ts';
import { page } from '../page.ts';
import { type Call, route } from '../route.ts';
import { type ItemParams, itemsOf } from '../subscription-items.ts';

export const subscriptionItemRoutes = [
  route<Stripe.SubscriptionItemCreateParams>('POST /v1/subscription_items', create),
  route('GET /v1/subscription_items/{}', ({ account, id }) => account.items.get(id)),
  route<Stripe.SubscriptionItemUpdateParams>('POST /v1/subscription_items/{}', update),
  route<Stripe.SubscriptionItemDeleteParams>('DELETE /v1/subscription_items/{}', remove),
  route<Stripe.SubscriptionItemListParams>('GET /v1/subscription_items', ({ account, params, url }) => {
    const { subscription } = params;
    return page(itemsOf(account, account.subscriptions.get(subscription, 'subscription')), params, url);
  }),
];

type Behavior = { readonly proration_behavior?: string; readonly proration_date?: number };

function changeOne(
  account: Account,
  subscriptionId: string,
  item: ItemParams,
  { proration_behavior, proration_date }: Behavior,
): void {
  const subscription = account.subscriptions.get(subscriptionId, 'subscription');
  const before = JSON.parse(JSON.stringify(itemsOf(account, subscription)));
  const at = proration_date ?? account.now(subscription.customer);
  changeItems(account, subscription, { items: [item], behavior: proration_behavior, at, isFromNow: false });
  announce(account, 'customer.subscription.updated', subscription, { items: { data: before } });
}

function create({ account, params }: Call<Stripe.SubscriptionItemCreateParams>): SubscriptionItem | undefined {
  const { subscription, price, quantity, metadata, proration_behavior, proration_date } = params;
  const item = defined({ price, quantity, metadata });
  changeOne(account, subscription, item, defined({ proration_behavior, proration_date }));
  return itemsOf(account, { id: subscription }).at(-1);
}

function update({ account, params, id }: Call<Stripe.SubscriptionItemUpdateParams>): SubscriptionItem {
  const { price, quantity, metadata, proration_behavior, proration_date } = params;
  const { subscription } = account.items.get(id);
  changeOne(
    account,
    subscription,
    defined({ id, price, quantity, metadata }),
    defined({ proration_behavior, proration_date }),
  );
  return account.items.get(id);
}

function remove({ account, params, id }: Call<Stripe.SubscriptionItemDeleteParams>): unknown {
  const { proration_behavior, proration_date } = params;
  const { subscription } = account.items.get(id);
  changeOne(account, subscription, { id, deleted: true }, defined({ proration_behavior, proration_date }));
  return { id, object: 'subscription_item', deleted: true };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without what is undefined. */
const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
