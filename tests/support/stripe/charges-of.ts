/**
 * charges-of — what a quantity costs by a price, line by line as Stripe bills it: each tier has a line of its own, and each
 * flat fee, and **each line is rounded** to the minor unit, halves up. So three tiers may differ by a cent from their sum.
 *
 * A first tier with a flat fee is charged also where nothing was used.
 */
import type { Price } from './account.ts';
import { type Exact, exact, rounded } from './decimal.ts';

export type PricedLine = {
  readonly quantity: bigint;
  /** In minor units. */
  readonly amount: number;
  readonly unitAmount: Exact | null;
  readonly tier: number | undefined;
};

/** @param quantity What is below 0 counts as 0. */
export function chargesOf(price: Price, quantity: bigint): PricedLine[] {
  const units = quantity < 0n ? 0n : quantity;
  if (price.billing_scheme === 'tiered') {
    return price.tiers_mode === 'volume' ? volume(tiersOf(price), units) : graduated(tiersOf(price), units);
  }
  const unitAmount = exact(price.unit_amount_decimal ?? 0);
  const billed = packagesOf(price, units);
  return [{ quantity: units, amount: rounded(billed * unitAmount), unitAmount, tier: undefined }];
}

/** How many packages the units fill, the last of them rounded as the price says. */
function packagesOf({ transform_quantity }: Price, units: bigint): bigint {
  if (!transform_quantity) return units;
  const size = BigInt(transform_quantity.divide_by);
  return transform_quantity.round === 'up' ? (units + size - 1n) / size : units / size;
}

type Tier = { readonly upTo: bigint | null; readonly unit: Exact | null; readonly flat: Exact | null };

const tiersOf = ({ tiers = [] }: Price): Tier[] =>
  tiers.map(({ up_to, unit_amount_decimal, flat_amount_decimal }) => ({
    upTo: up_to === null ? null : BigInt(up_to),
    unit: unit_amount_decimal === null ? null : exact(unit_amount_decimal),
    flat: flat_amount_decimal === null ? null : exact(flat_amount_decimal),
  }));

/** Each unit costs what its own tier says. */
function graduated(tiers: readonly Tier[], units: bigint): PricedLine[] {
  let below = 0n;
  return tiers.flatMap((tier, index) => {
    if (index > 0 && units <= below) return [];
    const end = tier.upTo === null || units < tier.upTo ? units : tier.upTo;
    const inside = end - below;
    below = end;
    return linesOf(tier, index, inside);
  });
}

/** All units cost what the tier says that the last one falls into. */
function volume(tiers: readonly Tier[], units: bigint): PricedLine[] {
  const index = tiers.findIndex(({ upTo }) => upTo === null || units <= upTo);
  const tier = tiers[index];
  return tier ? linesOf(tier, index, units) : [];
}

function linesOf({ unit, flat }: Tier, tier: number, quantity: bigint): PricedLine[] {
  const used: PricedLine = { quantity, amount: rounded(quantity * (unit ?? 0n)), unitAmount: unit ?? 0n, tier };
  const fee: PricedLine[] =
    flat === null || flat === 0n ? [] : [{ quantity: 0n, amount: rounded(flat), unitAmount: null, tier }];
  return unit === null && fee.length > 0 ? fee : [used, ...fee];
}
