/**
 * desired — what a tenant's features and plans should be at Stripe: products, meters and prices. Pure.
 *
 * A feature that costs something is a product and a meter of its own, so that it has a line of its own on an invoice. A
 * plan with base prices is a product. A plan's features have one metered price for each interval in which the plan is paid,
 * since the items of a subscription are invoiced together; a month where the plan itself costs nothing.
 */
import { type BilledUse, billedPrice, billedUseOf, intervalsOf } from '../../../domain/billed-use.ts';
import type { Feature } from '../../../domain/feature.ts';
import {
  type BillingInterval,
  type Catalog,
  liveFeature,
  liveKeys,
  livePlan,
  type Plan,
  type PlanPrice,
} from '../../../domain/plan.ts';
import { basePriceKey, featureProductId, meterEventName, meteredPriceKey, planProductId } from '../names.ts';
import type { Notice } from './notice.ts';
import { noticesOfPrice } from './price-notices.ts';
import { flatTerms, type Terms, termsOf } from './terms.ts';

export type Metadata = { readonly [key: string]: string };

export type DesiredProduct = {
  readonly id: string;
  readonly name: string;
  /** What a unit is called on receipts; null where there is no word, or none that is short enough. */
  readonly unitLabel: string | null;
  readonly metadata: Metadata;
};

/** Adds up what is reported for each customer. */
export type DesiredMeter = { readonly eventName: string; readonly displayName: string };

export type DesiredPrice = {
  /** What the price is for. Of all that ever were for it, one is active and holds the key. */
  readonly lookupKey: string;
  readonly productId: string;
  /** For people who look at it in the dashboard. */
  readonly nickname: string;
  readonly currency: string;
  readonly interval: BillingInterval;
  /** Of the meter that counts what is to be paid; null for a base price. */
  readonly eventName: string | null;
  readonly terms: Terms;
  readonly metadata: Metadata;
};

export type DesiredCatalog = {
  readonly tenantId: string;
  readonly products: readonly DesiredProduct[];
  readonly meters: readonly DesiredMeter[];
  readonly prices: readonly DesiredPrice[];
  /** Products that may be there although they are not wanted: of whatever features and plans there ever were. */
  readonly knownProductIds: readonly string[];
  readonly notices: readonly Notice[];
};

/** The most that Stripe prints of a unit's name. */
const UNIT_LABEL_MAX = 12;

/** @param ownPriced Keys of features that some customers have a price of their own for. */
export function desiredOf(
  tenantId: string,
  catalog: Catalog,
  ownPriced: ReadonlySet<string> = new Set(),
): DesiredCatalog {
  const features = live(catalog.features, (key) => liveFeature(catalog, key));
  const plans = live(catalog.plans, (key) => livePlan(catalog, key));
  const charges = plans.flatMap((plan) => chargesOf(plan, features));
  const priced = charges.flatMap(pricedCharge);
  const base = plans.flatMap((plan) => plan.prices.map((price) => basePrice(plan, price)));
  const soldKeys = new Set(priced.map(({ metadata }) => metadata.metergraph_feature));
  return {
    tenantId,
    products: [
      ...features.filter(({ key }) => soldKeys.has(key)).map(featureProduct),
      ...plans.filter(({ prices }) => prices.length > 0).map(planProduct),
    ],
    meters: features.filter((feature) => ownPriced.has(feature.key) || isEverPriced(catalog, feature)).map(meterOf),
    prices: [...base, ...priced],
    knownProductIds: [
      ...[...catalog.features.keys()].map((key) => featureProductId(tenantId, key)),
      ...[...catalog.plans.keys()].map((key) => planProductId(tenantId, key)),
    ],
    notices: [
      ...charges.flatMap(noticesOfCharge),
      ...features.filter(({ key }) => ownPriced.has(key)).map(({ key }) => ownPriceNotice(key)),
    ],
  };
}

const live = <T extends { readonly archivedAtMs: number | null }>(
  entries: ReadonlyMap<string, T>,
  find: (key: string) => T | undefined,
): readonly T[] =>
  liveKeys(entries).flatMap((key) => {
    const entry = find(key);
    return entry ? [entry] : [];
  });

/** What a feature costs on a plan, each interval. */
type Charge = BilledUse & { readonly plan: Plan };

const chargesOf = (plan: Plan, features: readonly Feature[]): readonly Charge[] =>
  billedUseOf(plan, features).map((use) => ({ plan, ...use }));

/** Also by customers of a plan that is archived, or of an earlier version: what they use is still to be counted. */
const isEverPriced = ({ planVersions }: Catalog, feature: Feature): boolean =>
  billedPrice(feature, null) !== null ||
  [...planVersions.values()].some(({ byNumber }) =>
    [...byNumber.values()].some((plan) => plan.features.has(feature.key) && billedPrice(feature, plan) !== null),
  );

/** The metered prices of one feature on a plan: none where Stripe has no words for what it costs. */
function pricedCharge({ plan, feature, price }: Charge): readonly DesiredPrice[] {
  const { terms } = termsOf(price);
  if (terms === null) return [];
  const { tenantId } = plan;
  return intervalsOf(plan).map((interval) => {
    const lookupKey = meteredPriceKey(tenantId, plan.key, feature.key, interval);
    return {
      lookupKey,
      productId: featureProductId(tenantId, feature.key),
      nickname: `${plan.displayName}: ${feature.displayName}`,
      currency: price.currency,
      interval,
      eventName: meterEventName(tenantId, feature.key),
      terms,
      metadata: {
        metergraph_tenant: tenantId,
        metergraph_plan: plan.key,
        metergraph_feature: feature.key,
        metergraph_price: lookupKey,
      },
    };
  });
}

/** What whoever pays a plan in a currency, by the interval, subscribes to beside its base price: a subscription has one currency. */
export const meteredKeysOf = (
  plan: Plan,
  use: readonly BilledUse[],
  paid: Pick<PlanPrice, 'interval' | 'currency'>,
): readonly string[] =>
  use
    .flatMap((each) => pricedCharge({ plan, ...each }))
    .filter(({ interval, currency }) => interval === paid.interval && currency === paid.currency)
    .map(({ lookupKey }) => lookupKey);

function basePrice({ tenantId, key, displayName }: Plan, { amount, currency, interval }: PlanPrice): DesiredPrice {
  const lookupKey = basePriceKey(tenantId, key, interval, currency);
  return {
    lookupKey,
    productId: planProductId(tenantId, key),
    nickname: displayName,
    currency,
    interval,
    eventName: null,
    terms: flatTerms(amount, currency),
    metadata: { metergraph_tenant: tenantId, metergraph_plan: key, metergraph_price: lookupKey },
  };
}

const featureProduct = ({ tenantId, key, displayName, unit }: Feature): DesiredProduct => ({
  id: featureProductId(tenantId, key),
  name: displayName,
  unitLabel: unit !== null && unit.length <= UNIT_LABEL_MAX ? unit : null,
  metadata: { metergraph_tenant: tenantId, metergraph_feature: key },
});

const planProduct = ({ tenantId, key, displayName }: Plan): DesiredProduct => ({
  id: planProductId(tenantId, key),
  name: displayName,
  unitLabel: null,
  metadata: { metergraph_tenant: tenantId, metergraph_plan: key },
});

const meterOf = ({ tenantId, key, displayName }: Feature): DesiredMeter => ({
  eventName: meterEventName(tenantId, key),
  displayName,
});

function noticesOfCharge({ plan, feature, price }: Charge): readonly Notice[] {
  const place = plan.features.get(feature.key)?.price
    ? `plans.${plan.key}.features.${feature.key}`
    : `features.${feature.key}`;
  return noticesOfPrice({ price, plan, feature, intervals: intervalsOf(plan) }).map((notice) => ({
    ...notice,
    path: `${place}.price`,
  }));
}

const ownPriceNotice = (featureKey: string): Notice => ({
  code: 'own_price',
  path: `features.${featureKey}.price`,
  sentence:
    'is another for some customers, by limits of their own: Stripe bills them what the price on their subscription says, so make one there for each of them, with the same meter',
});
