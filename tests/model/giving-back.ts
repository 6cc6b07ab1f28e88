/** giving-back — which units are given back, and where to: overage first, then the wallet, credits, and what was included. */
import type { Price } from '../../server/domain/price.ts';
import type { Units } from '../../server/domain/units.ts';
import type { Draw, Entry, Paid } from './book.ts';
import { NOTHING_PAID } from './book.ts';
import { costOf, shareOf } from './cost.ts';
import { partIn, pricedIn } from './questions.ts';

/**
 * What use of a period gives back, as a payment of which every part is below 0.
 *
 * What stays costs what its number of units costs. The wallet gets its share of what it paid, and more where it would
 * have paid more than what stays costs. What holds took stays theirs.
 */
export function givenBack(entries: readonly Entry[], units: Units, price: Price | null): Paid {
  if (units === 0n) return { ...NOTHING_PAID, draws: [] };
  const used = entries.filter(({ state }) => state === 'used');
  const overage = least(units, partIn(used, 'overage'));
  const wallet = least(units - overage, partIn(used, 'wallet'));
  const credits = least(units - overage - wallet, partIn(used, 'credits'));
  const cost = costOfLast(entries, overage + wallet, price);
  const share = wallet === 0n ? 0n : shareOf(partIn(used, 'walletCharge'), wallet, partIn(used, 'wallet'));
  const beyond = partIn(entries, 'walletCharge') - (partIn(entries, 'cost') - cost);
  const walletCharge = least(most(share, beyond), partIn(used, 'walletCharge'));
  return negative({
    included: units - overage - wallet - credits,
    credits,
    wallet,
    overage,
    cost,
    walletCharge,
    draws: lastDrawn(used, credits),
  });
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
  const used = entries.filter(({ state }) => state === 'used');
  return least(cost(), partIn(used, 'cost'));
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

/** The draws that so many credits came from last, of those that were not given back before. */
function lastDrawn(used: readonly Entry[], credits: Units): Draw[] {
  const stack: Draw[] = [];
  for (const { units, grantId } of used.flatMap(({ paid }) => paid.draws)) {
    if (units > 0n) stack.push({ grantId, units });
    else takeFrom(stack, -units, grantId);
  }
  return unwound(stack, credits);
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
