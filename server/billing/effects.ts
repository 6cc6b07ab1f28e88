/** effects — what payment brings about in the product. Handed in: billing knows neither the engine nor the actions. */
import type { BillingAccount } from '../domain/billing-account.ts';
import type { Customer } from '../domain/customer.ts';
import type { FoundSubscription, Subscription } from '../domain/subscription.ts';
import type { Units } from '../domain/units.ts';

export type OfCustomer = { readonly tenantId: string; readonly customerId: string };

export type FoundOf = {
  /** The account as it was before the processor was asked. */
  readonly account: BillingAccount;
  /** All that the processor has of the customer. */
  readonly found: readonly FoundSubscription[];
};

/** Before and after: null where there was nothing. */
export type FollowedSubscription = {
  readonly customer: Customer;
  readonly before: Subscription | null;
  readonly after: Subscription | null;
};

export interface BillingEffects {
  /** Whether the tenant has the customer. */
  hasCustomer(of: OfCustomer): Promise<boolean>;
  /** Lets the customer follow that of its subscriptions which counts. @returns null where the processor has to be asked again. */
  followSubscription(of: FoundOf): Promise<FollowedSubscription | null>;
  /** Gives bought units; once for each key. */
  grantUnits(of: OfCustomer, grant: BoughtUnits): Promise<void>;
  /** What is left of bought units, and how many they were. */
  unitsLeft(of: OfCustomer, grantId: string): Promise<UnitsLeft>;
  /** Takes some of what is left, or (below 0) puts back what was taken; once for each key. @throws {MeterError} `INSUFFICIENT_BALANCE` */
  takeUnits(of: OfCustomer, taken: TakenUnits): Promise<void>;
  /** Takes away what is left, for good. */
  voidGrant(of: OfCustomer, grantId: string): Promise<void>;
  /** Puts money into a wallet, or (below 0) takes it out; once for each key. @throws {MeterError} `INSUFFICIENT_BALANCE` */
  moveMoney(of: OfCustomer, move: MoneyMove): Promise<void>;
  balanceOf(of: OfCustomer, currency: string): Promise<Units>;
  /** Says what became of a top-up. @returns false where that was known. */
  settleTopUp(of: OfCustomer, settled: SettledTopUp): Promise<boolean>;
}

export type BoughtUnits = {
  readonly grantId: string;
  readonly featureKey: string;
  readonly units: Units;
  readonly idempotencyKey: string;
};

export type UnitsLeft = { readonly amount: Units; readonly remaining: Units };

export type TakenUnits = { readonly grantId: string; readonly units: Units; readonly idempotencyKey: string };

export type MoneyMove = {
  readonly currency: string;
  /** In minor units. */
  readonly amount: Units;
  readonly idempotencyKey: string;
};

export type SettledTopUp = {
  readonly currency: string;
  readonly sequence: bigint;
  readonly outcome: 'paid' | 'failed';
};
