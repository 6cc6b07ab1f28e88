/** connection — how this gateway is joined to Stripe. */
import type Stripe from 'stripe';
import type { ApiKeyMode } from '../../domain/api-key.ts';

export type StripeConnection = {
  readonly stripe: Stripe;
  /** Of the key: tenants of the other mode are not billed. Left out: all are. */
  readonly mode?: ApiKeyMode;
  /** Of the endpoint that notices come to; two while they are rotated, none where it is not set up. */
  readonly webhookSecrets: readonly string[];
};
