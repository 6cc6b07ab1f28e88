/**
 * meter-events — usage, as it is sent one by one. What can be seen at once is refused at once; whether the customer
 * exists is found out when the event is processed, and told by an event of the account.
 */
import type Stripe from 'stripe';
import type { Account, Meter } from '../account.ts';
import type { MeterEvent } from '../meter-ledger.ts';
import { invalid, missing } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { DAY, MINUTE, type Seconds, type Wire } from '../wire.ts';
import { activeMeter, NAME_CHARACTERS_MAX } from './meters.ts';

/** How long an identifier is taken, and an event can be cancelled: the least that Stripe promises. */
export const IDENTIFIER_SPAN: Seconds = DAY;
const PAST_SPAN_MAX: Seconds = 35 * DAY;
const FUTURE_SPAN_MAX: Seconds = 5 * MINUTE;
const VALUE_DIGITS_MAX = 15;
const WHOLE_NUMBER = /^-?\d+$/;

/** Stripe takes one at a time of each. The customer is told by the usual key, for the meter is not looked at yet. */
const customerAndMeter = ({ event_name, payload }: Stripe.Billing.MeterEventCreateParams): string =>
  `${event_name} ${payload?.stripe_customer_id}`;

export const meterEventRoutes = [
  route<Stripe.Billing.MeterEventCreateParams>('POST /v1/billing/meter_events', create, { locks: customerAndMeter }),
  route<Stripe.Billing.MeterEventAdjustmentCreateParams>('POST /v1/billing/meter_event_adjustments', adjust),
];

function create({ account, params }: Call<Stripe.Billing.MeterEventCreateParams>): Wire<Stripe.Billing.MeterEvent> {
  const { event_name, payload, identifier = account.newId('ident'), timestamp = account.now() } = params;
  const event = acceptable(account, { event_name, payload, identifier, timestamp });
  account.usage.accept(event);
  const created = event.receivedAt;
  return { object: 'billing.meter_event', created, event_name, identifier, livemode: false, payload, timestamp };
}

type Sent = { event_name: string; payload: { readonly [key: string]: string }; identifier: string; timestamp: Seconds };

/** @throws Refusal for what is wrong with it on its face. */
export function acceptable(account: Account, { event_name, payload, identifier, timestamp }: Sent): MeterEvent {
  const meter = activeMeter(account, event_name);
  if (!meter) throw invalid(`No active meter found for event name ${event_name}.`, { param: 'event_name' });
  if (identifier.length > NAME_CHARACTERS_MAX)
    throw invalid(`Must be at most ${NAME_CHARACTERS_MAX} characters.`, { param: 'identifier' });
  const acceptedFor = timeOf(account, payload[meter.customer_mapping.event_payload_key]);
  const problem = problemOfTime(timestamp, acceptedFor) ?? problemOfValue(meter, payload);
  if (problem) throw invalid(problem.message, { param: problem.param });
  if (isTaken(account, identifier)) throw invalid(`An event already exists with identifier ${identifier}.`);
  return {
    identifier,
    eventName: event_name,
    payload,
    timestamp,
    receivedAt: account.now(),
    acceptedFor,
    state: 'pending',
  };
}

/** By the clock that the customer goes by, if it is one of the account's. */
export const timeOf = (account: Account, customer: string | undefined): Seconds => account.now(customer);

/** For a rolling day; afterwards the same identifier is another event. */
export function isTaken(account: Account, identifier: string): boolean {
  const earlier = account.usage.latest(identifier);
  return earlier !== undefined && account.now() - earlier.receivedAt < IDENTIFIER_SPAN;
}

type Problem = { readonly code: string; readonly message: string; readonly param: string };

export function problemOfTime(timestamp: Seconds, now: Seconds): Problem | undefined {
  const param = 'timestamp';
  if (timestamp < now - PAST_SPAN_MAX) {
    return { code: 'timestamp_too_far_in_past', message: 'The timestamp must be within the past 35 days.', param };
  }
  if (timestamp > now + FUTURE_SPAN_MAX) {
    return { code: 'timestamp_in_future', message: 'The timestamp may be at most 5 minutes in the future.', param };
  }
  return undefined;
}

/** One that counts events counts them whatever they say. */
export const takesValue = (meter: Meter): boolean => meter.default_aggregation.formula !== 'count';

export function problemOfValue(meter: Meter, payload: MeterEvent['payload']): Problem | undefined {
  if (!takesValue(meter)) return undefined;
  const param = 'payload';
  const value = payload[meter.value_settings.event_payload_key];
  if (value === undefined || !WHOLE_NUMBER.test(value)) {
    return { code: 'meter_event_invalid_value', message: `The value must be a whole number, not ${value}.`, param };
  }
  if (value.replace('-', '').length > VALUE_DIGITS_MAX) {
    const message = `The value may have at most ${VALUE_DIGITS_MAX} digits.`;
    return { code: 'meter_event_value_too_many_digits', message, param };
  }
  return undefined;
}

function adjust({
  account,
  params,
}: Call<Stripe.Billing.MeterEventAdjustmentCreateParams>): Wire<Stripe.Billing.MeterEventAdjustment> {
  const { event_name, type, cancel } = params;
  const identifier = cancel?.identifier;
  if (identifier === undefined)
    throw invalid('Missing required param: cancel[identifier].', { param: 'cancel[identifier]' });
  cancelEvent(account, event_name, identifier);
  return {
    object: 'billing.meter_event_adjustment',
    cancel: { identifier },
    event_name,
    livemode: false,
    status: 'pending',
    type,
  };
}

/** @throws Refusal where there is none of this identifier, or it was received more than a day ago. */
export function cancelEvent(account: Account, eventName: string, identifier: string): void {
  const event = account.usage.latest(identifier);
  if (!event || event.eventName !== eventName) throw missing('meter event', identifier, 'cancel[identifier]');
  if (account.now() - event.receivedAt >= IDENTIFIER_SPAN) {
    throw invalid('Only events received within the last 24 hours can be cancelled.', { param: 'cancel[identifier]' });
  }
  event.state = 'cancelled';
}
