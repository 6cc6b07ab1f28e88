/**
 * sender — brings messages to Stripe: each once, whoever is killed on the way, and however many gateways do it.
 *
 * What a try came to is one of four things: it has arrived, it has not, nobody knows, or it never will. Only of the third
 * kind is there any doubt, and it is resolved by the identifier, which Stripe takes once in 24 hours, and after 20 hours by
 * Stripe's own sums. See docs/decisions/0014-usage-outbox.md.
 */
import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import type { Query } from '../../../db/client.ts';
import type { Clock } from '../../../domain/clock.ts';
import { ONE } from '../../../domain/units.ts';
import { backoffMs, fateOf, minuteOf, nextStep, type Payer, RESEND_SAFE_MS } from '../../../domain/usage-report.ts';
import { onAccount } from '../client.ts';
import { meterEventName } from '../names.ts';
import {
  beginSending,
  deliveredIn,
  type Lease,
  leaseMessages,
  type Message,
  type Outcome,
  recordOutcomes,
  type Sending,
} from './messages.ts';
import { Meters } from './meters.ts';
import { DELIVERED, type Tried, triedOf } from './outcome.ts';
import { Pace } from './pace.ts';
import { MeterEventStream, payloadOf, STREAMED_AT_ONCE_MAX } from './stream.ts';

/** Who pays for customers; those that Stripe does not know are left out. */
export type PayersOf = (customerIds: readonly string[]) => Promise<ReadonlyMap<string, Payer>>;

export type SenderDeps = {
  readonly query: Query;
  readonly clock: Clock;
  readonly stripe: Stripe;
  readonly payersOf: PayersOf;
  /** From 0 until before 1. */
  readonly random?: () => number;
};

export type SenderOptions = {
  /** Meter events a second, one by one; Stripe takes 1,000 of all gateways together. */
  readonly perSecond: number;
  /** Meter events a second by the stream; Stripe takes 10,000. */
  readonly streamedPerSecond: number;
  /** From so many that are due at once on, they go by the stream. */
  readonly streamFrom: number;
  /** Requests on their way at most. */
  readonly inFlightMax: number;
  readonly timeoutMs: number;
};

export const SENDER_DEFAULTS: SenderOptions = {
  perSecond: 500,
  streamedPerSecond: 5_000,
  streamFrom: 400,
  inFlightMax: 32,
  timeoutMs: 20_000,
};

const SECOND_MS = 1_000;
/** Messages that are leased at once. */
const LEASED_MAX = 1_000;
/** Longer than a batch takes; who has died is waited for so long. */
const LEASE_MS = 3 * 60_000;
/** How often to look whether Stripe knows a customer by now; see `wakeMessages`. */
const NO_PAYER_MS = 10 * 60_000;
/** Without permission nothing can be sent, and everything may once it is given. */
const NOT_ALLOWED_MS = 60_000;
/** After the stream has refused a request: they are sent one by one, which tells which of them is wrong. */
const STREAM_OFF_MS = 10 * 60_000;

type Known = { readonly message: Message; readonly payer: Payer };
type Sendable = Sending & { readonly payer: Payer };

export class Sender {
  readonly #deps: SenderDeps;
  readonly #options: SenderOptions;
  readonly #meters: Meters;
  readonly #stream: MeterEventStream;
  readonly #pace: Pace;
  readonly #streamPace: Pace;
  #streamOffUntilMs = 0;
  #isStopped = false;

  constructor(deps: SenderDeps, options: Partial<SenderOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...SENDER_DEFAULTS, ...options };
    this.#meters = new Meters(deps.stripe);
    this.#stream = new MeterEventStream(deps.stripe, deps.clock);
    this.#pace = new Pace(deps.clock, this.#options.perSecond);
    this.#streamPace = new Pace(deps.clock, this.#options.streamedPerSecond);
  }

  /** Sends what is due, until nothing is, or Stripe's figures are reached. @returns how many have arrived. */
  async run(): Promise<number> {
    let delivered = 0;
    while (!this.#isStopped) {
      const max = Math.min(LEASED_MAX, this.#room());
      if (max === 0) break;
      const nowMs = this.#deps.clock.now();
      const lease = { id: randomUUID(), untilMs: nowMs + LEASE_MS };
      const messages = await leaseMessages(this.#deps.query, lease, nowMs, max);
      if (messages.length === 0) break;
      delivered += await this.#work(lease, messages);
    }
    return delivered;
  }

  /** Ends after what is on its way. */
  stop(): void {
    this.#isStopped = true;
  }

  #room(): number {
    const alone = this.#pace.available;
    return this.#isStreaming() ? Math.max(alone, this.#streamPace.available) : alone;
  }

  #isStreaming(): boolean {
    return this.#deps.clock.now() >= this.#streamOffUntilMs && this.#options.streamFrom !== Number.POSITIVE_INFINITY;
  }

  async #work(lease: Lease, messages: readonly Message[]): Promise<number> {
    const { query, clock, payersOf } = this.#deps;
    const payers = await payersOf([...new Set(messages.map(({ customerId }) => customerId))]);
    const outcomes: Outcome[] = [];
    const sendable: Sendable[] = [];
    await eachOf(messages, this.#options.inFlightMax, async (message) => {
      const next = await this.#next(message, payers.get(message.customerId) ?? null);
      if ('state' in next) outcomes.push(next);
      else sendable.push(next);
    });
    const begun = await beginSending(query, lease, sendable, clock.now());
    const ours = new Set(begun.map(({ message }) => message));
    const tried = await this.#send(
      lease,
      sendable.filter(({ message }) => ours.has(message)),
    );
    outcomes.push(...tried);
    await recordOutcomes(query, lease, outcomes, clock.now());
    return outcomes.filter(({ state }) => state === 'delivered').length;
  }

  /** What is to be sent of a message; or what becomes of it without. */
  async #next(message: Message, payer: Payer | null): Promise<Sendable | Outcome> {
    const nowMs = this.#deps.clock.now();
    const pausedMs = payer === null ? 0 : this.#pausedUntilMs(payer) - nowMs;
    if (pausedMs > 0) return this.#waits(message, NOT_SENT, ASKED_TO_WAIT, pausedMs);
    const step = nextStep(message, payer, nowMs);
    if (step.kind === 'compare' && payer !== null) return this.#compare({ message, payer }, step.countedAtMs);
    if (step.kind === 'send' && payer !== null) return sendableOf({ message, payer }, step.countedAtMs);
    if (step.kind === 'too_old') return this.#dead(message, 'too_old', TOO_OLD);
    return this.#waits(message, 'no_customer', NO_CUSTOMER, NO_PAYER_MS);
  }

  /** Resolves the fate of a message by what Stripe has counted in its minute. */
  async #compare({ message, payer }: Known, countedAtMs: number): Promise<Sendable | Outcome> {
    const { query, clock } = this.#deps;
    const { customerId, featureKey, tenantId, quantity, unknownSinceMs } = message;
    const of = { customerId, featureKey, stripeCustomerId: message.stripeCustomerId ?? payer.stripeCustomerId };
    const span = minuteOf(countedAtMs);
    try {
      const meterId = await this.#meters.idOf(payer.stripeAccount, meterEventName(tenantId, featureKey));
      if (meterId === null) return this.#dead(message, 'no_meter', NO_METER);
      const sum = await this.#meters.sumOf({ ...of, stripeAccount: payer.stripeAccount, meterId }, span);
      if (sum === null) return this.#dead(message, 'no_customer', CUSTOMER_GONE);
      const known = await deliveredIn(query, of, span);
      const fate = fateOf(quantity, sum, known);
      if (fate === 'arrived') return this.#settled(message, 'delivered', null);
      if (fate === 'missing') return this.#anew({ message, payer });
      const isLate = unknownSinceMs !== null && clock.now() - unknownSinceMs >= RESEND_SAFE_MS;
      const sentence = unclear(sum / ONE, known / ONE, quantity / ONE);
      return isLate
        ? this.#dead(message, 'unknown_fate', sentence)
        : this.#waits(message, 'unknown_fate', sentence, backoffMs(message.attempts, this.#random()));
    } catch (error) {
      const tried = triedOf(error);
      const sentence = `Stripe's sums could not be read: ${tried.kind === 'delivered' ? '' : tried.sentence}`;
      return this.#waits(message, 'unknown_fate', sentence, backoffMs(message.attempts, this.#random()));
    }
  }

  /** It has not arrived: it counts as it would if it had never been sent. Its doubt stays, since Stripe may yet be at work on it. */
  #anew({ message, payer }: Known): Sendable | Outcome {
    const step = nextStep({ ...message, unknownSinceMs: null }, payer, this.#deps.clock.now());
    return step.kind === 'send'
      ? sendableOf({ message, payer }, step.countedAtMs)
      : this.#dead(message, 'too_old', TOO_OLD);
  }

  async #send(lease: Lease, sendable: readonly Sendable[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    const note = (sent: readonly Sendable[], tried: Tried): void => {
      for (const { message } of sent) outcomes.push(this.#outcomeOf(message, tried));
    };
    if (this.#isStreaming() && sendable.length >= this.#options.streamFrom) {
      this.#streamPace.take(sendable.length);
      const batches = [...byAccount(sendable).values()].flatMap((of) => chunksOf(of, STREAMED_AT_ONCE_MAX));
      await eachOf(batches, this.#options.inFlightMax, async (batch) =>
        note(batch, await this.#sendMany(lease, batch)),
      );
    } else {
      const room = this.#pace.available; // leased were as many as the stream would take
      const now = sendable.slice(0, room);
      this.#pace.take(now.length);
      note(sendable.slice(room), notSent(SECOND_MS));
      await eachOf(now, this.#options.inFlightMax, async (one) => note([one], await this.#sendOne(lease, one)));
    }
    return outcomes;
  }

  async #sendOne(lease: Lease, sending: Sendable): Promise<Tried> {
    const { stripe, clock } = this.#deps;
    const { message, payer, countedAtMs } = sending;
    const { timeoutMs: timeout } = this.#options;
    if (!this.#mayGo(lease, payer)) return notSent(this.#pausedUntilMs(payer) - clock.now());
    const event = {
      event_name: meterEventName(message.tenantId, message.featureKey),
      identifier: message.identifier,
      timestamp: countedAtMs / 1_000,
      payload: payloadOf(sending),
    };
    const options = { ...onAccount(payer.stripeAccount), timeout, maxNetworkRetries: 0 };
    try {
      await stripe.billing.meterEvents.create(event, options);
      return DELIVERED;
    } catch (error) {
      return this.#heed(payer, triedOf(error));
    }
  }

  async #sendMany(lease: Lease, batch: readonly Sendable[]): Promise<Tried> {
    const [first] = batch;
    const { timeoutMs } = this.#options;
    const nowMs = this.#deps.clock.now();
    if (!first) return DELIVERED;
    if (!this.#mayGo(lease, first.payer)) return notSent(this.#pausedUntilMs(first.payer) - nowMs);
    try {
      await this.#stream.send(first.payer.stripeAccount, batch, timeoutMs);
      return DELIVERED;
    } catch (error) {
      const tried = triedOf(error);
      if (tried.kind === 'unknown' || tried.kind === 'refused') return this.#heed(first.payer, tried);
      this.#streamOffUntilMs = nowMs + STREAM_OFF_MS;
      const sentence = tried.kind === 'dead' ? tried.sentence : 'an identifier is known already';
      return { kind: 'unknown', whom: 'message', code: 'stream_refused', sentence, retryAfterMs: 0 };
    }
  }

  /** Whoever takes longer than its lease may be sending beside somebody else. */
  #mayGo(lease: Lease, payer: Payer): boolean {
    const nowMs = this.#deps.clock.now();
    return nowMs + this.#options.timeoutMs <= lease.untilMs && nowMs >= this.#pausedUntilMs(payer);
  }

  /** By account: nothing is sent until then. */
  readonly #paused = new Map<string | null, number>();

  #pausedUntilMs({ stripeAccount }: Payer): number {
    return this.#paused.get(stripeAccount) ?? 0;
  }

  /** What concerns an account holds for all of its messages. */
  #heed({ stripeAccount }: Payer, tried: Tried): Tried {
    if (tried.kind !== 'refused' || tried.whom !== 'account') return tried;
    const afterMs = tried.retryAfterMs ?? (tried.code === 'not_allowed' ? NOT_ALLOWED_MS : null);
    if (afterMs === null) return tried; // whoever is refused waits longer each time
    const untilMs = this.#deps.clock.now() + afterMs;
    this.#paused.set(stripeAccount, Math.max(untilMs, this.#paused.get(stripeAccount) ?? 0));
    return tried;
  }

  #outcomeOf(message: Message, tried: Tried): Outcome {
    if (tried.kind === 'delivered') return this.#settled(message, 'delivered', null);
    if (tried.kind === 'dead') return this.#dead(message, tried.code, tried.sentence);
    const nowMs = this.#deps.clock.now();
    const jitterMs = backoffMs(tried.code === NOT_SENT ? 0 : message.attempts, this.#random());
    const afterMs =
      tried.retryAfterMs === null ? jitterMs : tried.retryAfterMs + (tried.retryAfterMs === 0 ? 0 : jitterMs);
    return {
      message,
      state: 'waiting',
      why: { code: tried.code, sentence: tried.sentence },
      nextAttemptAtMs: nowMs + afterMs,
      isUnknown: tried.kind === 'unknown',
    };
  }

  #dead(message: Message, code: string, sentence: string): Outcome {
    return this.#settled(message, 'dead', { code, sentence });
  }

  #settled(message: Message, state: 'delivered' | 'dead', why: Outcome['why']): Outcome {
    return { message, state, why, nextAttemptAtMs: this.#deps.clock.now(), isUnknown: false };
  }

  #waits(message: Message, code: string, sentence: string, afterMs: number): Outcome {
    const nextAttemptAtMs = this.#deps.clock.now() + afterMs;
    return { message, state: 'waiting', why: { code, sentence }, nextAttemptAtMs, isUnknown: false };
  }

  #random(): number {
    return (this.#deps.random ?? Math.random)();
  }
}

const TOO_OLD =
  'Stripe takes nothing that is older than 35 days; bill it by hand, or send it again to have it count as late as it may.';
const CUSTOMER_GONE = 'Stripe has deleted its customer, so that nobody can look whether it has arrived.';
const NO_CUSTOMER = 'Stripe knows no customer for it yet.';
const NO_METER = 'Stripe has no active meter for the feature; run `metergraph stripe sync`, then send it again.';
const unclear = (sum: bigint, known: bigint, quantity: bigint): string =>
  `Nobody knows whether it has arrived: Stripe counts ${sum} in its minute, where ${known} are known, or ${known + quantity} with it.`;

const NOT_SENT = 'not_sent';
const ASKED_TO_WAIT = 'Stripe takes no more just now.';

const notSent = (afterMs: number): Tried => ({
  kind: 'refused',
  whom: 'message',
  code: NOT_SENT,
  sentence: ASKED_TO_WAIT,
  retryAfterMs: Math.max(afterMs, 0),
});

/** While its fate is unknown it is sent to whom it was sent before. */
const sendableOf = ({ message, payer }: Known, countedAtMs: number): Sendable => ({
  message,
  payer,
  countedAtMs,
  stripeCustomerId: (message.unknownSinceMs === null ? null : message.stripeCustomerId) ?? payer.stripeCustomerId,
});

function byAccount(sendable: readonly Sendable[]): ReadonlyMap<string | null, Sendable[]> {
  const accounts = new Map<string | null, Sendable[]>();
  for (const one of sendable) {
    const of = accounts.get(one.payer.stripeAccount);
    if (of) of.push(one);
    else accounts.set(one.payer.stripeAccount, [one]);
  }
  return accounts;
}

const chunksOf = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

/** So many at once at most. */
async function eachOf<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values();
  const worker = async (): Promise<void> => {
    for (const one of rest) await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker));
}
