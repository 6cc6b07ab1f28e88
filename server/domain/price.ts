/**
 * price — what a quantity costs, by one of the models that price lists are made of. Pure, exact.
 *
 * A period's cost is a function of the quantity priced in it so far: a use costs what the total costs after it, less
 * what it cost before. So the parts of a period always sum to its whole.
 */
import { problemOfCurrency } from './currency.ts';
import { type Problem, problemAt, problemsOfCount, under } from './problem.ts';
import { divideHalfEven, formatUnits, maxUnits, minUnits, multiplyUnits, ONE, type Units } from './units.ts';

export const PRICE_MODELS = ['per_unit', 'package', 'percentage', 'graduated', 'volume', 'stairstep'] as const;
export type PriceModel = (typeof PRICE_MODELS)[number];

/** Units up to and including `upTo` (null: all others), for so much each and a flat fee for reaching the tier. */
export type Tier = { readonly upTo: Units | null; readonly unitAmount: Units; readonly flatAmount: Units };

type Rates =
  /** So much for each unit. */
  | { readonly model: 'per_unit'; readonly unitAmount: Units }
  /** So much for each package of units that was begun. */
  | { readonly model: 'package'; readonly packageAmount: Units; readonly packageSize: Units }
  /** So many percent of the quantity, which is itself money in minor units. */
  | { readonly model: 'percentage'; readonly percent: Units }
  /** `graduated`: each unit at its own tier's rate. `volume`: all at the rate of the tier that the total reaches.
   *  `stairstep`: the flat fee of the tier that the total reaches, and nothing a unit. */
  | { readonly model: 'graduated' | 'volume' | 'stairstep'; readonly tiers: readonly Tier[] };

/** Money is in minor units of the currency and may be a fraction of a cent. */
export type Price = Rates & {
  /** ISO 4217, lower case. */
  readonly currency: string;
  /** The least that a period with any use costs; applied on the invoice alone. */
  readonly minimumSpend: Units | null;
  /** The most that a period costs. */
  readonly maximumSpend: Units | null;
};

export const TIERS_MAX = 100;

/**
 * What a period costs in which so much was priced. Computed in full, rounded half-even once to 10⁻⁹ minor units, and
 * never above `maximumSpend`; `minimumSpend` is the invoice's.
 *
 * @param price    One without problems (`problemsOfPrice`).
 * @param quantity Units of the whole period. Nothing, and less than nothing, costs 0.
 * @returns minor units of the price's currency, at least 0; they may not fit into 38 digits.
 */
export function costOf(price: Price, quantity: Units): Units {
  if (quantity <= 0n) return 0n;
  const cost = uncappedCost(price, quantity);
  return price.maximumSpend === null ? cost : minUnits(cost, price.maximumSpend);
}

function uncappedCost(price: Price, quantity: Units): Units {
  switch (price.model) {
    case 'per_unit':
      return multiplyUnits(quantity, price.unitAmount);
    case 'package':
      return packagesBegun(quantity, price.packageSize) * price.packageAmount;
    case 'percentage':
      return divideHalfEven(quantity * price.percent, 100n * ONE);
    case 'graduated':
      return graduatedCost(price.tiers, quantity);
    case 'volume':
      return volumeCost(reachedTier(price.tiers, quantity), quantity);
    case 'stairstep':
      return reachedTier(price.tiers, quantity)?.flatAmount ?? 0n;
  }
}

const packagesBegun = (quantity: Units, size: Units): bigint => (quantity + size - 1n) / size;

function graduatedCost(tiers: readonly Tier[], quantity: Units): Units {
  let scaledTwice = 0n; // not rounded tier by tier
  let tierStart = 0n;
  for (const { upTo, unitAmount, flatAmount } of tiers) {
    if (quantity <= tierStart) break;
    const tierEnd = upTo === null ? quantity : minUnits(upTo, quantity);
    scaledTwice += (tierEnd - tierStart) * unitAmount + flatAmount * ONE;
    tierStart = tierEnd;
  }
  return divideHalfEven(scaledTwice, ONE);
}

/** The fee is added before rounding: after it, whether it is odd would decide a tie. */
const volumeCost = (tier: Tier | undefined, quantity: Units): Units =>
  tier === undefined ? 0n : divideHalfEven(quantity * tier.unitAmount + tier.flatAmount * ONE, ONE);

/** The tier in which a total lies; one of exactly `upTo` lies in it still. */
const reachedTier = (tiers: readonly Tier[], total: Units): Tier | undefined =>
  tiers.find(({ upTo }) => upTo === null || total <= upTo);

/** What the units between two totals of a period cost; negative where the second is cheaper. */
export const costBetween = (price: Price, from: Units, to: Units): Units => costOf(price, to) - costOf(price, from);

/**
 * How many more units the money pays for: all that are wanted, or else the most whole units that cost no more than that.
 *
 * What costs nothing is always paid for, also by a wallet below zero. Where a price falls (`isMonotone` is false) the
 * answer never costs more than the money, but more units might have been paid for, too.
 *
 * @param position Units of the period priced before these.
 * @param wanted   At least 0.
 * @param money    Minor units of the price's currency.
 */
export function affordableUnits(price: Price, position: Units, wanted: Units, money: Units): Units {
  const mostCost = costOf(price, position) + maxUnits(money, 0n);
  const isPaid = (units: Units): boolean => costOf(price, position + units) <= mostCost;
  if (isPaid(wanted)) return wanted;
  let paid = 0n; // whole units, of which the first are paid and the second aren't: halved until they are neighbours
  let unpaid = (wanted + ONE - 1n) / ONE;
  while (unpaid - paid > 1n) {
    const middle = (paid + unpaid) / 2n;
    if (isPaid(middle * ONE)) paid = middle;
    else unpaid = middle;
  }
  return paid * ONE;
}

/** Whether more never costs less in all. A volume price falls where the lower rate of the next tier holds for all units. */
export function isMonotone(price: Price): boolean {
  if (!('tiers' in price)) return true;
  return price.tiers.every(({ upTo }) => upTo === null || costBetween(price, upTo, upTo + 1n) >= 0n); // rises within a tier
}

/**
 * The unit price to show for a total of so many units, by default for the first: of its tier where there are tiers.
 * Fees and the rates of lower tiers come on top. Null where the price isn't one of units.
 */
export function unitAmountOf(price: Price, quantity: Units = 0n): Units | null {
  switch (price.model) {
    case 'per_unit':
      return price.unitAmount;
    case 'graduated':
    case 'volume':
      return reachedTier(price.tiers, quantity)?.unitAmount ?? null;
    case 'package':
    case 'percentage':
    case 'stairstep':
      return null;
  }
}

/** What is wrong with a price; empty when nothing is. Paths start within it, in the words of the config file. */
export const problemsOfPrice = (price: Price): readonly Problem[] => [
  ...problemsOfRates(price),
  ...problemAt(['currency'], problemOfCurrency(price.currency)),
  ...problemsOfSpend(price),
];

function problemsOfRates(price: Price): readonly Problem[] {
  switch (price.model) {
    case 'per_unit':
      return problemsOfAmount(['unitAmount'], price.unitAmount);
    case 'package':
      return [
        ...problemsOfAmount(['unitAmount'], price.packageAmount),
        ...problemAt(['per'], problemOfPackageSize(price.packageSize)),
      ];
    case 'percentage':
      return problemAt(['percent'], problemOfPercent(price.percent));
    case 'graduated':
    case 'volume':
    case 'stairstep':
      return problemsOfTiers(price.tiers, price.model);
  }
}

const problemOfPackageSize = (size: Units): string | null =>
  size > 0n ? null : `is ${formatUnits(size)}; a package has more than 0 units`;

const problemOfPercent = (percent: Units): string | null =>
  percent >= 0n ? null : `is ${formatUnits(percent)}; a percentage is 0 or more, so 2.9 % is 2.9`;

function problemsOfTiers(tiers: readonly Tier[], model: PriceModel): readonly Problem[] {
  if (tiers.length === 0) {
    return problemAt(['tiers'], 'is empty; write at least one tier, the last of them with upTo: null');
  }
  if (tiers.length > TIERS_MAX) return problemsOfCount(['tiers'], tiers.length, TIERS_MAX, 'tiers');
  return tiers.flatMap((tier, i) => {
    const before = tiers[i - 1];
    return under(
      ['tiers', String(i)],
      [
        ...problemAt(['upTo'], problemOfRange(tier, before, i === tiers.length - 1)),
        ...problemsOfAmount(['unitAmount'], tier.unitAmount),
        ...problemsOfAmount(['flatAmount'], tier.flatAmount),
        ...(model === 'stairstep' ? problemsOfStep(tier, before) : []),
      ],
    );
  });
}

function problemOfRange({ upTo }: Tier, before: Tier | undefined, isLast: boolean): string | null {
  if (upTo === null) return isLast ? null : 'is null, but tiers follow; only the last tier is open';
  const shown = formatUnits(upTo);
  if (upTo <= 0n) return `is ${shown}; a tier reaches up to more than 0 units`;
  const reached = before?.upTo ?? 0n;
  if (upTo <= reached) {
    return `is ${shown}, not above the ${formatUnits(reached)} of the tier before; write tiers in ascending order`;
  }
  return isLast ? `is ${shown}; the last tier is open, so write null, or add a tier after it` : null;
}

/** Steps that went down would make more cost less in all, and what one use costs fall below 0. */
function problemsOfStep({ unitAmount, flatAmount }: Tier, before: Tier | undefined): readonly Problem[] {
  const least = before?.flatAmount ?? 0n;
  return [
    ...problemAt(
      ['unitAmount'],
      unitAmount <= 0n ? null : `is ${formatUnits(unitAmount)}; a step of a stairstep price has a flatAmount alone`,
    ),
    ...problemAt(
      ['flatAmount'],
      before === undefined || flatAmount >= least
        ? null
        : `is ${formatUnits(flatAmount)}, below the ${formatUnits(least)} of the step before; steps go up, or stay`,
    ),
  ];
}

function problemsOfSpend({ minimumSpend, maximumSpend }: Price): readonly Problem[] {
  const least = minimumSpend ?? 0n;
  return [
    ...problemsOfAmount(['minimumSpend'], least),
    ...problemsOfAmount(['maximumSpend'], maximumSpend ?? 0n),
    ...problemAt(
      ['minimumSpend'],
      maximumSpend === null || minimumSpend === null || minimumSpend <= maximumSpend
        ? null
        : `is ${formatUnits(least)}, above the maximumSpend of ${formatUnits(maximumSpend)}; the least is at most the most`,
    ),
  ];
}

const problemsOfAmount = (path: readonly string[], amount: Units): readonly Problem[] =>
  problemAt(path, amount >= 0n ? null : `is ${formatUnits(amount)}; a price is 0 or more, in minor units (cents)`);
