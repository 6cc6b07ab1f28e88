/**
 * refund — gives units back that were paid for: overage, wallet, credits, included, last in, first out.
 *
 * What is given back is what was taken: nothing prepaid is made or lost on the way, and no more money goes back than was
 * paid.
 */
import { giveBack as giveBackDraws } from './burn.ts';
import { type Counter, pricedUnits } from './counter.ts';
import { priceIn } from './counter-currency.ts';
import { type Draw, type Grant, isGone } from './grant.ts';
import { NO_PAYMENT, type Payment } from './payment.ts';
import type { LimitPolicy } from './policy.ts';
import { costBetween } from './price.ts';
import { divideHalfEven, maxUnits, minUnits, type Units } from './units.ts';

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

/** A period's use, as far as it can be given back. */
export type PaidPeriod = {
  /** Without what holds are for. */
  readonly used: Units;
  readonly paid: Paid;
  /** By id: the feature's grants as they are now. */
  readonly grants: ReadonlyMap<string, Grant>;
  /** What open holds have drawn of them. */
  readonly held: readonly Draw[];
};

/**
 * What the payment of one use and its period's still have in common: a part may have been given back already, and what
 * holds took is theirs. Where a grant has its own back, the last ones that were drawn from get theirs.
 *
 * @param units To be given back of the use; what it has no part in any more is given back in place of others.
 */
export function stillPaid(use: Payment, period: PaidPeriod, units: Units): Paid {
  const { paid, used } = period;
  const own = use.draws.map(({ grantId, units: drawn }) => ({
    grantId,
    units: minUnits(drawn, missingOf(period, grantId, drawn)),
  }));
  const credits = minUnits(use.credits, paid.credits);
  const wallet = minUnits(use.wallet, paid.wallet);
  const overage = minUnits(use.overage, paid.overage);
  // What the use has no part in any more was given back in its place by others: theirs is given back instead.
  const included = maxUnits(used - paid.credits - paid.wallet - paid.overage, 0n);
  const ofOthers = maxUnits(units - credits - wallet - overage - included, 0n);
  const moreOverage = minUnits(ofOthers, paid.overage - overage);
  const moreWallet = minUnits(ofOthers - moreOverage, paid.wallet - wallet);
  const moreCredits = minUnits(ofOthers - moreOverage - moreWallet, paid.credits - credits);
  const charge = minUnits(use.walletCharge, paid.walletCharge);
  const moreCharge = shareOf(paid.walletCharge - charge, moreWallet, paid.wallet - wallet);
  return {
    ...paid,
    credits: credits + moreCredits,
    wallet: wallet + moreWallet,
    overage: overage + moreOverage,
    walletCharge: charge + moreCharge,
    draws: [...paid.draws, ...own.map(({ grantId, units: drawn }) => ({ grantId, units: -drawn })), ...own],
  };
}

/** How many units a grant misses for use; of one that is gone, all that were drawn, since none of them come back. */
function missingOf({ grants, held }: PaidPeriod, grantId: string, drawn: Units): Units {
  const grant = grants.get(grantId);
  if (!grant || isGone(grant)) return drawn;
  const ofHolds = held.reduce((sum, draw) => (draw.grantId === grantId ? sum + draw.units : sum), 0n);
  return grant.amount - grant.remaining - ofHolds;
}

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

function costOffTheTop(policy: LimitPolicy, counter: Counter, units: Units): Units {
  const price = priceIn(counter, policy.price);
  const position = pricedUnits(counter);
  if (units === position) return counter.cost; // nothing priced is left, whatever the price was when it was used
  if (units === 0n) return 0n;
  if (price === null) return shareOf(counter.cost, units, position); // it had another when they were used, or one
  return minUnits(costBetween(price, position - units, position), counter.cost);
}

/** A part of a whole that belongs to so many of its units: all of it for all of them, and nothing for none, of none too. */
function shareOf(whole: Units, units: Units, ofUnits: Units): Units {
  if (units === 0n) return 0n;
  return units === ofUnits ? whole : divideHalfEven(whole * units, ofUnits);
}
