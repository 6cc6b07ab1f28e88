/** refunds — money given back, of a charge, in parts or whole. */
import type Stripe from 'stripe';
import type { Account, Charge, Refund } from '../account.ts';
import { announce } from '../announce.ts';
import { page } from '../page.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { mergeMetadata } from '../wire.ts';

export const refundRoutes = [
  route<Stripe.RefundCreateParams>('POST /v1/refunds', create),
  route('GET /v1/refunds/{}', ({ account, id }) => account.refunds.get(id)),
  route<Stripe.RefundListParams>('GET /v1/refunds', ({ account, params, url }) => {
    const { charge, payment_intent } = params;
    const fits = (refund: Refund) =>
      (charge === undefined || refund.charge === charge) &&
      (payment_intent === undefined || refund.payment_intent === payment_intent);
    return page(account.refunds.all(fits), params, url);
  }),
];

function create({ account, params }: Call<Stripe.RefundCreateParams>): Refund {
  const { payment_intent, charge: chargeId, metadata, reason } = params;
  const charge = chargeOf(account, payment_intent, chargeId);
  const left = charge.amount_captured - charge.amount_refunded;
  const amount = params.amount ?? left;
  if (left === 0) throw invalid(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' });
  if (amount < 1 || amount > left) {
    throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`, {
      param: 'amount',
    });
  }
  const refund: Refund = {
    id: account.newId('re'),
    object: 'refund',
    amount,
    balance_transaction: null,
    charge: charge.id,
    created: account.now(),
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    metadata: mergeMetadata(null, metadata),
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  };
  charge.amount_refunded += amount;
  charge.refunded = charge.amount_refunded === charge.amount_captured;
  announce(account, 'refund.created', account.refunds.add(refund));
  announce(account, 'charge.refunded', charge);
  return refund;
}

function chargeOf(account: Account, intent: string | undefined, charge: string | undefined): Charge {
  if ((intent === undefined) === (charge === undefined))
    throw invalid('One of `charge` and `payment_intent` is needed.');
  if (charge !== undefined) return account.charges.get(charge, 'charge');
  const { latest_charge, status } = account.paymentIntents.get(`${intent}`, 'payment_intent');
  const latest = account.charges.find(latest_charge);
  if (!latest || status !== 'succeeded')
    throw invalid('This PaymentIntent does not have a successful charge to refund.');
  return latest;
}
