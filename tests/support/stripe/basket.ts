/** basket — what a checkout session sells. */
import type { CheckoutSession, Price } from './account.ts';
import { chargesOf } from './charges-of.ts';

/** And what is to become of it; no part of what Stripe tells of the session. */
export type Basket = {
  readonly lines: readonly { readonly price: Price; readonly quantity: number }[];
  readonly metadata: { [key: string]: string };
  readonly description: string | undefined;
  readonly trialEnd: number | undefined;
  readonly isCardKept: boolean;
};

const baskets = new WeakMap<CheckoutSession, Basket>();

export const setBasket = (session: CheckoutSession, basket: Basket): void => void baskets.set(session, basket);

export function basketOf(session: CheckoutSession): Basket {
  const basket = baskets.get(session);
  if (!basket) throw new Error(`no basket of ${session.id}`);
  return basket;
}

/** What is metered costs nothing in advance. */
export const priceOf = (price: Price, quantity: number): number =>
  price.recurring?.usage_type === 'metered'
    ? 0
    : chargesOf(price, BigInt(quantity)).reduce((sum, { amount }) => sum + amount, 0);

export const lineItemsOf = (session: CheckoutSession) =>
  basketOf(session).lines.map(({ price, quantity }, index) => ({
    id: `li_${session.id}_${index}`,
    object: 'item' as const,
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: priceOf(price, quantity),
    amount_tax: 0,
    amount_total: priceOf(price, quantity),
    currency: price.currency,
    description: price.nickname,
    metadata: {},
    price,
    quantity,
  }));
