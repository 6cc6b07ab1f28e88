/**
 * payment — what pays for units: included → credits → wallet → overage, in this order. See `refund.ts` for the way back.
 *
 * Everything here is exact and conserved: the parts of a payment add up to its units, and the cost of a period is what its
 * price says of the units that were not included or prepaid.
 */
import { drawFrom } from './burn.ts';
import { type Counter, includedUsed, pricedUnits } from './counter.ts';
import { priceIn } from './counter-currency.ts';
import type { Draw, Grant } from './grant.ts';
import type { LimitPolicy } from './policy.ts';
import { affordableUnits, costBetween } from './price.ts';
import { maxUnits, minUnits, type Units } from './units.ts';
import { availableIn, type Wallet } from './wallet.ts';

/** What can pay for a feature's units besides what is included. */
export type Funds = {
  /** All live credits of the feature. */
  readonly credits: Units;
  /** The live grants in burn order; at least so many as this decision can draw from. */
  readonly grants: readonly Grant[];
  /** In the currency of the feature's price. */
  readonly wallet: Wallet | null;
  /** What the customer has spent on all features this month, and may until it ends; null without such a limit. */
  readonly spending: { readonly spent: Units; readonly limit: Units; readonly endMs: number } | null;
};

/** What paid for units; below 0 where they were given back. */
export type Payment = {
  readonly included: Units;
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  /** Price of the wallet's and the overage's units, in minor units. */
  readonly cost: Units;
  /** What of it the wallet paid. */
  readonly walletCharge: Units;
  /** Which grants the credits came from, in the order of drawing. */
  readonly draws: readonly Draw[];
};

export const NO_PAYMENT: Payment = {
  included: 0n,
  credits: 0n,
  wallet: 0n,
  overage: 0n,
  cost: 0n,
  walletCharge: 0n,
  draws: [],
};

/** The units that included, spend limits and funds leave, each at most as many as the one before. */
export type Payable = { readonly bySpendLimits: Units; readonly byFunds: Units };

/** How much of an amount can be paid for. */
export function payable(policy: LimitPolicy, counter: Counter, funds: Funds, amount: Units): Payable {
  const free = freeUnits(policy, counter, funds);
  if (free === null || amount <= free) return { bySpendLimits: amount, byFunds: amount };
  const { price, enforcement, billing } = policy;
  if (price === null) return { bySpendLimits: amount, byFunds: enforcement === 'soft' ? amount : free };
  const position = pricedUnits(counter);
  const rest = amount - free;
  const spendable = spendRoom(policy, counter, funds);
  const allowed = spendable === null ? rest : affordableUnits(price, position, rest, spendable);
  const funded =
    billing === 'postpaid' ? allowed : affordableUnits(price, position, allowed, availableMoney(funds.wallet));
  return { bySpendLimits: free + allowed, byFunds: free + funded };
}

/** Pays for exactly these units; what nothing else pays for is overage. */
export function pay(policy: LimitPolicy, counter: Counter, funds: Funds, amount: Units): Payment {
  const left = includedLeft(policy, counter);
  const included = left === null ? amount : minUnits(amount, left);
  const { draws, taken: credits } = drawFrom(funds.grants, minUnits(amount - included, funds.credits));
  const rest = amount - included - credits;
  const price = priceIn(counter, policy.price);
  if (price === null || rest === 0n) return { ...NO_PAYMENT, included, credits, overage: rest, draws };
  const position = pricedUnits(counter);
  const wallet = funds.wallet ? affordableUnits(price, position, rest, availableMoney(funds.wallet)) : 0n;
  return {
    included,
    credits,
    wallet,
    overage: rest - wallet,
    cost: costBetween(price, position, position + rest),
    walletCharge: costBetween(price, position, position + wallet),
    draws,
  };
}

/** How many units were paid for; below 0 where they were given back. */
export const unitsPaid = ({ included, credits, wallet, overage }: Payment): Units =>
  included + credits + wallet + overage;

/** What two payments come to: a use and its rest, or what was paid and a part of it that went back. */
export function sumOf(a: Payment, b: Payment): Payment {
  const byGrant = new Map<string, Units>();
  for (const { grantId, units } of [...a.draws, ...b.draws]) {
    byGrant.set(grantId, (byGrant.get(grantId) ?? 0n) + units);
  }
  return {
    included: a.included + b.included,
    credits: a.credits + b.credits,
    wallet: a.wallet + b.wallet,
    overage: a.overage + b.overage,
    cost: a.cost + b.cost,
    walletCharge: a.walletCharge + b.walletCharge,
    draws: [...byGrant].filter(([, units]) => units !== 0n).map(([grantId, units]) => ({ grantId, units })),
  };
}

/** A counter after a payment, whose units are used, or held. */
export function paidInto(counter: Counter, payment: Payment, into: 'used' | 'held'): Counter {
  const units = unitsPaid(payment);
  return {
    period: counter.period,
    used: into === 'used' ? counter.used + units : counter.used,
    held: into === 'held' ? counter.held + units : counter.held,
    credits: counter.credits + payment.credits,
    wallet: counter.wallet + payment.wallet,
    overage: counter.overage + payment.overage,
    cost: counter.cost + payment.cost,
    walletCharge: counter.walletCharge + payment.walletCharge,
    currency: counter.currency,
    gauge: counter.gauge,
    raised: counter.raised,
  };
}

/** Included units not used yet; null when there is no end to them. */
function includedLeft({ included }: LimitPolicy, counter: Counter): Units | null {
  return included === null ? null : maxUnits(included - includedUsed(counter), 0n);
}

/** Units that cost nothing more: included and prepaid ones; null when there is no end to them. */
function freeUnits(policy: LimitPolicy, counter: Counter, funds: Funds): Units | null {
  const left = includedLeft(policy, counter);
  return left === null ? null : left + funds.credits;
}

/** Money that the spend limits leave; null without any. */
function spendRoom({ spendLimit }: LimitPolicy, counter: Counter, { spending }: Funds): Units | null {
  const ofFeature = spendLimit === null ? null : maxUnits(spendLimit - counter.cost, 0n);
  const ofCustomer = spending === null ? null : maxUnits(spending.limit - spending.spent, 0n);
  if (ofFeature === null || ofCustomer === null) return ofFeature ?? ofCustomer;
  return minUnits(ofFeature, ofCustomer);
}

const availableMoney = (wallet: Wallet | null): Units => (wallet === null ? 0n : availableIn(wallet));
