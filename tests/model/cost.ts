/**
 * cost — what a quantity costs, worked out the long way: with fractions, tier by tier, rounded once at the end.
 *
 * The model's own; it shares no line with the price functions it judges.
 */
import type { Price, Tier } from '../../server/domain/price.ts';
import { ONE, type Units } from '../../server/domain/units.ts';

/** An exact rational number; the denominator is above 0. */
type Fraction = { readonly over: bigint; readonly under: bigint };

/** The price of the first `quantity` units of a period, in minor units. */
export function costOf(price: Price, quantity: Units): Units {
  if (quantity <= 0n) return 0n;
  const exact = roundHalfEven(times(exactCost(price, exactly(quantity)), ONE));
  return price.maximumSpend !== null && exact > price.maximumSpend ? price.maximumSpend : exact;
}

/** A share of an amount, `part` of `whole`, rounded half-even to the ninth digit. */
export const shareOf = (amount: Units, part: Units, whole: Units): Units =>
  roundHalfEven({ over: amount * part, under: whole });

/** The nearest whole number; of two as near, the even one. */
export function roundHalfEven({ over, under }: Fraction): bigint {
  const below = over >= 0n || over % under === 0n ? over / under : over / under - 1n;
  const twiceRest = 2n * (over - below * under);
  if (twiceRest < under) return below;
  if (twiceRest > under) return below + 1n;
  return below % 2n === 0n ? below : below + 1n;
}

function exactCost(price: Price, quantity: Fraction): Fraction {
  switch (price.model) {
    case 'per_unit':
      return product(quantity, exactly(price.unitAmount));
    case 'percentage':
      return product(quantity, { over: price.percent, under: 100n * ONE });
    case 'package':
      return times(exactly(price.packageAmount), packagesBegun(quantity, exactly(price.packageSize)));
    case 'volume':
    case 'stairstep': {
      const { unitAmount, flatAmount } = tierReached(price.tiers, quantity);
      return sum(exactly(flatAmount), product(quantity, exactly(price.model === 'volume' ? unitAmount : 0n)));
    }
    case 'graduated':
      return graduated(price.tiers, quantity);
  }
}

function graduated(tiers: readonly Tier[], quantity: Fraction): Fraction {
  let total = exactly(0n);
  let from = exactly(0n);
  for (const { upTo, unitAmount, flatAmount } of tiers) {
    if (!isMore(quantity, from)) break;
    const to = upTo !== null && isMore(quantity, exactly(upTo)) ? exactly(upTo) : quantity;
    total = sum(total, sum(exactly(flatAmount), product(difference(to, from), exactly(unitAmount))));
    from = to;
  }
  return total;
}

/** Counted one by one. */
function packagesBegun(quantity: Fraction, size: Fraction): bigint {
  let packages = 0n;
  for (let left = quantity; left.over > 0n; left = difference(left, size)) packages += 1n;
  return packages;
}

function tierReached(tiers: readonly Tier[], quantity: Fraction): Tier {
  const tier = tiers.find(({ upTo }) => upTo === null || !isMore(quantity, exactly(upTo)));
  if (!tier) throw new RangeError('the last tier has an end');
  return tier;
}

const exactly = (units: Units): Fraction => ({ over: units, under: ONE });
const product = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under });
const times = (a: Fraction, whole: bigint): Fraction => ({ over: a.over * whole, under: a.under });
const sum = (a: Fraction, b: Fraction): Fraction => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
});
const difference = (a: Fraction, b: Fraction): Fraction => sum(a, { over: -b.over, under: b.under });
const isMore = (a: Fraction, b: Fraction): boolean => difference(a, b).over > 0n;
