/**
 * payment — brings about what a payment is for, once, and takes it back as far as the payment went back.
 *
 * The payment is asked for each time; notices say only which.
 */
import type Stripe from 'stripe';
import { paymentById, savePayment } from '../../../db/queries/billing-payments.ts';
import { topUpStateOf } from '../../../db/queries/top-up-requests.ts';
import type { Units } from '../../../domain/units.ts';
import type { OfCustomer } from '../../effects.ts';
import { countCharge } from '../../top-up-standing.ts';
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
  const account = (await paidBefore(deps, paymentId, connected)) ?? (await accountPaidBy(deps, payer, connected));
  if (account === null) return false;
  if (payment.status !== 'succeeded') return true; // whoever charges a top-up says itself that it failed
  await fulfilOnce(deps, account, payment, purpose);
  await settleReturn(deps, paymentId, () => returnedOf(stripe, paymentId, to));
  return true;
}

/** Whose a payment is that was given already: also where whoever paid it was deleted at Stripe since. */
async function paidBefore(
  { database, accountOf }: StripeDeps,
  paymentId: string,
  connected: string | null,
): Promise<OfCustomer | null> {
  const payment = await paymentById(database.db, paymentId);
  return payment && (await accountOf(payment.tenantId)) === connected ? payment : null;
}

type Deps = Pick<StripeDeps, 'effects' | 'database' | 'clock'>;
type Paid = Pick<Stripe.PaymentIntent, 'id' | 'amount_received' | 'currency' | 'payment_method' | 'last_payment_error'>;

/**
 * Each step is the same twice as once, so that one that was interrupted is simply done again: as long as the keys of what
 * it gives are remembered, which is longer than Stripe sends a notice, or lists it. The row that is written last says for
 * ever that it was given.
 */
export async function fulfilOnce(
  deps: Deps,
  { tenantId, customerId }: OfCustomer,
  payment: Paid,
  purpose: Purpose,
): Promise<void> {
  const { database, clock } = deps;
  const { id: paymentId, currency } = payment;
  if ((await paymentById(database.db, paymentId)) !== null) return;
  const of = { tenantId, customerId };
  const amount = amountCharged(payment.amount_received, currency);
  await fulfil(deps, of, { ...payment, amount }, purpose);
  const pack = purpose.kind === 'credit_pack' ? purpose : null;
  const gave = { grantId: pack && grantIdOf(customerId, paymentId), featureKey: pack?.featureKey ?? null };
  await savePayment(database.db, { ...of, paymentId, purpose: purpose.kind, currency, amount, ...gave }, clock.now());
}

async function fulfil(
  deps: Deps,
  of: OfCustomer,
  { amount, ...payment }: Paid & { readonly amount: Units },
  purpose: Purpose,
): Promise<void> {
  const { id, currency } = payment;
  const idempotencyKey = `stripe payment ${id}`;
  switch (purpose.kind) {
    case 'credit_pack': {
      const { featureKey, units } = purpose;
      await deps.effects.grantUnits(of, { grantId: grantIdOf(of.customerId, id), featureKey, units, idempotencyKey });
      return;
    }
    case 'top_up':
      await deps.effects.moveMoney(of, { currency, amount, idempotencyKey });
      return;
    case 'auto_top_up':
      if (await isAnswered(deps, of, payment, purpose.sequence)) return;
      await deps.effects.moveMoney(of, { currency, amount, idempotencyKey });
  }
}

/** Answers the wallet that asked. @returns false where it was told meanwhile that it failed: the money is still to be given. */
async function isAnswered(
  { effects, database }: Deps,
  of: OfCustomer,
  payment: Paid,
  sequence: bigint,
): Promise<boolean> {
  const request = { ...of, currency: payment.currency, sequence };
  await countCharge(database, request, payment.id, { outcome: 'paid', paymentMethodId: methodOf(payment) });
  await effects.settleTopUp(of, { currency: payment.currency, sequence, outcome: 'paid' });
  return (await topUpStateOf(database.db, request)) !== 'failed';
}

export function methodOf({ payment_method, last_payment_error }: Paid): string | null {
  const method = payment_method ?? last_payment_error?.payment_method ?? null;
  return typeof method === 'string' ? method : (method?.id ?? null);
}
