/**
 * payment — what pays for units: included → credits → wallet → overage, in this order, and back again.
 *
 * Everything here is exact and conserved: the parts of a payment add up to its units, what is given back is what was
 * taken, and the cost of a period is what its price says of the units that were not included or prepaid.
 */
import { drawFrom, giveBack as giveBackDraws } from './burn.ts';
import { type Counter, includedUsed, pricedUnits } from './counter.ts';
import type { Draw, Grant } from './grant.ts';
import type { LimitPolicy } from './policy.ts';
import { affordableUnits, costBetween } from './price.ts';
import { divideHalfEven, maxUnits, minUnits, type Units } from './units.ts';
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
  const { price } = policy;
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

/** What paid for units that may be given back: a period's, an event's, or a reservation's. */
export type Paid = Omit<Payment, 'included' | 'cost'> & {
  /** The most that their cost can fall by, where that is less than the period's: holds have their own. */
  readonly cost?: Units;
};

/**
 * Gives units back, last in, first out: overage, wallet, credits, included.
 *
 * The price comes off the top: what stays used costs what its number of units costs. Where no overage stays, the wallet
 * has paid for all that does, and gets back what it paid beyond that; else its share, and never less than that.
 *
 * @param units More than 0, at most what was paid for.
 */
export function giveBack(policy: LimitPolicy, counter: Counter, paid: Paid, units: Units): Payment {
  const overage = minUnits(units, paid.overage);
  const wallet = minUnits(units - overage, paid.wallet);
  const credits = minUnits(units - overage - wallet, paid.credits);
  const cost = minUnits(costOffTheTop(policy, counter, overage + wallet), paid.cost ?? counter.cost);
  const { draws, given } = giveBackDraws(paid.draws, credits); // less where it isn't known any more where they came from
  return {
    included: -(units - overage - wallet - given),
    credits: -given,
    wallet: -wallet,
    overage: -overage,
    cost: -cost,
    walletCharge: -walletRefund(counter, paid, { wallet, overage }, counter.cost - cost),
    draws,
  };
}

/**
 * Gives back units that are held, last in, first out, with the very money and grants that the hold took: whatever has
 * happened to the price or beside it since then.
 *
 * @param units More than 0, at most what is held.
 */
export function giveBackHeld(held: Payment, units: Units): Payment {
  const overage = minUnits(units, held.overage);
  const wallet = minUnits(units - overage, held.wallet);
  const credits = minUnits(units - overage - wallet, held.credits);
  const walletCharge = shareOf(held.walletCharge, wallet, held.wallet);
  return {
    included: -(units - overage - wallet - credits),
    credits: -credits,
    wallet: -wallet,
    overage: -overage,
    cost: -(shareOf(held.cost - held.walletCharge, overage, held.overage) + walletCharge),
    walletCharge: -walletCharge,
    draws: giveBackDraws(held.draws, credits).draws,
  };
}

function walletRefund(
  counter: Counter,
  paid: Paid,
  units: { readonly wallet: Units; readonly overage: Units },
  costThatStays: Units,
): Units {
  const overpaid = maxUnits(counter.walletCharge - costThatStays, 0n);
  const share = shareOf(paid.walletCharge, units.wallet, paid.wallet);
  // Where no overage is left the wallet has paid for all that stays: a share of tiers or packages is not what they cost.
  const refund = units.overage === counter.overage ? overpaid : maxUnits(share, overpaid);
  return minUnits(refund, paid.walletCharge);
}

function costOffTheTop({ price }: LimitPolicy, counter: Counter, units: Units): Units {
  const position = pricedUnits(counter);
  if (units === position) return counter.cost; // nothing priced is left, whatever the price was when it was used
  if (units === 0n) return 0n;
  if (price === null) return shareOf(counter.cost, units, position); // it had one when they were used
  return minUnits(costBetween(price, position - units, position), counter.cost);
}

/** A part of a whole that belongs to so many of its units; all of it for all of them. */
const shareOf = (whole: Units, units: Units, ofUnits: Units): Units =>
  units === ofUnits ? whole : divideHalfEven(whole * units, ofUnits);

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

/** Lets a grant pay for units that were overage: what they cost comes off the top. */
export function settleOverage(policy: LimitPolicy, counter: Counter, draw: Draw): Payment {
  return {
    ...NO_PAYMENT,
    credits: draw.units,
    overage: -draw.units,
    cost: -costOffTheTop(policy, counter, draw.units),
    draws: [draw],
  };
}
