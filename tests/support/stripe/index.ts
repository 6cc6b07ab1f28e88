/**
 * stripe — a Stripe of one's own: an HTTP server on the loopback that the official SDK talks to, and a handle for tests.
 *
 *     const stripe = await startFakeStripe({ clock });
 *     const sdk = new Stripe(stripe.apiKey, stripe.sdkConfig);
 *
 * It keeps state and obeys the rules that billing lives by: meter events that count only after a while and are unique for
 * a day, subscriptions and their invoices with the hour of grace, retries and test clocks, idempotency keys, lookup keys,
 * pages, expansion, connected accounts, signed webhooks. Money is exact: no float is ever computed with. **Every** request,
 * answer and event is checked against a JSON Schema made from the declarations of the installed SDK; what does not fit, also
 * a parameter that the fake would pass over, is answered by 500 and fails `close()`.
 *
 * What goes wrong, goes wrong when a test says so: `faults` for requests, `webhooks` for events, `card` for payments. Time
 * is the clock that was handed in: nothing sleeps, and `settle()` brings about at once what takes Stripe a minute.
 *
 * It does not know taxes, coupons, quotes, schedules, mixed intervals, several currencies of one price, or permissions of
 * keys; payment and portal pages are as good as none. A subscription's usage is billed by the price it has at the end.
 * Where Stripe's documents are silent, the choice is told at the function that makes it.
 */
import type { Clock } from '../../../server/domain/clock.ts';
import { accountOf, accountOfSession } from './access.ts';
import type { Account, CheckoutSession, Dispute, PaymentIntent } from './account.ts';
import { catchUp, firstDue, processAll, runDue, secondsOf, settle } from './catch-up.ts';
import { complete } from './checkout.ts';
import { closeDispute, dispute } from './disputes.ts';
import { type Entry, Exchange } from './exchange.ts';
import { Faults } from './faults.ts';
import { pageOf } from './pages.ts';
import { behave, type CardOutcome } from './payment-methods.ts';
import { settlePayment } from './payments.ts';
import { router } from './route.ts';
import { ROUTES } from './routes.ts';
import { sdkSchema } from './sdk-schema.ts';
import { listen } from './server.ts';
import { OTHER_TYPES, TYPES } from './types.ts';
import { Validator, type Violation } from './validator.ts';
import { Webhooks } from './webhooks.ts';
import { World } from './world.ts';

export type { CardOutcome } from './payment-methods.ts';

export type FakeStripeOptions = {
  /** What time it is. When the test moves it, the fake follows with the next request, or at `catchUp`. */
  readonly clock: Clock & { set?(ms: number): void };
};

export type FakeStripe = {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly apiKey: string;
  /** For `new Stripe(apiKey, sdkConfig)`: where it is, no retries of the SDK's own, no telemetry. */
  readonly sdkConfig: SdkConfig;
  readonly faults: Faults;
  readonly webhooks: Webhooks;
  /** Every request, in the order of the answers. */
  readonly requests: readonly Entry[];
  /** What has not been as the SDK says. A test that makes one on purpose takes it out. */
  readonly violations: Violation[];
  /** The state of an account; left out, the platform's own. */
  account(id?: string): Account;
  /** Moves the clock there, through everything that is due on the way, each at its own time and with its webhooks. */
  advanceTo(instant: Date | string | number): Promise<void>;
  /** All that is due by the clock as it stands. */
  catchUp(): void;
  /** Processes every meter event that was accepted, without waiting; and test clocks that are advancing arrive. */
  settle(): void;
  /** Units that count, of one customer and meter or of all, of all time. */
  usageOf(of: UsageOf): bigint;
  /** Pays a checkout session, as the customer would. @throws Refusal where the card does not pay. */
  completeCheckout(id: string, card?: CardOutcome, accountId?: string): CheckoutSession;
  /** What a card will do from now on. */
  card(paymentMethod: string, outcome: CardOutcome, accountId?: string): void;
  /** What became of a payment that takes days. */
  settlePayment(intent: string, outcome: 'pays' | 'declines', accountId?: string): PaymentIntent;
  /** The customer asks the bank for the money of a charge. */
  dispute(charge: string, reason?: string, accountId?: string): Dispute;
  closeDispute(id: string, status: 'won' | 'lost', accountId?: string): Dispute;
  /** @throws AggregateError of the violations that are left. */
  check(): void;
  /** Stops, and checks. */
  close(): Promise<void>;
};

export type SdkConfig = {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'http';
  readonly maxNetworkRetries: 0;
  readonly telemetry: false;
};

export type UsageOf = {
  readonly eventName: string;
  readonly customer?: string;
  readonly account?: string;
};

const API_KEY = 'sk_test_fake';

/** While the module loads, so that reading the SDK anew takes no test's time. */
const schema = await sdkSchema({
  operations: ROUTES.map(({ operation }) => operation),
  types: [...Object.values(TYPES), ...OTHER_TYPES],
});

export async function startFakeStripe({ clock }: FakeStripeOptions): Promise<FakeStripe> {
  const validator = new Validator(schema);
  const world = new World(clock, validator);
  const faults = new Faults();
  const exchange = new Exchange({
    world,
    faults,
    find: router(ROUTES),
    accountOf: (headers, matched) =>
      matched?.route.isForSessions ? accountOfSession(world, headers) : accountOf(world, API_KEY, headers),
    catchUp: () => catchUp(world),
  });
  const webhooks = new Webhooks(world);
  const { host, port, close } = await listen(exchange, (received) => pageOf(world, received));
  world.url = `http://${host}:${port}`;
  const account = (id?: string): Account => (id === undefined ? world.platform : world.account(id));
  const check = (): void => {
    if (validator.violations.length > 0) throw new AggregateError(validator.violations, told(validator.violations));
  };
  return {
    url: world.url,
    host,
    port,
    apiKey: API_KEY,
    sdkConfig: { host, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false },
    faults,
    webhooks,
    requests: exchange.entries,
    violations: validator.violations,
    account,
    advanceTo: (instant) => advanceTo(world, webhooks, clock, new Date(instant).getTime()),
    catchUp: () => catchUp(world),
    settle: () => settle(world),
    usageOf: ({ account: id, ...of }) => usageOf(account(id), of),
    completeCheckout: (id, card, of) => complete(account(of), account(of).checkouts.get(id), card),
    card: (id, outcome, of) => behave(account(of).paymentMethods.get(id), outcome),
    settlePayment: (id, outcome, of) => settlePayment(account(of), account(of).paymentIntents.get(id), outcome),
    dispute: (id, reason, of) => dispute(account(of), account(of).charges.get(id), reason),
    closeDispute: (id, status, of) => closeDispute(account(of), account(of).disputes.get(id), status),
    check,
    close: async () => {
      await webhooks.idle();
      await close();
      check();
    },
  };
}

async function advanceTo(
  world: World,
  webhooks: Webhooks,
  clock: FakeStripeOptions['clock'],
  targetMs: number,
): Promise<void> {
  if (!clock.set) throw new Error('this clock cannot be moved');
  if (!(targetMs >= clock.now())) throw new RangeError(`cannot go back to ${new Date(targetMs).toISOString()}`);
  const until = secondsOf(targetMs);
  for (let due = firstDue(world, until); due; due = firstDue(world, until)) {
    clock.set(Math.max(clock.now(), due.at * 1_000));
    runDue(world, due);
    await webhooks.idle();
  }
  clock.set(targetMs);
  processAll(world, until);
  await webhooks.idle();
}

/** Adds up what each event says, whatever a meter makes of it. */
function usageOf(account: Account, { eventName, customer }: Omit<UsageOf, 'account'>): bigint {
  return account.usage.events
    .filter((event) => event.state === 'counted' && event.eventName === eventName)
    .filter(({ counts }) => customer === undefined || counts?.customer === customer)
    .reduce((sum, { counts }) => sum + (counts?.value ?? 0n), 0n);
}

const told = (violations: readonly Violation[]): string =>
  `not what the SDK says:\n${violations.map(({ message }) => `- ${message}`).join('\n')}`;
