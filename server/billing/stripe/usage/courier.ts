/** courier — takes meter events to Stripe, one by one or many in a request, and no faster than Stripe takes them. */
import type Stripe from 'stripe';
import type { Clock } from '../../../domain/clock.ts';
import type { Payer } from '../../../domain/usage-report.ts';
import { onAccount } from '../client.ts';
import { chunksOf, eachOf } from '../each-of.ts';
import { meterEventName } from '../names.ts';
import { AccountPauses, type Pause } from './account-pauses.ts';
import { notSent } from './after-try.ts';
import type { Lease } from './messages.ts';
import type { Sendable } from './next-step.ts';
import { DELIVERED, type Tried, triedOf } from './outcome.ts';
import { Pace } from './pace.ts';
import { MeterEventStream, payloadOf, STREAMED_AT_ONCE_MAX } from './stream.ts';

export type CourierOptions = {
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

export const COURIER_DEFAULTS: CourierOptions = {
  perSecond: 500,
  streamedPerSecond: 5_000,
  streamFrom: 400,
  inFlightMax: 32,
  timeoutMs: 20_000,
};

const SECOND_MS = 1_000;
/** The SDK sends a request whose connection was cut once more, also where it is told never to retry. */
const SENT_AT_MOST = 2;
/** By the stream: a session, the request, another session where Stripe has ended the first one, and the request again. */
const STREAM_REQUESTS_MAX = 4;
/** After the stream has refused a request: they are sent one by one, which tells which of them is wrong. */
const STREAM_OFF_MS = 10 * 60_000;

export type CourierDeps = {
  readonly stripe: Stripe;
  readonly clock: Clock;
  /** Told once a pause of what somebody has to mend. */
  readonly onPaused?: (pause: Pause) => void;
};
export type Sent = { readonly sendable: Sendable; readonly tried: Tried };

export class Courier {
  readonly #deps: CourierDeps;
  readonly #options: CourierOptions;
  readonly #stream: MeterEventStream;
  readonly #pace: Pace;
  readonly #streamPace: Pace;
  readonly #pauses: AccountPauses;
  #streamOffUntilMs = 0;

  constructor(deps: CourierDeps, options: CourierOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#stream = new MeterEventStream(deps.stripe, deps.clock);
    this.#pauses = new AccountPauses(deps.clock, deps.onPaused ?? (() => {}));
    this.#pace = new Pace(deps.clock, options.perSecond);
    this.#streamPace = new Pace(deps.clock, options.streamedPerSecond);
  }

  /** How many it takes now. */
  get room(): number {
    const alone = this.#pace.available;
    return this.#isStreaming() ? Math.max(alone, this.#streamPace.available) : alone;
  }

  /** How long Stripe wants to hear nothing of an account; 0 or less: it listens. */
  pausedMs({ stripeAccount }: Payer): number {
    return this.#pauses.leftMs(stripeAccount);
  }

  /** @returns what the try with each came to, in any order. */
  async send(lease: Lease, sendable: readonly Sendable[]): Promise<readonly Sent[]> {
    return this.#isStreaming() && sendable.length >= this.#options.streamFrom
      ? this.#sendAllByStream(lease, sendable)
      : this.#sendEach(lease, sendable);
  }

  #isStreaming(): boolean {
    return this.#deps.clock.now() >= this.#streamOffUntilMs && this.#options.streamFrom !== Number.POSITIVE_INFINITY;
  }

  async #sendAllByStream(lease: Lease, sendable: readonly Sendable[]): Promise<readonly Sent[]> {
    this.#streamPace.take(sendable.length);
    const batches = [...byAccount(sendable).values()].flatMap((of) => chunksOf(of, STREAMED_AT_ONCE_MAX));
    const sent: Sent[] = [];
    await eachOf(batches, this.#options.inFlightMax, async (batch) => {
      const tried = await this.#sendMany(lease, batch);
      sent.push(...batch.map((one) => ({ sendable: one, tried })));
    });
    return sent;
  }

  /** Leased were as many as the stream would take: those that are too many wait for the next second. */
  async #sendEach(lease: Lease, sendable: readonly Sendable[]): Promise<readonly Sent[]> {
    const { available } = this.#pace;
    const now = sendable.slice(0, available);
    this.#pace.take(now.length);
    const sent: Sent[] = sendable.slice(available).map((one) => ({ sendable: one, tried: notSent(SECOND_MS) }));
    await eachOf(now, this.#options.inFlightMax, async (one) => {
      sent.push({ sendable: one, tried: await this.#sendOne(lease, one) });
    });
    return sent;
  }

  async #sendOne(lease: Lease, sendable: Sendable): Promise<Tried> {
    const { message, payer, countedAtMs } = sendable;
    if (!this.#mayGo(lease, payer, 1)) return notSent(this.pausedMs(payer));
    const event = {
      event_name: meterEventName(message.tenantId, message.featureKey),
      identifier: message.identifier,
      timestamp: countedAtMs / SECOND_MS,
      payload: payloadOf(sendable),
    };
    const options = { ...onAccount(payer.stripeAccount), timeout: this.#options.timeoutMs, maxNetworkRetries: 0 };
    try {
      await this.#deps.stripe.billing.meterEvents.create(event, options);
      return DELIVERED;
    } catch (error) {
      return this.#heed(payer, triedOf(error));
    }
  }

  /** @param batch At least one, all of one account. */
  async #sendMany(lease: Lease, batch: readonly Sendable[]): Promise<Tried> {
    const [first] = batch;
    if (!first) return DELIVERED;
    const { payer } = first;
    const nowMs = this.#deps.clock.now();
    if (!this.#mayGo(lease, payer, STREAM_REQUESTS_MAX)) return notSent(this.pausedMs(payer));
    try {
      await this.#stream.send(payer.stripeAccount, batch, this.#options.timeoutMs);
      return DELIVERED;
    } catch (error) {
      const tried = triedOf(error);
      if (tried.kind === 'unknown' || tried.kind === 'refused') return this.#heed(payer, tried);
      this.#streamOffUntilMs = nowMs + STREAM_OFF_MS;
      const sentence = tried.kind === 'dead' ? tried.sentence : 'an identifier is known already';
      return { kind: 'unknown', whom: 'message', code: 'stream_refused', sentence, retryAfterMs: 0 };
    }
  }

  /** Whoever takes longer than its lease may be sending beside somebody else. */
  #mayGo(lease: Lease, payer: Payer, requests: number): boolean {
    const takesMs = requests * SENT_AT_MOST * this.#options.timeoutMs;
    return this.#deps.clock.now() + takesMs <= lease.untilMs && this.pausedMs(payer) <= 0;
  }

  #heed({ stripeAccount }: Payer, tried: Tried): Tried {
    this.#pauses.heed(stripeAccount, tried);
    return tried;
  }
}

function byAccount(sendable: readonly Sendable[]): ReadonlyMap<string | null, Sendable[]> {
  const accounts = new Map<string | null, Sendable[]>();
  for (const one of sendable) {
    const of = accounts.get(one.payer.stripeAccount);
    if (of) of.push(one);
    else accounts.set(one.payer.stripeAccount, [one]);
  }
  return accounts;
}
