/** stored-json — what tables and remembered answers keep as JSON alike: renewals of credits, and what paid. */
import { type OnRenewalJson, onRenewalFromJson, onRenewalToJson } from '../db/credit-rule-json.ts';
import type { Renewal } from '../domain/grant.ts';
import { NO_PAYMENT, type Payment } from '../domain/payment.ts';
import { formatUnits, unitsOf } from '../domain/units.ts';

export type RenewalJson = Omit<Renewal, 'amount' | 'onRenewal'> & {
  readonly amount: string;
  readonly onRenewal: OnRenewalJson;
};

export const renewalToJson = ({ amount, onRenewal, ...renewal }: Renewal): RenewalJson => ({
  ...renewal,
  amount: formatUnits(amount),
  onRenewal: onRenewalToJson(onRenewal),
});

export const renewalFromJson = ({ amount, onRenewal, ...renewal }: RenewalJson): Renewal => ({
  ...renewal,
  amount: unitsOf(amount),
  onRenewal: onRenewalFromJson(onRenewal),
});

export type SplitJson = Readonly<
  Record<'included' | 'credits' | 'wallet' | 'overage' | 'cost' | 'walletCharge', string>
> & { readonly currency: string | null };

export const splitToJson = (payment: Omit<Payment, 'draws'>, currency: string | null): SplitJson => ({
  included: formatUnits(payment.included),
  credits: formatUnits(payment.credits),
  wallet: formatUnits(payment.wallet),
  overage: formatUnits(payment.overage),
  cost: formatUnits(payment.cost),
  walletCharge: formatUnits(payment.walletCharge),
  currency,
});

export const paymentFromJson = (json: SplitJson): Payment => ({
  included: unitsOf(json.included),
  credits: unitsOf(json.credits),
  wallet: unitsOf(json.wallet),
  overage: unitsOf(json.overage),
  cost: unitsOf(json.cost),
  walletCharge: unitsOf(json.walletCharge),
  draws: NO_PAYMENT.draws,
});
