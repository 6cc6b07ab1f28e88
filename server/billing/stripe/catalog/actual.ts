/** actual — what is at Stripe of a tenant's catalog, archived or not. */

import type Stripe from 'stripe';
import { chunksOf, eachOf } from '../each-of.ts';
import { patiently, type Wait } from './calls.ts';
import type { DesiredCatalog, Metadata } from './desired.ts';
import { type Terms, termsOfStripe } from './terms.ts';

export type ActualProduct = {
  readonly id: string;
  readonly isActive: boolean;
  readonly name: string;
  readonly unitLabel: string | null;
  readonly metadata: Metadata;
};

export type ActualMeter = {
  readonly id: string;
  readonly isActive: boolean;
  readonly eventName: string;
  readonly displayName: string;
  /** Whether it counts as ours do: the sum of `value`, by `stripe_customer_id`. */
  readonly isOurKind: boolean;
};

export type ActualPrice = {
  readonly id: string;
  readonly isActive: boolean;
  readonly createdAt: number;
  readonly lookupKey: string | null;
  /** The lookup key that it holds, or held until another price took its place. Null for a price that isn't ours. */
  readonly madeFor: string | null;
  readonly productId: string;
  readonly nickname: string | null;
  readonly currency: string;
  /** Null for what is paid once, or every so many intervals. */
  readonly interval: string | null;
  readonly meterId: string | null;
  /** Null for what we never say. */
  readonly terms: Terms | null;
  readonly taxBehavior: Stripe.Price.TaxBehavior | null;
  readonly metadata: Metadata;
};

export type ActualCatalog = {
  readonly products: readonly ActualProduct[];
  readonly meters: readonly ActualMeter[];
  readonly prices: readonly ActualPrice[];
};

export type Reader = {
  readonly stripe: Stripe;
  /** Whose account. */
  readonly on: Stripe.RequestOptions;
  readonly wait: Wait;
};

/** The most that a page holds. */
const PAGE = 100;
/** Ids are long, and all of them stand in one address. */
const IDS_AT_ONCE = 20;
const READS_AT_ONCE = 4;

/**
 * Products by their ids, the prices of each of them, and all meters. So what it costs follows from the tenant's catalog
 * and its history, not from what else is in the account.
 */
export async function readActual(reader: Reader, { knownProductIds }: DesiredCatalog): Promise<ActualCatalog> {
  const products = await productsOf(reader, knownProductIds);
  const [meters, prices] = await Promise.all([
    metersOf(reader),
    eachOf(products, READS_AT_ONCE, ({ id }) => pricesOf(reader, id)),
  ]);
  return { products, meters, prices: prices.flat() };
}

async function productsOf({ stripe, on, wait }: Reader, ids: readonly string[]): Promise<readonly ActualProduct[]> {
  const pages = await eachOf(chunksOf(ids, IDS_AT_ONCE), READS_AT_ONCE, (chunk) =>
    patiently(wait, () => stripe.products.list({ ids: chunk, limit: PAGE }, on)),
  );
  return pages.flatMap(({ data }) => data.map(productOf));
}

async function metersOf({ stripe, on, wait }: Reader): Promise<readonly ActualMeter[]> {
  const meters = await patiently(wait, () => wholeList(stripe.billing.meters.list({ limit: PAGE }, on)));
  return meters.map(meterOf);
}

async function pricesOf({ stripe, on, wait }: Reader, product: string): Promise<readonly ActualPrice[]> {
  const params = { product, limit: PAGE, expand: ['data.tiers'] };
  const prices = await patiently(wait, () => wholeList(stripe.prices.list(params, on)));
  return prices.map(priceOf);
}

/** All pages of it. */
async function wholeList<T>(list: Stripe.ApiListPromise<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}

const productOf = ({ id, active, name, unit_label, metadata }: Stripe.Product): ActualProduct => ({
  id,
  isActive: active,
  name,
  unitLabel: unit_label ?? null,
  metadata,
});

const meterOf = (meter: Stripe.Billing.Meter): ActualMeter => ({
  id: meter.id,
  isActive: meter.status === 'active',
  eventName: meter.event_name,
  displayName: meter.display_name,
  isOurKind:
    meter.default_aggregation.formula === 'sum' &&
    meter.customer_mapping.event_payload_key === 'stripe_customer_id' &&
    meter.value_settings.event_payload_key === 'value',
});

const priceOf = (price: Stripe.Price): ActualPrice => ({
  id: price.id,
  isActive: price.active,
  createdAt: price.created,
  lookupKey: price.lookup_key,
  madeFor: price.metadata.metergraph_price ?? price.lookup_key,
  productId: typeof price.product === 'string' ? price.product : price.product.id,
  nickname: price.nickname,
  currency: price.currency,
  interval: price.recurring?.interval_count === 1 ? price.recurring.interval : null,
  meterId: price.recurring?.meter ?? null,
  terms: termsOfStripe(price),
  taxBehavior: price.tax_behavior,
  metadata: price.metadata,
});
