/** subject — what a notice is about. What it says of that is not read: it may be older than what is known already. */
import type Stripe from 'stripe';

export type Subject =
  /** Whoever pays, and with it all its subscriptions. */
  | { readonly kind: 'customer'; readonly id: string }
  | { readonly kind: 'checkout'; readonly id: string }
  /** A payment for something prepaid, and what of it went back. */
  | { readonly kind: 'payment'; readonly id: string };

/** Stripe must be told to send these, and no others. */
export const NOTICE_TYPES = [
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'customer.subscription.trial_will_end',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.upcoming',
  'invoice.voided',
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'charge.refunded',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
] as const satisfies readonly Stripe.Event.Type[];

/** Those that tell of a change. Stripe lists 20 types at once and no more; what only announces something is not missed. */
export const SWEPT_TYPES = NOTICE_TYPES.filter(
  (type) => !['customer.subscription.trial_will_end', 'invoice.upcoming', 'charge.dispute.updated'].includes(type),
);

type NoticeType = (typeof NOTICE_TYPES)[number];
const isOurs = (type: string): type is NoticeType => NOTICE_TYPES.some((ours) => ours === type);

/** @returns null for what nothing follows from. */
export function subjectOf({ type, data }: Pick<Stripe.Event, 'type' | 'data'>): Subject | null {
  if (!isOurs(type)) return null;
  const object = data.object as unknown as Readonly<Record<string, unknown>>; // a union of all that Stripe has
  if (type.startsWith('checkout.session.')) return subject('checkout', object.id);
  if (type.startsWith('payment_intent.')) return subject('payment', object.id);
  if (type.startsWith('charge.') || type === 'refund.failed') return subject('payment', object.payment_intent);
  return subject('customer', object.customer);
}

/** Where Stripe names another object, it says its id, or the object itself. */
function subject(kind: Subject['kind'], named: unknown): Subject | null {
  const id = typeof named === 'object' && named !== null && 'id' in named ? named.id : named;
  return typeof id === 'string' ? { kind, id } : null;
}
