/**
 * meter-event-stream — usage by the hundred, under the token of a session. Nothing is looked at before it is processed:
 * what cannot count is told by events of the account, and an identifier that was sent before is passed over in silence.
 */
import type Stripe from 'stripe';

import type { Account } from '../account.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { MINUTE, type Seconds, type Wire } from '../wire.ts';
import { acceptable, cancelEvent, isTaken } from './meter-events.ts';

/** The SDK has this type, but does not export it. */
type StreamParams = Parameters<Stripe['v2']['billing']['meterEventStream']['create']>[0];

const SESSION_SPAN: Seconds = 15 * MINUTE;
const EVENTS_MAX = 100;

export const meterEventStreamRoutes = [
  route('POST /v2/billing/meter_event_session', newSession),
  route<StreamParams>('POST /v2/billing/meter_event_stream', take, {
    isForSessions: true,
  }),
  route<Stripe.V2.Billing.MeterEventCreateParams>('POST /v2/billing/meter_events', create),
  route<Stripe.V2.Billing.MeterEventAdjustmentCreateParams>('POST /v2/billing/meter_event_adjustments', adjust),
];

function newSession({ account }: Call): Wire<Stripe.V2.Billing.MeterEventSession> {
  const now = account.now();
  const expiresAt = now + SESSION_SPAN;
  const authentication_token = account.newId('token');
  account.sessions.set(authentication_token, expiresAt);
  return {
    id: account.newId('mes'),
    object: 'v2.billing.meter_event_session',
    authentication_token,
    created: isoOf(now),
    expires_at: isoOf(expiresAt),
    livemode: false,
  };
}

function take({ account, params }: Call<StreamParams>): object {
  const { events } = params;
  if (events.length > EVENTS_MAX)
    throw invalid(`At most ${EVENTS_MAX} events a request, not ${events.length}.`, { param: 'events' });
  for (const { event_name, identifier = account.newId('ident'), payload, timestamp } of events) {
    if (isTaken(account, identifier)) continue;
    const acceptedFor = account.now(payload.stripe_customer_id);
    account.usage.accept({
      identifier,
      eventName: event_name,
      payload,
      timestamp: timestamp === undefined ? acceptedFor : secondsOf(timestamp),
      receivedAt: account.now(),
      acceptedFor,
      state: 'pending',
    });
  }
  return {};
}

function create({
  account,
  params,
}: Call<Stripe.V2.Billing.MeterEventCreateParams>): Wire<Stripe.V2.Billing.MeterEvent> {
  const { event_name, payload, identifier = account.newId('ident'), timestamp } = params;
  const at = timestamp === undefined ? account.now() : secondsOf(timestamp);
  account.usage.accept(acceptable(account, { event_name, payload, identifier, timestamp: at }));
  const created = isoOf(account.now());
  return {
    object: 'v2.billing.meter_event',
    created,
    event_name,
    identifier,
    livemode: false,
    payload,
    timestamp: isoOf(at),
  };
}

function adjust({
  account,
  params,
}: Call<Stripe.V2.Billing.MeterEventAdjustmentCreateParams>): Wire<Stripe.V2.Billing.MeterEventAdjustment> {
  const { event_name, type, cancel } = params;
  cancelEvent(account, event_name, cancel.identifier);
  return {
    id: account.newId('mtr_event_adj'),
    object: 'v2.billing.meter_event_adjustment',
    cancel: { identifier: cancel.identifier },
    created: isoOf(account.now()),
    event_name,
    livemode: false,
    status: 'pending',
    type,
  };
}

/** Of the account whose session it is, until it expires. */
export const accountOfToken = (accounts: readonly Account[], token: string): Account | undefined =>
  accounts.find((account) => (account.sessions.get(token) ?? 0) > account.now());

const isoOf = (seconds: Seconds): string => new Date(seconds * 1_000).toISOString();
const secondsOf = (iso: string): Seconds => Math.floor(Date.parse(iso) / 1_000);
