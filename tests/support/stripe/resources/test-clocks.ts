/**
 * test-clocks — time of one's own for some customers. It only goes forward, at most two of the shortest intervals at a
 * time, and it takes a while: whoever asks sees it `advancing` once, and then `ready`.
 */
import type Stripe from 'stripe';
import type { Account, TestClock } from '../account.ts';
import { announce } from '../announce.ts';
import { boundary } from '../calendar.ts';
import { nextDue } from '../due.ts';
import { page } from '../page.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { itemsOf } from '../subscription-items.ts';
import { DAY, type Seconds } from '../wire.ts';

const STEPS_MAX = 2;
const SPAN_WITHOUT_SUBSCRIPTION_MAX: Seconds = 730 * DAY;
const KEPT_SPAN: Seconds = 30 * DAY;

export const testClockRoutes = [
  route<Stripe.TestHelpers.TestClockCreateParams>('POST /v1/test_helpers/test_clocks', create),
  route('GET /v1/test_helpers/test_clocks/{}', read),
  route<Stripe.TestHelpers.TestClockAdvanceParams>('POST /v1/test_helpers/test_clocks/{}/advance', advance),
  route('DELETE /v1/test_helpers/test_clocks/{}', remove),
  route<Stripe.TestHelpers.TestClockListParams>('GET /v1/test_helpers/test_clocks', ({ account, params, url }) =>
    page(account.testClocks.all(), params, url),
  ),
];

function create({ account, params }: Call<Stripe.TestHelpers.TestClockCreateParams>): TestClock {
  const clock: TestClock = {
    id: account.newId('clock'),
    object: 'test_helpers.test_clock',
    created: account.now(),
    deletes_after: account.now() + KEPT_SPAN,
    frozen_time: params.frozen_time,
    livemode: false,
    name: params.name ?? null,
    status: 'ready',
    status_details: {},
  };
  announce(account, 'test_helpers.test_clock.created', account.testClocks.add(clock));
  return clock;
}

/** As it is; and once it was seen advancing, it arrives. */
function read({ account, id }: Call): TestClock {
  const clock = account.testClocks.get(id);
  const seen = { ...clock };
  arrive(account, clock);
  return seen;
}

function advance({ account, params, id }: Call<Stripe.TestHelpers.TestClockAdvanceParams>): TestClock {
  const clock = account.testClocks.get(id);
  const { frozen_time: target } = params;
  if (clock.status === 'advancing') throw invalid('Test clock advancement underway - cannot perform modifications.');
  if (target <= clock.frozen_time)
    throw invalid('The `frozen_time` must be after the current time.', { param: 'frozen_time' });
  if (target > furthest(account, clock)) {
    throw invalid('Cannot advance the clock by more than two intervals of its shortest subscription.', {
      param: 'frozen_time',
    });
  }
  Object.assign(clock, { status: 'advancing', status_details: { advancing: { target_frozen_time: target } } });
  announce(account, 'test_helpers.test_clock.advancing', clock);
  return clock;
}

/** Two intervals of the subscription whose interval is the shortest. */
function furthest(account: Account, clock: TestClock): Seconds {
  const intervals = account.subscriptions
    .all(({ test_clock }) => test_clock === clock.id)
    .flatMap((subscription) => itemsOf(account, subscription))
    .flatMap(({ price }) => (price.recurring ? [boundary(clock.frozen_time, price.recurring, STEPS_MAX)] : []));
  return Math.min(clock.frozen_time + SPAN_WITHOUT_SUBSCRIPTION_MAX, ...intervals);
}

/** Where it is advancing: everything that is due until then, in order, each at its own time. */
export function arrive(account: Account, clock: TestClock): void {
  const target = clock.status_details.advancing?.target_frozen_time;
  if (clock.status !== 'advancing' || target === undefined) return;
  for (let due = nextDue(account, clock, target); due; due = nextDue(account, clock, target)) {
    clock.frozen_time = Math.max(clock.frozen_time, due.at);
    due.run();
  }
  Object.assign(clock, { frozen_time: target, status: 'ready', status_details: {} });
  announce(account, 'test_helpers.test_clock.ready', clock);
}

/** With everything that goes by it. */
function remove({ account, id }: Call): unknown {
  const clock = account.testClocks.get(id);
  for (const customer of account.customers.all(({ test_clock }) => test_clock === id))
    account.customers.remove(customer.id);
  for (const table of [account.subscriptions, account.invoices] as const) {
    for (const row of table.all(({ test_clock }) => test_clock === id)) table.remove(row.id);
  }
  account.testClocks.remove(id);
  announce(account, 'test_helpers.test_clock.deleted', clock);
  return { id, object: 'test_helpers.test_clock', deleted: true };
}
