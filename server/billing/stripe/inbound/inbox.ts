/**
 * inbox — notices, each handled once.
 *
 * A notice is written down first, and marked when everything that it brings about is committed. One that fails in
 * between is sent again by Stripe, or found by the sweep, and done again: each effect is the same twice as once.
 */
import type Stripe from 'stripe';
import { markStripeEventHandled, noteStripeEvent } from '../../../db/queries/stripe-events.ts';
import { isRunning } from '../../../domain/subscription.ts';
import { accountPaidBy } from '../accounts.ts';
import { onAccount } from '../client.ts';
import type { StripeDeps } from '../deps.ts';
import { orNull } from '../failures.ts';
import { closeAll } from '../money/open-checkouts.ts';
import { followPayment } from '../money/payment.ts';
import { followAccount, followCustomer } from './follow.ts';
import { type Subject, subjectOf } from './subject.ts';

type Handled = 'handled' | 'handled before' | 'nothing to do';

export type InboxDeps = StripeDeps & {
  /** Told of notices that only say what they are about, like that a usage report was wrong. */
  readonly onThinNotice: (notice: Stripe.V2.Core.EventNotification) => Promise<void>;
};

/** @param connected The connected account that it is of; null for the platform's own. */
export async function handleEvent(deps: InboxDeps, event: Stripe.Event, connected: string | null): Promise<Handled> {
  const subject = subjectOf(event);
  if (subject === null) return 'nothing to do';
  return once(deps, event, () => bringAbout(deps, subject, connected));
}

export const handleThinNotice = (deps: InboxDeps, notice: Stripe.V2.Core.EventNotification): Promise<Handled> =>
  once(deps, notice, () => deps.onThinNotice(notice));

async function once(
  { database, clock }: StripeDeps,
  { id, type }: { readonly id: string; readonly type: string },
  work: () => Promise<unknown>,
): Promise<Handled> {
  if (await noteStripeEvent(database.db, { id, type }, clock.now())) return 'handled before';
  await work();
  await markStripeEventHandled(database.db, id, clock.now());
  return 'handled';
}

async function bringAbout(deps: StripeDeps, subject: Subject, connected: string | null): Promise<void> {
  switch (subject.kind) {
    case 'customer':
      await followCustomer(deps, subject.id, connected);
      return;
    case 'payment':
      await followPayment(deps, subject.id, connected);
      return;
    case 'checkout':
      await followCheckout(deps, subject.id, connected);
      return;
  }
}

/** What was bought is on the subscription, or on the payment; one that is not paid yet is told of again when it is. */
async function followCheckout(deps: StripeDeps, checkoutId: string, connected: string | null): Promise<void> {
  const asked = deps.stripe.checkout.sessions.retrieve(checkoutId, {}, onAccount(connected));
  const session = await orNull(asked);
  if (session === null) return;
  const { customer, payment_intent, mode } = session;
  if (mode === 'payment') {
    if (payment_intent !== null) await followPayment(deps, idOf(payment_intent), connected);
    return;
  }
  const account = customer === null ? null : await accountPaidBy(deps, idOf(customer), connected);
  if (account === null) return;
  const { subscription, stripeCustomerId } = await followAccount(deps, account);
  if (subscription && isRunning(subscription)) await closeAll(deps.stripe, stripeCustomerId, onAccount(connected));
}

const idOf = (named: string | { readonly id: string }): string => (typeof named === 'string' ? named : named.id);
