/** billing-account — who pays for a customer, and with which subscription. */
import type { Subscription } from './subscription.ts';

export type BillingAccount = {
  readonly customerId: string;
  readonly tenantId: string;
  /** The processor's id of who pays. */
  readonly stripeCustomerId: string;
  /** As the processor had it when it was last asked; null before there is one. */
  readonly subscription: Subscription | null;
  readonly topUps: TopUpStanding;
  /** Another with every state that was applied. */
  readonly revision: bigint;
};

/** Whether money is charged by itself. */
export type TopUpStanding = {
  /** Refusals in a row that may pass. */
  readonly softDeclines: number;
  /** Why nothing is charged any more until there is another payment method; null while it is. */
  readonly stopped: string | null;
  /** Charged last. */
  readonly paymentMethodId: string | null;
};

export const NO_TOP_UPS: TopUpStanding = { softDeclines: 0, stopped: null, paymentMethodId: null };

/** What became of a charge. */
export type Charged =
  | { readonly outcome: 'paid'; readonly paymentMethodId: string | null }
  | {
      readonly outcome: 'failed';
      readonly paymentMethodId: string | null;
      /** A word for why: the bank's own, or `authentication_required`, `no_payment_method`. */
      readonly reason: string;
    };

export const SOFT_DECLINES_MAX = 3;

/** Refusals that don't pass: the card is gone, wrong, or its owner has said no. All others may be tried again. */
export const HARD_DECLINES: ReadonlySet<string> = new Set([
  'card_not_supported',
  'currency_not_supported',
  'expired_card',
  'fraudulent',
  'incorrect_number',
  'invalid_account',
  'invalid_expiry_month',
  'invalid_expiry_year',
  'invalid_number',
  'lost_card',
  'merchant_blacklist',
  'no_payment_method',
  'not_permitted',
  'pickup_card',
  'restricted_card',
  'revocation_of_all_authorizations',
  'revocation_of_authorization',
  'security_violation',
  'service_not_allowed',
  'stolen_card',
  'stop_payment_order',
  'transaction_not_allowed',
]);

/** Charging after so and so went. Three refusals that may pass in a row, or one that doesn't, end it. */
export function afterCharge(before: TopUpStanding, charged: Charged): TopUpStanding {
  const { paymentMethodId } = charged;
  if (charged.outcome === 'paid') return { softDeclines: 0, stopped: null, paymentMethodId };
  const inARow = before.paymentMethodId === paymentMethodId ? before.softDeclines : 0;
  if (HARD_DECLINES.has(charged.reason)) return { softDeclines: inARow, stopped: charged.reason, paymentMethodId };
  const softDeclines = inARow + 1;
  return { softDeclines, stopped: softDeclines < SOFT_DECLINES_MAX ? null : charged.reason, paymentMethodId };
}

/** Why a payment method is not to be charged; null where it may be. Another one than was refused may. */
export const stoppedFor = ({ stopped, paymentMethodId }: TopUpStanding, offeredId: string | null): string | null =>
  stopped !== null && paymentMethodId === offeredId ? stopped : null;
