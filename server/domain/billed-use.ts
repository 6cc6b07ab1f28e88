/** billed-use — what of a plan's features is billed when a period ends, and at which price. */
import type { Feature } from './feature.ts';
import type { BillingInterval, Plan } from './plan.ts';
import { mergePolicy } from './policy.ts';
import type { Price } from './price.ts';

export type BilledUse = { readonly feature: Feature; readonly price: Price };

/** By order of the features. */
export const billedUseOf = (plan: Plan, features: readonly Feature[]): readonly BilledUse[] =>
  features.flatMap((feature) => {
    const price = plan.features.has(feature.key) ? billedPrice(feature, plan) : null;
    return price ? [{ feature, price }] : [];
  });

/** What each unit of overage costs; null where none is billed: what is prepaid never becomes overage. */
export function billedPrice(feature: Feature, plan: Plan | null): Price | null {
  const { price, billing } = mergePolicy(feature, plan, undefined);
  return billing === 'postpaid' ? price : null;
}

/** How often a plan is paid: by the month where it costs nothing itself. */
export const intervalsOf = ({ prices }: Plan): readonly BillingInterval[] =>
  prices.length === 0 ? ['month'] : [...new Set(prices.map(({ interval }) => interval))];
