/**
 * stripe — a Stripe of one's own: an HTTP server on the loopback that the official SDK talks to, and a handle for tests.
 *
 *     const stripe = await startFakeStripe({ clock });
 *     const sdk = new Stripe(stripe.apiKey, stripe.sdkConfig);
 *
 * It keeps state and obeys the rules that billing lives by: meter events that count only after a while and are unique for
 * a day, idempotency keys, lookup keys, pages, expansion, connected accounts. Money is exact: no float is ever computed
 * with. **Every** request, answer and event is checked against a JSON Schema made from the declarations of the installed
 * SDK; what does not fit, also a parameter that the fake would pass over, is answered by 500 and fails `close()`.
 *
 * What goes wrong, goes wrong when a test says so: `faults`. Time is the clock that was handed in: nothing sleeps, and
 * `settle()` brings about at once what takes Stripe a minute.
 *
 * It does not know taxes, coupons, quotes, schedules, payment pages or what cards really do, and neither limits nor
 * permissions of keys. Where Stripe's documents are silent, the choice is told at the function that makes it.
 */
import type { Clock } from '../../../server/domain/clock.ts';
import { accountOf } from './access.ts';
import type { Account } from './account.ts';
import { catchUp } from './catch-up.ts';
import { type Entry, Exchange } from './exchange.ts';
import { Faults } from './faults.ts';
import { processUsage } from './meter-processing.ts';
import { router } from './route.ts';
import { ROUTES } from './routes.ts';
import { sdkSchema } from './sdk-schema.ts';
import { listen } from './server.ts';
import { OTHER_TYPES, TYPES } from './types.ts';
import { Validator, type Violation } from './validator.ts';
import { World } from './world.ts';

export type FakeStripeOptions = {
  /** What time it is; when it is moved, the fake follows with the next request or at `catchUp`. */
  readonly clock: Clock;
};

export type FakeStripe = {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly apiKey: string;
  /** For `new Stripe(apiKey, sdkConfig)`: where it is, no retries of the SDK's own, no telemetry. */
  readonly sdkConfig: {
    readonly host: string;
    readonly port: number;
    readonly protocol: 'http';
    readonly maxNetworkRetries: 0;
    readonly telemetry: false;
  };
  readonly faults: Faults;
  /** Every request in the order of its answer. */
  readonly requests: readonly Entry[];
  /** What has not been as the SDK says. A test that makes one on purpose takes it out. */
  readonly violations: Violation[];
  /** The state of an account; left out, the platform's own. */
  account(id?: string): Account;
  /** All that is due by the clock as it stands. */
  catchUp(): void;
  /** Processes every meter event that was accepted, without waiting. */
  settle(): void;
  /** Units that count, of one customer and meter: every event of all time, or one span of it. */
  usageOf(of: UsageOf): bigint;
  /** @throws AggregateError of the violations that are left. */
  check(): void;
  /** Stops, and checks. */
  close(): Promise<void>;
};

export type UsageOf = {
  readonly eventName: string;
  readonly customer?: string;
  readonly account?: string;
};

const API_KEY = 'sk_test_fake';

export async function startFakeStripe({ clock }: FakeStripeOptions): Promise<FakeStripe> {
  const operations = ROUTES.map(({ operation }) => operation);
  const validator = new Validator(sdkSchema({ operations, types: [...Object.values(TYPES), ...OTHER_TYPES] }));
  const world = new World(clock, validator);
  const faults = new Faults();
  const exchange = new Exchange({
    world,
    faults,
    find: router(ROUTES),
    accountOf: (headers) => accountOf(world, API_KEY, headers),
    catchUp: () => catchUp(world),
  });
  const { host, port, close } = await listen(exchange);
  const check = (): void => {
    if (validator.violations.length > 0) throw new AggregateError(validator.violations, told(validator.violations));
  };
  return {
    url: `http://${host}:${port}`,
    host,
    port,
    apiKey: API_KEY,
    sdkConfig: { host, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false },
    faults,
    requests: exchange.entries,
    violations: validator.violations,
    account: (id) => (id === undefined ? world.platform : world.account(id)),
    catchUp: () => catchUp(world),
    settle: () => settle(world),
    usageOf: ({ account, ...of }) => usageOf(account === undefined ? world.platform : world.account(account), of),
    check,
    close: async () => {
      await close();
      check();
    },
  };
}

function settle(world: World): void {
  for (const account of world.accounts) processUsage(account, Number.POSITIVE_INFINITY);
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
