/**
 * biller — what the product asks of whoever takes the money. One implementation talks to Stripe; the other to nobody, and
 * leaves the money to people.
 */
import type { BilledUse } from '../domain/billed-use.ts';
import type { Charged } from '../domain/billing-account.ts';
import type { BillingInterval, Plan } from '../domain/plan.ts';
import type { Units } from '../domain/units.ts';

export type Payer = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  readonly name: string | null;
  readonly email: string | null;
};

/** What a checkout is for. */
export type Purchase =
  | {
      readonly kind: 'plan';
      readonly plan: Plan;
      readonly interval: BillingInterval;
      readonly currency: string;
      /** What of its use is billed at the period's end, in whichever currency. */
      readonly use: readonly BilledUse[];
    }
  | {
      readonly kind: 'credit_pack';
      readonly packKey: string;
      readonly displayName: string;
      readonly featureKey: string;
      readonly units: Units;
      /** In minor units, whole. */
      readonly amount: Units;
      readonly currency: string;
    }
  | { readonly kind: 'top_up'; readonly amount: Units; readonly currency: string };

export type CheckoutRequest = {
  readonly payer: Payer;
  readonly purchase: Purchase;
  readonly successUrl: string;
  readonly cancelUrl: string;
  /** The same key with the same request is the same checkout. */
  readonly idempotencyKey: string | null;
};

/** A page on which a customer pays. */
export type Checkout = { readonly id: string; readonly url: string; readonly expiresAtMs: number };

export type PortalRequest = {
  readonly payer: Payer;
  readonly returnUrl: string;
  readonly idempotencyKey: string | null;
};

/** A page on which a customer sees to its subscription, payment methods and invoices. */
export type Portal = { readonly url: string };

/** Money that a wallet has asked for. */
export type TopUpCharge = {
  readonly tenantId: string;
  readonly customerId: string;
  /** The customer's sequence at which the wallet ran low; with the currency, it names the request. */
  readonly sequence: bigint;
  readonly currency: string;
  /** In minor units. */
  readonly amount: Units;
  readonly askedAtMs: number;
};

/** `pending`: it is not known yet, and to be asked for again. `left`: somebody else takes the money, and says so. */
export type TopUpOutcome =
  /** `paymentId`: of the charge; null where nothing was charged. */
  (Charged & { readonly paymentId: string | null }) | { readonly outcome: 'pending' } | { readonly outcome: 'left' };

export interface Biller {
  readonly kind: 'stripe' | 'manual';
  /** @throws {MeterError} `BILLING_DISABLED`, `ALREADY_SUBSCRIBED`, `INVALID_INPUT`, `IDEMPOTENCY_CONFLICT` */
  createCheckout(request: CheckoutRequest): Promise<Checkout>;
  /** @throws {MeterError} `BILLING_DISABLED`, `IDEMPOTENCY_CONFLICT` */
  createPortal(request: PortalRequest): Promise<Portal>;
  /** The same request is charged once, however often it is made. */
  chargeTopUp(charge: TopUpCharge): Promise<TopUpOutcome>;
}
