/** connection — how this gateway is joined to Stripe. */
import type Stripe from 'stripe';

export type StripeConnection = {
  readonly stripe: Stripe;
  /** Of the endpoint that notices come to; two while they are rotated, none where it is not set up. */
  readonly webhookSecrets: readonly string[];
};
