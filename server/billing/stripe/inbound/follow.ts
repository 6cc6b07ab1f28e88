/** follow — asks Stripe how a customer's subscriptions stand, and lets the customer follow. */
import type Stripe from 'stripe';
import { billingAccountOf } from '../../../db/queries/billing-accounts.ts';
import type { BillingAccount } from '../../../domain/billing-account.ts';
import { MeterError } from '../../../domain/errors.ts';
import { type FoundSubscription, governing } from '../../../domain/subscription.ts';
import { accountPaidBy } from '../accounts.ts';
import { onAccount } from '../client.ts';
import type { StripeDeps } from '../deps.ts';
import { foundSubscription } from './found-subscription.ts';

/** Each time somebody else was quicker. Many at once is a storm of notices, which Stripe sends again. */
const ROUNDS_MAX = 8;

/**
 * @param connected The connected account that the customer belongs to; null for the platform's own.
 * @returns false where it is nobody of ours.
 */
export async function followCustomer(
  deps: StripeDeps,
  stripeCustomerId: string,
  connected: string | null,
): Promise<boolean> {
  const account = await accountPaidBy(deps, stripeCustomerId, connected);
  if (account === null) return false;
  await followAccount(deps, account);
  return true;
}

/**
 * The account is read before Stripe is asked, and must be the same when the answer is applied: so what is applied was
 * always asked for after what it replaces.
 */
export async function followAccount(deps: StripeDeps, known: BillingAccount): Promise<BillingAccount> {
  for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
    const account = (await billingAccountOf(deps.database.db, known)) ?? known;
    const found = governing(await subscriptionsOf(deps, account));
    const followed = await deps.effects.followSubscription({ account, found });
    if (followed === null) continue;
    const { before, after } = followed;
    if (before?.status !== after?.status || before?.planKey !== after?.planKey) {
      const { tenantId, customerId } = account;
      deps.onNews('a subscription has changed', { tenantId, customerId, before, after });
    }
    return { ...account, subscription: after };
  }
  throw new MeterError(
    'UNAVAILABLE',
    `The subscription of ${known.customerId} changed in each of ${ROUNDS_MAX} rounds; nothing is lost, send the notice again.`,
  );
}

/** How many of a customer's subscriptions are looked at, the newest first: more than anybody has. */
const SUBSCRIPTIONS_MAX = 100;

async function subscriptionsOf(
  { stripe, accountOf }: StripeDeps,
  { tenantId, stripeCustomerId }: BillingAccount,
): Promise<readonly FoundSubscription[]> {
  const to = onAccount(await accountOf(tenantId));
  const params: Stripe.SubscriptionListParams = {
    customer: stripeCustomerId,
    status: 'all',
    limit: SUBSCRIPTIONS_MAX,
    expand: ['data.latest_invoice'],
  };
  const { data } = await stripe.subscriptions.list(params, to);
  return data.flatMap((subscription) => foundSubscription(subscription, tenantId) ?? []);
}
