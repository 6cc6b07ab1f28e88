/**
 * terms — what a price charges, as Stripe can say it: so much a unit or a package, or tiers. They never change once a
 * price is made, so two prices are the same where their terms are.
 */
import Stripe from 'stripe';
import type { Price, Tier } from '../../../domain/price.ts';
import { ONE, type Units } from '../../../domain/units.ts';
import { formatAmount, parseAmount, type StripeAmount, spellAmount, stripeAmount } from '../amounts.ts';
import type { NoticeCode } from './notice.ts';

export type StripeTier = {
  /** Up to and including; null for all others. */
  readonly upTo: bigint | null;
  readonly unitAmount: StripeAmount;
  readonly flatAmount: StripeAmount;
};

export type Terms =
  /** So much for each package begun. A package of 1 is a unit. */
  | { readonly scheme: 'per_unit'; readonly unitAmount: StripeAmount; readonly packageSize: bigint }
  | { readonly scheme: 'tiered'; readonly mode: 'graduated' | 'volume'; readonly tiers: readonly StripeTier[] };

/** The terms, or why there are none. */
export type TermsFound =
  | { readonly terms: Terms }
  | { readonly terms: null; readonly code: NoticeCode; readonly sentence: string };

/** Numbers travel through JSON, which holds no larger ones exactly. */
const WHOLE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** A base price: licensed, so much for a subscription. */
export const flatTerms = (amount: Units, currency: string): Terms => ({
  scheme: 'per_unit',
  unitAmount: stripeAmount(amount, currency),
  packageSize: 1n,
});

/** What each unit of overage costs, by any model. */
export function termsOf(price: Price): TermsFound {
  const { currency } = price;
  switch (price.model) {
    case 'per_unit':
      return { terms: flatTerms(price.unitAmount, currency) };
    case 'package':
      return packageTerms(price.packageAmount, price.packageSize, currency);
    case 'percentage':
      return percentTerms(price.percent, currency);
    case 'graduated':
      return tieredTerms('graduated', price.tiers, currency);
    case 'volume':
    case 'stairstep': // a fee by the tier that the total reaches, and nothing a unit
      return tieredTerms('volume', price.tiers, currency);
  }
}

function packageTerms(packageAmount: Units, packageSize: Units, currency: string): TermsFound {
  const problem = problemOfWhole(packageSize, 'per', 'fractional_package', 'packages');
  if (problem) return problem;
  const unitAmount = stripeAmount(packageAmount, currency);
  return { terms: { scheme: 'per_unit', unitAmount, packageSize: packageSize / ONE } };
}

/** A unit is a minor unit of money itself. */
function percentTerms(percent: Units, currency: string): TermsFound {
  const hundred = stripeAmount(percent, currency);
  if (hundred % 100n === 0n) return { terms: { scheme: 'per_unit', unitAmount: hundred / 100n, packageSize: 1n } };
  const sentence = `has more digits than the 12 behind the point that Stripe takes of ${currency.toUpperCase()}: ${NOT_THERE}, so write fewer`;
  return { terms: null, code: 'too_precise', sentence };
}

function tieredTerms(mode: 'graduated' | 'volume', tiers: readonly Tier[], currency: string): TermsFound {
  for (const { upTo } of tiers) {
    const problem = upTo === null ? null : problemOfWhole(upTo, 'upTo', 'fractional_tier', 'tiers');
    if (problem) return problem;
  }
  const asStripe = tiers.map(({ upTo, unitAmount, flatAmount }) => ({
    upTo: upTo === null ? null : upTo / ONE,
    unitAmount: stripeAmount(unitAmount, currency),
    flatAmount: stripeAmount(flatAmount, currency),
  }));
  return { terms: { scheme: 'tiered', mode, tiers: asStripe } };
}

const NOT_THERE = 'this price is not made there';

function problemOfWhole(size: Units, field: string, code: NoticeCode, noun: string) {
  if (size % ONE !== 0n) {
    const sentence = `has a fraction of a unit in ${field}, and Stripe's ${noun} are of whole units: ${NOT_THERE}, so write a whole number`;
    return { terms: null, code, sentence };
  }
  if (size / ONE <= WHOLE_MAX) return null;
  const sentence = `has more than ${WHOLE_MAX} in ${field}, the most that Stripe takes: ${NOT_THERE}, so write less`;
  return { terms: null, code: 'too_large' as const, sentence };
}

type TermsParams = Pick<
  Stripe.PriceCreateParams,
  'billing_scheme' | 'tiers_mode' | 'tiers' | 'unit_amount_decimal' | 'transform_quantity'
>;

/** As a price is made by them. */
export function paramsOfTerms(terms: Terms): TermsParams {
  if (terms.scheme === 'tiered') {
    return { billing_scheme: 'tiered', tiers_mode: terms.mode, tiers: terms.tiers.map(paramsOfTier) };
  }
  const { unitAmount, packageSize } = terms;
  return {
    billing_scheme: 'per_unit',
    unit_amount_decimal: decimal(unitAmount),
    ...(packageSize !== 1n && { transform_quantity: { divide_by: Number(packageSize), round: 'up' as const } }),
  };
}

/** An amount of nothing is left out beside one of something, so that no line of 0 stands on invoices. */
const paramsOfTier = ({ upTo, unitAmount, flatAmount }: StripeTier): Stripe.PriceCreateParams.Tier => ({
  up_to: upTo === null ? 'inf' : Number(upTo),
  ...((unitAmount > 0n || flatAmount === 0n) && { unit_amount_decimal: decimal(unitAmount) }),
  ...(flatAmount > 0n && { flat_amount_decimal: decimal(flatAmount) }),
});

const decimal = (amount: StripeAmount): Stripe.Decimal => Stripe.Decimal.from(formatAmount(amount));

const MODES = ['graduated', 'volume'] as const;

/** What a price at Stripe charges; null where it is something that we never say. */
export function termsOfStripe(price: Stripe.Price): Terms | null {
  if (price.billing_scheme === 'tiered') {
    const { tiers } = price;
    const mode = MODES.find((known) => known === price.tiers_mode);
    if (mode === undefined || tiers === undefined) return null;
    return { scheme: 'tiered', mode, tiers: tiers.map(tierOfStripe) };
  }
  const { unit_amount_decimal: unitAmount, transform_quantity: transform } = price;
  if (unitAmount === null || transform?.round === 'down') return null;
  return { scheme: 'per_unit', unitAmount: amountOf(unitAmount), packageSize: BigInt(transform?.divide_by ?? 1) };
}

const tierOfStripe = (tier: Stripe.Price.Tier): StripeTier => ({
  upTo: tier.up_to === null ? null : BigInt(tier.up_to),
  unitAmount: amountOf(tier.unit_amount_decimal),
  flatAmount: amountOf(tier.flat_amount_decimal),
});

const amountOf = (amount: Stripe.Decimal | null): StripeAmount => parseAmount(amount?.toString() ?? '0');

/** As people read it, the same for the same terms: `0.02 USD each`. */
export function spellTerms(terms: Terms, currency: string): string {
  if (terms.scheme === 'tiered') {
    return `${terms.mode}, ${terms.tiers.map((tier) => spellTier(tier, currency)).join(', ')}`;
  }
  const { unitAmount, packageSize } = terms;
  return `${spellAmount(unitAmount, currency)} ${packageSize === 1n ? 'each' : `for each ${packageSize} begun`}`;
}

function spellTier({ upTo, unitAmount, flatAmount }: StripeTier, currency: string): string {
  const each = unitAmount > 0n || flatAmount === 0n ? [`${spellAmount(unitAmount, currency)} each`] : [];
  const fee = flatAmount > 0n ? [`a fee of ${spellAmount(flatAmount, currency)}`] : [];
  return `${upTo === null ? 'then' : `up to ${upTo}`} ${[...each, ...fee].join(' and ')}`;
}
