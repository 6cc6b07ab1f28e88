/**
 * either — the Stripe that a test of this folder lives at: the fake of the test tree, and Stripe's own sandbox as well where
 * a key of one is given. A test that holds at both shows that the fake is like the real one in what the gateway rests on.
 *
 *     STRIPE_SECRET_KEY=sk_test_… npx vitest run tests/stripe
 *
 * The sandbox keeps what a test makes there, under names that start with the tenant's mark, but for what goes with its test clocks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import Stripe from 'stripe';
import { describe } from 'vitest';
import { ManualClock } from '../support/clock.ts';
import { openStripe } from '../support/stripe/rig.ts';

export type StripeUnderTest = {
  readonly sdk: Stripe;
  /** The gateway's, which the test moves. It begins at Stripe's time or some hours earlier. */
  readonly clock: ManualClock;
  /** Waits until what Stripe does in its own time has come about. @throws where that takes longer than Stripe says. */
  eventually(what: string, isSo: () => Promise<boolean>): Promise<void>;
  /** How many lives a law makes up: each takes the real one a minute. */
  readonly lives: number;
};

type Either = {
  readonly name: string;
  readonly timeoutMs: number;
  open(): Promise<StripeUnderTest>;
};

const FAKE: Either = {
  name: 'the fake Stripe',
  timeoutMs: 60_000,
  async open() {
    const { stripe, sdk, clock } = await openStripe();
    return {
      sdk,
      clock,
      lives: 12,
      async eventually(what, isSo) {
        for (let looks = 0; looks < 3; looks += 1) {
          stripe.settle();
          if (await isSo()) return;
        }
        throw new Error(`not so when everything was settled: ${what}`);
      },
    };
  },
};

/** What is used must not lie ahead of Stripe's own clock, nor of a customer's test clock. */
const EARLIER_MS = 12 * 3_600_000;
const LOOK_EVERY_MS = 3_000;
/** Usage is counted within minutes, and a clock arrives within one. */
const WITHIN_MS = 8 * 60_000;

const real = (secretKey: string): Either => ({
  name: 'Stripe',
  timeoutMs: 30 * 60_000,
  open: async () => ({
    sdk: new Stripe(secretKey, { maxNetworkRetries: 3, telemetry: false }),
    clock: new ManualClock(Date.now() - EARLIER_MS),
    lives: 2,
    async eventually(what, isSo) {
      const endMs = Date.now() + WITHIN_MS;
      while (!(await isSo())) {
        if (Date.now() > endMs) throw new Error(`not so after ${WITHIN_MS / 60_000} minutes: ${what}`);
        await sleep(LOOK_EVERY_MS);
      }
    },
  }),
});

/** @param secretKey As in the environment. @throws for a key that moves real money. */
export function stripesFor(secretKey: string | undefined): {
  readonly all: readonly Either[];
  readonly note: string | null;
} {
  if (secretKey === undefined || secretKey === '') {
    return {
      all: [FAKE],
      note: 'Stripe itself is left out: STRIPE_SECRET_KEY=sk_test_… has these tests run at a sandbox, too.',
    };
  }
  if (!/^(sk|rk)_test_/.test(secretKey)) {
    const found = /^[a-z]{2}_(live|test)_/.exec(secretKey)?.[0] ?? 'something that is no key';
    throw new Error(
      `STRIPE_SECRET_KEY begins with ${found}: these tests have customers pay, so they take a sandbox's key alone, sk_test_….`,
    );
  }
  return { all: [FAKE, real(secretKey)], note: null };
}

let isSaid = false;

/** The tests, at each Stripe that there is. */
export function describeStripes(name: string, tests: (stripe: Pick<Either, 'open'>) => void): void {
  const { all, note } = stripesFor(process.env.STRIPE_SECRET_KEY);
  if (note !== null && !isSaid) console.info(note);
  isSaid = true;
  for (const { name: where, timeoutMs, open } of all) {
    describe(`${name} (${where})`, { timeout: timeoutMs }, () => tests({ open }));
  }
}
