/** disputes — read; they are opened by the test that plays the bank. */
import type Stripe from 'stripe';
import { page } from '../page.ts';
import { route } from '../route.ts';

export const disputeRoutes = [
  route('GET /v1/disputes/{}', ({ account, id }) => account.disputes.get(id)),
  route<Stripe.DisputeListParams>('GET /v1/disputes', ({ account, params, url }) => {
    const { charge, payment_intent } = params;
    const fits = (each: { charge: string; payment_intent: string | null }) =>
      (charge === undefined || each.charge === charge) &&
      (payment_intent === undefined || each.payment_intent === payment_intent);
    return page(account.disputes.all(fits), params, url);
  }),
];
