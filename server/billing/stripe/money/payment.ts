/**
 * payment — brings about what a payment is for, once, and takes it back as far as the payment went back.
 *
 * The payment is asked for each time; notices say only which.
 */
import type Stripe from 'stripe';
import { paymentById, savePayment } from '../../../db/queries/billing-payments.ts';
import type { OfCustomer } from '../../effects.ts';
import { accountPaidBy } from '../accounts.ts';
import { amountCharged } from '../amounts.ts';
import { onAccount } from '../client.ts';
import type { StripeDeps } from '../deps.ts';
import { orNull } from '../failures.ts';
import { grantIdOf, type Purpose, purposeOf } from './purpose.ts';
import { settleReturn } from './return.ts';
import { returnedOf } from './returned.ts';

/** @returns false where it is for nothing of ours. */
export async function followPayment(deps: StripeDeps, paymentId: string, connected: string | null): Promise<boolean> {
  const { stripe } = deps;
  const to = onAccount(connected);
  const payment = await orNull(stripe.paymentIntents.retrieve(paymentId, {}, to));
  if (payment === null) return false;
  const purpose = purposeOf(payment.metadata);
  if (purpose === null || payment.customer === null) return false;
  const payer = typeof payment.customer === 'string' ? payment.customer : payment.customer.id;
  const account = await accountPaidBy(deps, payer, connected);
  if (account === null) return false;
  if (payment.status !== 'succeeded') return true; // whoever charges a top-up says itself that it failed
  if ((await paymentById(deps.database.db, paymentId)) === null) await fulfil(deps, account, payment, purpose);
  await settleReturn(deps, paymentId, () => returnedOf(stripe, paymentId, to));
  return true;
}

/**
 * Each step is the same twice as once, so that one that was interrupted is simply done again: as long as the keys of what
 * it gives are remembered, which is longer than Stripe sends a notice, or lists it. The row that is written last says for
 * ever that it was given.
 */
export async function fulfil(
  { effects, database, clock }: Pick<StripeDeps, 'effects' | 'database' | 'clock'>,
  { tenantId, customerId }: OfCustomer,
  payment: Pick<Stripe.PaymentIntent, 'id' | 'amount_received' | 'currency'>,
  purpose: Purpose,
): Promise<void> {
  const of = { tenantId, customerId };
  const { id, currency } = payment;
  const amount = amountCharged(payment.amount_received, currency);
  const idempotencyKey = `stripe payment ${id}`;
  const pack = purpose.kind === 'credit_pack' ? purpose : null;
  const grantId = pack && grantIdOf(customerId, id);
  if (pack && grantId !== null) {
    await effects.grantUnits(of, { grantId, featureKey: pack.featureKey, units: pack.units, idempotencyKey });
  } else if (purpose.kind === 'auto_top_up') {
    await effects.settleTopUp(of, { currency, sequence: purpose.sequence, outcome: 'paid' });
  } else {
    await effects.moveMoney(of, { currency, amount, idempotencyKey });
  }
  const featureKey = pack?.featureKey ?? null;
  await savePayment(
    database.db,
    { ...of, paymentId: id, purpose: purpose.kind, currency, amount, grantId, featureKey },
    clock.now(),
  );
}
