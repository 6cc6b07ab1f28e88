/** returned — what of a payment went back: refunded, or taken by the bank. */
import type Stripe from 'stripe';
import type { Units } from '../../../domain/units.ts';
import { amountCharged } from '../amounts.ts';

/** The bank has taken the money, or will: all but inquiries, and those that were won. */
const TAKEN: ReadonlySet<Stripe.Dispute.Status> = new Set(['needs_response', 'under_review', 'lost']);

const DISPUTES_MAX = 100;

/** In minor units; at most what was paid. */
export async function returnedOf(stripe: Stripe, paymentId: string, to: Stripe.RequestOptions): Promise<Units> {
  const payment = await stripe.paymentIntents.retrieve(paymentId, { expand: ['latest_charge'] }, to);
  const { latest_charge, amount_received, currency } = payment;
  if (latest_charge === null || typeof latest_charge === 'string') return 0n;
  const disputed = latest_charge.disputed ? await disputedOf(stripe, paymentId, to) : 0;
  return amountCharged(Math.min(latest_charge.amount_refunded + disputed, amount_received), currency);
}

async function disputedOf(stripe: Stripe, paymentId: string, to: Stripe.RequestOptions): Promise<number> {
  const { data } = await stripe.disputes.list({ payment_intent: paymentId, limit: DISPUTES_MAX }, to);
  return data.filter(({ status }) => TAKEN.has(status)).reduce((sum, { amount }) => sum + amount, 0);
}
