/** follow — asks Stripe how a customer's subscriptions stand, and lets the customer follow. */
import type Stripe from 'stripe';
import { billingAccountOf } from '../../../db/queries/billing-accounts.ts';
import type { BillingAccount } from '../../../domain/billing-account.ts';
import { MeterError } from '../../../domain/errors.ts';
import type { FoundSubscription, Subscription } from '../../../domain/subscription.ts';
import { accountPaidBy } from '../accounts.ts';
import { onAccount } from '../client.ts';
import type { StripeDeps } from '../deps.ts';
import { orNull } from '../failures.ts';
import { wakeMessages } from '../usage/messages.ts';
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
    const found = await subscriptionsOf(deps, account);
    const followed = await deps.effects.followSubscription({ account, found });
    if (followed === null) continue;
    const { before, after } = followed;
    if (isNews(before, after)) {
      const { tenantId, customerId } = account;
      deps.onNews(after?.isFollowed === false ? NO_PLAN : CHANGED, { tenantId, customerId, before, after });
      await wakeMessages(deps.database.query, customerId, deps.clock.now()); // it may be billed from now on
    }
    return { ...account, subscription: after };
  }
  throw new MeterError(
    'UNAVAILABLE',
    `The subscription of ${known.customerId} changed in each of ${ROUNDS_MAX} rounds; nothing is lost, send the notice again.`,
  );
}

const CHANGED = 'a subscription has changed';
const NO_PLAN = 'a subscription is to a plan that is not there: its customer follows it as soon as the plan is saved';

const isNews = (before: Subscription | null, after: Subscription | null): boolean =>
  before?.status !== after?.status || before?.planKey !== after?.planKey || before?.isFollowed !== after?.isFollowed;

/** How many of a customer's subscriptions are looked at, the newest first: more than anybody has. */
const SUBSCRIPTIONS_MAX = 100;

/** How many invoices are looked at of one that is past due: more than go unpaid in a row before Stripe gives up. */
const INVOICES_MAX = 100;

async function subscriptionsOf(
  deps: StripeDeps,
  { tenantId, stripeCustomerId, subscription: known }: BillingAccount,
): Promise<readonly FoundSubscription[]> {
  const to = onAccount(await deps.accountOf(tenantId));
  const found: FoundSubscription[] = [];
  for (const subscription of await listOf(deps, stripeCustomerId, to)) {
    const { id, status } = subscription;
    const open = { subscription: id, limit: INVOICES_MAX };
    const invoices = status === 'past_due' ? (await deps.stripe.invoices.list(open, to)).data : [];
    const one = foundSubscription(subscription, { tenantId, known, invoices });
    if (one) found.push(one);
  }
  return found;
}

/** Of somebody who is deleted at Stripe there are none: all have ended then. */
async function listOf(
  { stripe }: StripeDeps,
  customer: string,
  to: Stripe.RequestOptions,
): Promise<readonly Stripe.Subscription[]> {
  try {
    return (await stripe.subscriptions.list({ customer, status: 'all', limit: SUBSCRIPTIONS_MAX }, to)).data;
  } catch (error) {
    const payer = await orNull(stripe.customers.retrieve(customer, {}, to));
    if (payer?.deleted) return [];
    throw error;
  }
}
