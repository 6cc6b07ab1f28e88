/** giving-back — which units are given back, and where to: overage first, then the wallet, credits, and what was included. */
import type { Price } from '../../server/domain/price.ts';
import type { Units } from '../../server/domain/units.ts';
import type { Draw, Entry, Paid } from './book.ts';
import { NOTHING_PAID } from './book.ts';
import { costOf, shareOf } from './cost.ts';
import { partIn, pricedIn, sumOf, usedIn } from './questions.ts';

/**
 * What use of a period gives back, as a payment of which every part is below 0.
 *
 * What stays costs what its number of units costs. Where nothing of it is owed, the wallet gets back what it paid beyond
 * that; else its share of what it paid, and more where it would have paid more than what stays costs. What holds took
 * stays theirs.
 */
export function givenBack(entries: readonly Entry[], units: Units, price: Price | null, from: Payers): Paid {
  if (units === 0n) return { ...NOTHING_PAID, draws: [] };
  const overage = least(units, from.overage);
  const wallet = least(units - overage, from.wallet);
  const credits = least(units - overage - wallet, from.credits);
  const cost = costOfLast(entries, overage + wallet, price);
  const share = wallet === 0n ? 0n : shareOf(from.walletCharge, wallet, from.wallet);
  const beyond = partIn(entries, 'walletCharge') - (partIn(entries, 'cost') - cost);
  const nothingIsOwed = overage === partIn(entries, 'overage');
  const walletCharge = least(nothingIsOwed ? most(beyond, 0n) : most(share, beyond), from.walletCharge);
  return negative({
    included: units - overage - wallet - credits,
    credits,
    wallet,
    overage,
    cost,
    walletCharge,
    draws: unwound(from.draws, credits),
  });
}

/** What paid for units that may be given back. */
export type Payers = Pick<Paid, 'credits' | 'wallet' | 'overage' | 'walletCharge'> & {
  /** Oldest first, without what was given back already. */
  readonly draws: readonly Draw[];
};

const isUsed = ({ state }: Entry): boolean => state === 'used';

/**
 * What paid for the use of a period, as far as it was not given back.
 *
 * @param ofAllTimes All entries of the feature: credits go back into the grants that were drawn from last, whichever period
 *   the use was of.
 */
export function payersOf(entries: readonly Entry[], ofAllTimes: readonly Entry[]): Payers {
  const used = entries.filter(isUsed);
  return {
    credits: partIn(used, 'credits'),
    wallet: partIn(used, 'wallet'),
    overage: partIn(used, 'overage'),
    walletCharge: partIn(used, 'walletCharge'),
    draws: netDraws(ofAllTimes.filter(isUsed)),
  };
}

/**
 * What paid for one entry, as far as its period still has it. Where others gave the entry's own back already, theirs is
 * given back instead, as by anybody.
 */
export function payersOfEntry(
  entries: readonly Entry[],
  ofAllTimes: readonly Entry[],
  { paid }: Entry,
  units: Units,
): Payers {
  const used = entries.filter(isUsed);
  const all = payersOf(used, ofAllTimes);
  const own = { credits: 0n, wallet: 0n, overage: 0n, walletCharge: 0n };
  for (const part of ['credits', 'wallet', 'overage', 'walletCharge'] as const)
    own[part] = least(paid[part], all[part]);
  const included = most(usedIn(used) - all.credits - all.wallet - all.overage, 0n);
  let missing = most(units - own.credits - own.wallet - own.overage - included, 0n);
  const more = (part: 'overage' | 'wallet' | 'credits'): Units => {
    const some = least(missing, all[part] - own[part]);
    missing -= some;
    return some;
  };
  const [overage, wallet, credits] = [more('overage'), more('wallet'), more('credits')];
  const charge = wallet === 0n ? 0n : shareOf(all.walletCharge - own.walletCharge, wallet, all.wallet - own.wallet);
  return {
    overage: own.overage + overage,
    wallet: own.wallet + wallet,
    credits: own.credits + credits,
    walletCharge: own.walletCharge + charge,
    draws: withOwnLast(all.draws, paid.draws),
  };
}

/** The draws of an entry as the last ones, as far as they are there still. */
function withOwnLast(draws: readonly Draw[], own: readonly Draw[]): Draw[] {
  const stack = [...draws];
  const last: Draw[] = [];
  for (const { grantId, units } of netOf(own)) {
    const there = sumOf(stack.filter((draw) => draw.grantId === grantId).map((draw) => draw.units));
    const some = least(units, there);
    takeFrom(stack, some, grantId);
    last.push({ grantId, units: some });
  }
  return [...stack, ...last];
}

/** What the last priced units of a period cost, by the price of now; never more than use cost when it happened. */
function costOfLast(entries: readonly Entry[], units: Units, price: Price | null): Units {
  const position = pricedIn(entries);
  const was = partIn(entries, 'cost');
  const cost = (): Units => {
    if (units === position) return was;
    if (price === null) return units === 0n ? 0n : shareOf(was, units, position);
    return costOf(price, position) - costOf(price, position - units);
  };
  return least(cost(), partIn(entries.filter(isUsed), 'cost'));
}

/** The part of a hold that its commit does not need: last in, first out, from what paid for the hold itself. */
export function restOf(paid: Paid, units: Units): Paid {
  const overage = least(units, paid.overage);
  const wallet = least(units - overage, paid.wallet);
  const credits = least(units - overage - wallet, paid.credits);
  const overageCost = overage === 0n ? 0n : shareOf(paid.cost - paid.walletCharge, overage, paid.overage);
  const walletCharge = wallet === 0n ? 0n : shareOf(paid.walletCharge, wallet, paid.wallet);
  return negative({
    included: units - overage - wallet - credits,
    credits,
    wallet,
    overage,
    cost: overageCost + walletCharge,
    walletCharge,
    draws: unwound(paid.draws, credits),
  });
}

export const together = (a: Paid, b: Paid): Paid => ({
  included: a.included + b.included,
  credits: a.credits + b.credits,
  wallet: a.wallet + b.wallet,
  overage: a.overage + b.overage,
  cost: a.cost + b.cost,
  walletCharge: a.walletCharge + b.walletCharge,
  draws: [...a.draws, ...b.draws],
});

export const negative = (paid: Paid): Paid => ({
  included: -paid.included,
  credits: -paid.credits,
  wallet: -paid.wallet,
  overage: -paid.overage,
  cost: -paid.cost,
  walletCharge: -paid.walletCharge,
  draws: paid.draws.map(({ grantId, units }) => ({ grantId, units: -units })),
});

const least = (a: Units, b: Units): Units => (a < b ? a : b);
const most = (a: Units, b: Units): Units => (a > b ? a : b);

const netDraws = (used: readonly Entry[]): Draw[] => netOf(used.flatMap(({ paid }) => paid.draws));

/** Draws without those that were given back since. */
function netOf(draws: readonly Draw[]): Draw[] {
  const stack: Draw[] = [];
  for (const { units, grantId } of draws) {
    if (units > 0n) stack.push({ grantId, units });
    else takeFrom(stack, -units, grantId);
  }
  return stack;
}

function takeFrom(stack: Draw[], units: Units, grantId: string): void {
  let left = units;
  for (let i = stack.length - 1; i >= 0 && left > 0n; i -= 1) {
    const draw = stack[i];
    if (draw?.grantId !== grantId) continue;
    const back = least(left, draw.units);
    stack[i] = { grantId, units: draw.units - back };
    left -= back;
  }
}

function unwound(draws: readonly Draw[], credits: Units): Draw[] {
  const back: Draw[] = [];
  let left = credits;
  for (const { grantId, units } of [...draws].reverse()) {
    const some = least(left, units);
    if (some > 0n) back.push({ grantId, units: some });
    left -= some;
  }
  return back;
}
