/** price-notices — what becomes otherwise at Stripe of a feature's price on a plan. Pure. */
import type { Feature } from '../../../domain/feature.ts';
import type { BillingInterval, Plan } from '../../../domain/plan.ts';
import type { Price } from '../../../domain/price.ts';
import { formatUnits } from '../../../domain/units.ts';
import type { Notice } from './notice.ts';
import { termsOf } from './terms.ts';

type Priced = {
  readonly price: Price;
  readonly plan: Plan;
  readonly feature: Feature;
  readonly intervals: readonly BillingInterval[];
};

type Said = Omit<Notice, 'path'>;

export function noticesOfPrice(priced: Priced): readonly Said[] {
  const found = termsOf(priced.price);
  if (found.terms === null) return [{ code: found.code, sentence: found.sentence }];
  return [
    ...noticesOfSpend(priced.price),
    ...noticesOfFee(priced.price),
    ...noticesOfCurrency(priced),
    ...noticesOfPeriod(priced),
  ];
}

const noticesOfSpend = ({ minimumSpend, maximumSpend, currency }: Price): readonly Said[] => [
  ...(minimumSpend === null || minimumSpend === 0n
    ? []
    : [
        {
          code: 'minimum_spend' as const,
          sentence: `has a minimumSpend of ${formatUnits(minimumSpend)} (${currency}), which Stripe has no word for: less use is billed as what it costs`,
        },
      ]),
  ...(maximumSpend === null
    ? []
    : [
        {
          code: 'maximum_spend' as const,
          sentence: `has a maximumSpend of ${formatUnits(maximumSpend)} (${currency}), which Stripe has no word for: more use is billed in full, unless a spendLimit ends it`,
        },
      ]),
];

/** Stripe's first tier is reached by using nothing. */
function noticesOfFee(price: Price): readonly Said[] {
  const fee = 'tiers' in price ? (price.tiers[0]?.flatAmount ?? 0n) : 0n;
  if (fee === 0n) return [];
  const sentence = `has a flatAmount of ${formatUnits(fee)} in its first tier, which Stripe bills also where nothing was used; make it a base price, or begin with a tier without a fee`;
  return [{ code: 'fee_without_use', sentence }];
}

function noticesOfCurrency({ price, plan }: Priced): readonly Said[] {
  const others = new Set(plan.prices.map(({ currency }) => currency).filter((currency) => currency !== price.currency));
  if (others.size === 0) return [];
  const sentence = `is in ${price.currency}, and the plan is also paid in ${[...others].join(', ')}: a subscription has one currency, so this is only billed to who pays the plan in ${price.currency}`;
  return [{ code: 'other_currency', sentence }];
}

const RESETS: Readonly<Record<BillingInterval, { readonly named: string; readonly every: string }>> = {
  day: { named: 'daily', every: 'every 1 day' },
  week: { named: 'weekly', every: 'every 1 week' },
  month: { named: 'monthly', every: 'every 1 month' },
  year: { named: 'yearly', every: 'every 1 year' },
};

/** Where each unit costs the same it doesn't matter in which period it is counted. */
function noticesOfPeriod({ price, feature: { reset, anchor }, intervals }: Priced): readonly Said[] {
  if (price.model === 'per_unit' || price.model === 'percentage') return [];
  const differing = intervals.filter((interval) => {
    const { named, every } = RESETS[interval];
    return reset !== every && !(reset === named && anchor === 'subscription');
  });
  const [interval] = differing;
  if (interval === undefined) return [];
  const parts = price.model === 'package' ? 'packages' : 'tiers';
  const here = reset === RESETS[interval].named ? `${reset}, by the calendar` : reset;
  const sentence = `has ${parts} that begin again ${here}; at Stripe they begin again with each invoice, every ${interval} of the subscription. Set reset: "${RESETS[interval].named}" and anchor: "subscription" for them to be the same`;
  return [{ code: 'other_period', sentence }];
}
