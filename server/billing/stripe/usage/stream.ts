/**
 * stream — many meter events in one request: Stripe's meter event stream, which takes them by a session's token.
 *
 * It says nothing of single events; what is wrong with one is told later, by an error report.
 */
import type Stripe from 'stripe';
import type { Clock } from '../../../domain/clock.ts';
import { ONE } from '../../../domain/units.ts';
import { onAccount } from '../client.ts';
import { meterEventName } from '../names.ts';
import type { Sending } from './messages.ts';

/** Stripe takes so many in one request. */
export const STREAMED_AT_ONCE_MAX = 100;
/** A session lasts 15 minutes; it is renewed before somebody's request could fall behind its end. */
const RENEWED_BEFORE_MS = 2 * 60_000;

type Session = { readonly token: string; readonly endsAtMs: number };

export class MeterEventStream {
  readonly #stripe: Pick<Stripe, 'v2'>;
  readonly #clock: Clock;
  /** By account. */
  readonly #sessions = new Map<string | null, Session>();
  /** By account: one session for all who ask at once. */
  readonly #opening = new Map<string | null, Promise<Session>>();

  constructor(stripe: Pick<Stripe, 'v2'>, clock: Clock) {
    this.#stripe = stripe;
    this.#clock = clock;
  }

  /** @throws what the SDK throws: then nobody knows more of any of them than that says. */
  async send(stripeAccount: string | null, sendings: readonly Sending[], timeoutMs: number): Promise<void> {
    const params = { events: sendings.map(eventOf) };
    const first = await this.#sessionOf(stripeAccount, timeoutMs);
    try {
      await this.#sendBy(first, params, timeoutMs);
    } catch (error) {
      if (!isExpired(error)) throw error; // refused before anything has happened: once more, by a new session
      this.#sessions.delete(stripeAccount);
      await this.#sendBy(await this.#sessionOf(stripeAccount, timeoutMs), params, timeoutMs);
    }
  }

  async #sendBy({ token }: Session, params: StreamParams, timeout: number): Promise<void> {
    await this.#stripe.v2.billing.meterEventStream.create(params, { apiKey: token, timeout, maxNetworkRetries: 0 });
  }

  async #sessionOf(stripeAccount: string | null, timeout: number): Promise<Session> {
    const known = this.#sessions.get(stripeAccount);
    if (known && this.#clock.now() < known.endsAtMs - RENEWED_BEFORE_MS) return known;
    const opening = this.#opening.get(stripeAccount) ?? this.#open(stripeAccount, timeout);
    this.#opening.set(stripeAccount, opening);
    return opening;
  }

  async #open(stripeAccount: string | null, timeout: number): Promise<Session> {
    try {
      const options = { ...onAccount(stripeAccount), timeout, maxNetworkRetries: 0 };
      const { authentication_token, expires_at } = await this.#stripe.v2.billing.meterEventSession.create({}, options);
      const session = { token: authentication_token, endsAtMs: Date.parse(expires_at) };
      this.#sessions.set(stripeAccount, session);
      return session;
    } finally {
      this.#opening.delete(stripeAccount);
    }
  }
}

type StreamParams = Parameters<Stripe['v2']['billing']['meterEventStream']['create']>[0];

const eventOf = (sending: Sending): StreamParams['events'][number] => ({
  event_name: meterEventName(sending.message.tenantId, sending.message.featureKey),
  identifier: sending.message.identifier,
  timestamp: new Date(sending.countedAtMs).toISOString(),
  payload: payloadOf(sending),
});

/** What Stripe counts, and whose it is. */
export const payloadOf = ({ message, stripeCustomerId }: Sending): Record<string, string> => ({
  stripe_customer_id: stripeCustomerId,
  value: (message.quantity / ONE).toString(),
});

const isExpired = (error: unknown): boolean =>
  error instanceof Error &&
  (('statusCode' in error && error.statusCode === 401) ||
    ('code' in error && error.code === 'billing_meter_event_session_expired'));
