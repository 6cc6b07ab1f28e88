/**
 * next-step — what is to be sent of a message, or what becomes of it without. Where nobody knows whether it has arrived, and its
 * name does not tell any more, Stripe's sums are asked.
 */
import type Stripe from 'stripe';
import type { Query } from '../../../db/client.ts';
import type { Clock } from '../../../domain/clock.ts';
import { ONE } from '../../../domain/units.ts';
import {
  backoffMs,
  fateOf,
  minuteOf,
  nextStep,
  type Obstacle,
  type Payer,
  RESEND_SAFE_MS,
  SETTLING_MS,
} from '../../../domain/usage-report.ts';
import { meterEventName } from '../names.ts';
import { dead, delivered, waits } from './after-try.ts';
import { inSpan, type Message, type Outcome, type Sending } from './messages.ts';
import { Meters } from './meters.ts';
import { triedOf } from './outcome.ts';

type Obstructed = { readonly sentence: string; readonly afterMs: number };

/** How often to look whether there is somebody to be billed by now; see `wakeMessages`. */
const NO_PAYER_MS = 10 * 60_000;

const OBSTACLES: Readonly<Record<Obstacle, Obstructed>> = {
  no_customer: { sentence: 'Stripe knows no customer for it yet.', afterMs: NO_PAYER_MS },
  no_subscription: {
    sentence: 'Its customer has no subscription at Stripe that would bill it, or none any more.',
    afterMs: NO_PAYER_MS,
  },
  stale_period: {
    sentence: 'The invoice of the billing period that is known is closed; Stripe is asked which one runs now.',
    afterMs: 60_000,
  },
};
const CUSTOMER_GONE = {
  code: 'no_customer',
  sentence: 'Stripe has deleted its customer, so that nobody can look whether it has arrived.',
};
const NO_METER = {
  code: 'no_meter',
  sentence: 'Stripe has no active meter for the feature; run `metergraph stripe sync`, then send it again.',
};
const TOO_OLD = {
  code: 'too_old',
  sentence:
    'Stripe takes nothing that is older than 35 days; bill it by hand, or send it again to have it count as late as it may.',
};
const unclear = (sum: bigint, known: bigint, quantity: bigint) => ({
  code: 'unknown_fate',
  sentence: `Nobody knows whether it has arrived: Stripe counts ${sum} in its minute, where ${known} are known, or ${known + quantity} with it.`,
});
const UNSETTLED = {
  code: 'unknown_fate',
  sentence: 'Nobody knows whether it has arrived; Stripe is asked once it has counted what was sent.',
};
const unread = (sentence: string) => ({
  code: 'unknown_fate',
  sentence: `Stripe's sums could not be read: ${sentence}`,
});

/** A message as it will be sent, and whose account it goes to. */
export type Sendable = Sending & { readonly payer: Payer };

type Known = { readonly message: Message; readonly payer: Payer };

export type NextStepDeps = {
  readonly query: Query;
  readonly clock: Clock;
  readonly stripe: Stripe;
  readonly random: () => number;
};

/** Of a batch: which meters there are is asked anew for each, since one may have been made anew. */
export class NextSteps {
  readonly #deps: NextStepDeps;
  readonly #meters: Meters;

  constructor(deps: NextStepDeps) {
    this.#deps = deps;
    this.#meters = new Meters(deps.stripe);
  }

  /** @param payer Null where Stripe knows no customer for it. */
  async of(message: Message, payer: Payer | null): Promise<Sendable | Outcome> {
    const nowMs = this.#deps.clock.now();
    const step = nextStep(message, payer, nowMs);
    if (step.kind === 'compare' && payer !== null) return this.#compare({ message, payer }, step.countedAtMs);
    if (step.kind === 'send' && payer !== null) return sendableOf({ message, payer }, step.countedAtMs);
    if (step.kind === 'too_old') return dead(message, TOO_OLD, nowMs);
    return obstructed(message, step.kind === 'wait' ? step.for : 'no_customer', nowMs);
  }

  async #compare(known: Known, countedAtMs: number): Promise<Sendable | Outcome> {
    try {
      return await this.#byItsMinute(known, countedAtMs);
    } catch (error) {
      const tried = triedOf(error);
      return this.#later(known.message, unread(tried.kind === 'delivered' ? '' : tried.sentence));
    }
  }

  /** Resolves its fate by what Stripe has counted in its minute. */
  async #byItsMinute({ message, payer }: Known, countedAtMs: number): Promise<Sendable | Outcome> {
    const { query, clock } = this.#deps;
    const { featureKey, tenantId, quantity, unknownSinceMs } = message;
    const { stripeAccount } = payer;
    const of = { ...message, stripeCustomerId: message.stripeCustomerId ?? payer.stripeCustomerId };
    const span = minuteOf(countedAtMs);
    const meterId = await this.#meters.idOf(stripeAccount, meterEventName(tenantId, featureKey));
    if (meterId === null) return dead(message, NO_METER, clock.now());
    const sum = await this.#meters.sumOf({ ...of, stripeAccount, meterId }, span);
    if (sum === null) return dead(message, CUSTOMER_GONE, clock.now());
    const known = await inSpan(query, of, span);
    const nowMs = clock.now();
    const fate = fateOf(quantity, sum, known, nowMs);
    if (fate === 'unsettled') return waits(message, UNSETTLED, (known.triedAtMs ?? nowMs) + SETTLING_MS);
    if (fate === 'arrived') return delivered(message, nowMs);
    if (fate === 'missing') return this.#anew({ message, payer });
    const isLate = unknownSinceMs !== null && nowMs - unknownSinceMs >= RESEND_SAFE_MS;
    const why = unclear(sum / ONE, known.known / ONE, quantity / ONE);
    return isLate ? dead(message, why, nowMs) : this.#later(message, why);
  }

  #later(message: Message, why: NonNullable<Outcome['why']>): Outcome {
    const { clock, random } = this.#deps;
    return waits(message, why, clock.now() + backoffMs(message.attempts, random()));
  }

  /** It has not arrived: it counts as it would if it had never been sent. Its doubt stays, since Stripe may yet be at work on it. */
  #anew({ message, payer }: Known): Sendable | Outcome {
    const nowMs = this.#deps.clock.now();
    const step = nextStep({ ...message, unknownSinceMs: null }, payer, nowMs);
    if (step.kind === 'send') return sendableOf({ message, payer }, step.countedAtMs);
    return step.kind === 'wait' ? obstructed(message, step.for, nowMs) : dead(message, TOO_OLD, nowMs);
  }
}

function obstructed(message: Message, code: Obstacle, nowMs: number): Outcome {
  const { sentence, afterMs } = OBSTACLES[code];
  return waits(message, { code, sentence }, nowMs + afterMs);
}

/** While its fate is unknown it is sent to whom it was sent before. */
const sendableOf = ({ message, payer }: Known, countedAtMs: number): Sendable => ({
  message,
  payer,
  countedAtMs,
  stripeCustomerId: (message.unknownSinceMs === null ? null : message.stripeCustomerId) ?? payer.stripeCustomerId,
});
