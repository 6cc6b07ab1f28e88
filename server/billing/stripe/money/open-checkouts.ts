/**
 * open-checkouts — of a customer's checkouts for plans one is open at a time, and none beside a subscription: two tabs are
 * not to make two subscriptions. Stripe says which are open, so one that nobody here knows of is closed too.
 */
import Stripe from 'stripe';
import { purchaseKindOf } from './purpose.ts';

/** All but the newest: whoever opens one closes those before it, and several at once agree on which that is. */
export async function closeEarlier(stripe: Stripe, stripeCustomerId: string, to: Stripe.RequestOptions): Promise<void> {
  const [, ...earlier] = await openOnes(stripe, stripeCustomerId, to);
  for (const id of earlier) await expire(stripe, id, to);
}

export async function closeAll(stripe: Stripe, stripeCustomerId: string, to: Stripe.RequestOptions): Promise<void> {
  for (const id of await openOnes(stripe, stripeCustomerId, to)) await expire(stripe, id, to);
}

/** More than anybody opens in the day for which they stay open. */
const SESSIONS_MAX = 100;

/** The newest first. */
async function openOnes(stripe: Stripe, customer: string, to: Stripe.RequestOptions): Promise<readonly string[]> {
  const { data } = await stripe.checkout.sessions.list({ customer, status: 'open', limit: SESSIONS_MAX }, to);
  return data.filter(({ metadata }) => purchaseKindOf(metadata ?? {}) === 'plan').map(({ id }) => id);
}

async function expire(stripe: Stripe, id: string, to: Stripe.RequestOptions): Promise<void> {
  try {
    await stripe.checkout.sessions.expire(id, {}, to);
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error; // it has been paid, or has expired
  }
}
