/**
 * due — what a clock brings about: the next thing that is due by it, for as long as there is one. A clock is the fake's
 * own, or a test clock, by which only the customers go that were made with it.
 */
import type { Account, Invoice, Subscription, TestClock } from './account.ts';
import { announce, change } from './announce.ts';
import { finalize, isGivenUp, markUncollectible, tryToPay, voidInvoice } from './invoicing.ts';
import { subscriptionIdOf } from './new-invoice.ts';
import { end, expire, renew, spanOf, upcoming } from './renewing.ts';
import { itemsOf } from './subscription-items.ts';
import { DAY, HOUR, type Seconds } from './wire.ts';

export type Due = { readonly at: Seconds; readonly run: () => void };

/** How long before the end of a period it is announced. */
const UPCOMING_SPAN: Seconds = 3 * DAY;
const TRIAL_WILL_END_SPAN: Seconds = 3 * DAY;
/** How long a first payment may take. */
const INCOMPLETE_SPAN: Seconds = 23 * HOUR;

const OVER = new Set<string>(['canceled', 'incomplete_expired']);

/** What was told once of a subscription, by what and when. */
const told = new WeakMap<Subscription, Set<string>>();

/** The first that is due by the clock until then. @param clock Left out, the fake's own. */
export function nextDue(account: Account, clock: TestClock | undefined, until: Seconds): Due | undefined {
  const isOfClock = (row: { test_clock: string | null }) => row.test_clock === (clock?.id ?? null);
  const all = [
    ...account.subscriptions
      .all((each) => isOfClock(each) && !OVER.has(each.status))
      .flatMap((each) => ofSubscription(account, each)),
    ...account.invoices.all(isOfClock).flatMap((each) => ofInvoice(account, each)),
    ...(clock
      ? []
      : account.checkouts
          .all(({ status }) => status === 'open')
          .map((session) => ({
            at: session.expires_at,
            run: () => void change(account, 'checkout.session.expired', session, { status: 'expired', url: null }),
          }))),
  ];
  return all.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
}

function ofSubscription(account: Account, subscription: Subscription): Due[] {
  const { status, cancel_at, created, trial_end, pause_collection: pause } = subscription;
  if (status === 'incomplete') return [{ at: created + INCOMPLETE_SPAN, run: () => expire(account, subscription) }];
  if (status === 'paused') return [];
  const { end: periodEnd } = spanOf(itemsOf(account, subscription));
  const isLast = cancel_at !== null && cancel_at <= periodEnd;
  const ending: Due = isLast
    ? { at: cancel_at, run: () => end(account, subscription, { isBilled: true }) }
    : { at: periodEnd, run: () => void renew(account, subscription) };
  const tellUpcoming = () =>
    announce(account, 'invoice.upcoming', upcoming(account, subscription, itemsOf(account, subscription)));
  const resumes = pause?.resumes_at;
  return [
    ending,
    ...(isLast ? [] : once(subscription, `upcoming ${periodEnd}`, periodEnd - UPCOMING_SPAN, tellUpcoming)),
    ...(status === 'trialing' && trial_end !== null
      ? once(subscription, `trial ${trial_end}`, trial_end - TRIAL_WILL_END_SPAN, () =>
          announce(account, 'customer.subscription.trial_will_end', subscription),
        )
      : []),
    ...(resumes
      ? [
          {
            at: resumes,
            run: () => void change(account, 'customer.subscription.updated', subscription, { pause_collection: null }),
          },
        ]
      : []),
  ];
}

function once(subscription: Subscription, what: string, at: Seconds, run: () => void): Due[] {
  const already = told.get(subscription) ?? new Set();
  told.set(subscription, already);
  if (already.has(what)) return [];
  const runOnce = (): void => {
    already.add(what);
    run();
  };
  return [{ at, run: runOnce }];
}

function ofInvoice(account: Account, invoice: Invoice): Due[] {
  const { status, automatically_finalizes_at: finalizesAt, next_payment_attempt: nextAttempt } = invoice;
  if (status === 'draft' && finalizesAt !== null) return [{ at: finalizesAt, run: () => advance(account, invoice) }];
  if (status === 'open' && nextAttempt !== null) return [{ at: nextAttempt, run: () => retry(account, invoice) }];
  return [];
}

/** Finalizes a draft and collects it, where collection is not paused. */
function advance(account: Account, invoice: Invoice): void {
  const pause = account.subscriptions.find(subscriptionIdOf(invoice))?.pause_collection;
  finalize(account, invoice);
  if (pause?.behavior === 'void') voidInvoice(account, invoice);
  else if (pause?.behavior === 'mark_uncollectible') markUncollectible(account, invoice);
  else if (invoice.collection_method === 'charge_automatically') tryToPay(account, invoice);
}

function retry(account: Account, invoice: Invoice): void {
  tryToPay(account, invoice);
  const subscription = account.subscriptions.find(subscriptionIdOf(invoice));
  if (isGivenUp(invoice) && subscription && !OVER.has(subscription.status)) {
    end(account, subscription, { isBilled: false, reason: 'payment_failed' });
  }
}
