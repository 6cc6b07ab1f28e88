/** invoice-charges — what counters say of periods, under the price that the customer had then. Pure. */
import type { Customer } from './customer.ts';
import type { UsageCharge } from './invoice.ts';
import { type PlanHistory, spanAt } from './invoice-period.ts';
import type { Catalog } from './plan.ts';
import { mergePolicy } from './policy.ts';
import type { Price } from './price.ts';
import type { Units } from './units.ts';

/** One period of a feature, as its counter has it. */
export type CountedPeriod = {
  readonly featureKey: string;
  readonly period: { readonly startMs: number; readonly endMs: number | null };
  readonly used: Units;
  readonly wallet: Units;
  readonly walletCharge: Units;
  readonly overage: Units;
  /** Minor units that wallet and overage units cost together. */
  readonly cost: Units;
  /** ISO 4217 of the cost; null where there is none. */
  readonly currency: string | null;
};

export type ChargesOf = Omit<PlanHistory, 'customer'> & {
  readonly customer: Pick<Customer, 'overrides'>;
  readonly catalog: Pick<Catalog, 'features'>;
  /** Periods that go on are priced as of this instant. */
  readonly atMs: number;
};

/** The charges of counters; none of one that has no price and never had. */
export function chargesOf(counted: readonly CountedPeriod[], of: ChargesOf): readonly UsageCharge[] {
  return counted.flatMap((period) => {
    const price = priceOf(period, of);
    if (price === null) return [];
    const featureName = of.catalog.features.get(period.featureKey)?.displayName ?? period.featureKey;
    return [{ ...period, featureName, price }];
  });
}

/** The price at the period's end. What was charged in another currency is no use of it. */
function priceOf(counted: CountedPeriod, { customer, catalog, spans, planOf, atMs }: ChargesOf): Price | null {
  const { featureKey, period, currency } = counted;
  const feature = catalog.features.get(featureKey);
  const held = spanAt(spans, Math.min(atMs, (period.endMs ?? Number.POSITIVE_INFINITY) - 1));
  const plan = held ? planOf(held) : null;
  const { price } = feature ? mergePolicy(feature, plan, customer.overrides.get(featureKey)) : { price: null };
  if (price !== null && (currency === null || price.currency === currency)) return price;
  return currency === null ? null : pastPrice(currency);
}

/** What was charged stays charged when the price is gone: as a sum, for nothing says any more what a unit costs. */
const pastPrice = (currency: string): Price => ({
  model: 'per_unit',
  unitAmount: 0n,
  currency,
  minimumSpend: null,
  maximumSpend: null,
});
