/** prices — what a product costs. Amounts never change: a new price takes the place of the old, and its lookup key. */
import type Stripe from 'stripe';
import type { Account, Price } from '../account.ts';
import { announce, change } from '../announce.ts';
import { decimalOf, type Exact, exact, wholeOf } from '../decimal.ts';
import { page } from '../page.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { search } from '../search.ts';
import { mergeMetadata } from '../wire.ts';
import { newProduct } from './products.ts';

export const priceRoutes = [
  route<Stripe.PriceCreateParams>('POST /v1/prices', ({ account, params }) => newPrice(account, params)),
  route('GET /v1/prices/{}', ({ account, id }) => account.prices.get(id)),
  route<Stripe.PriceUpdateParams>('POST /v1/prices/{}', update),
  route<Stripe.PriceListParams>('GET /v1/prices', ({ account, params, url }) =>
    page(account.prices.all(listed(params)), params, url),
  ),
  route<Stripe.PriceSearchParams>('GET /v1/prices/search', ({ account, params, url }) =>
    search(account.prices.all(), params, url),
  ),
];

type PriceParams = Call<Stripe.PriceCreateParams>['params'];
type TierParams = NonNullable<PriceParams['tiers']>[number];

function listed({ active, currency, lookup_keys, product, type, recurring }: Call<Stripe.PriceListParams>['params']) {
  return (price: Price): boolean =>
    (active === undefined || price.active === active) &&
    (currency === undefined || price.currency === currency) &&
    (lookup_keys === undefined || (price.lookup_key !== null && lookup_keys.includes(price.lookup_key))) &&
    (product === undefined || price.product === product) &&
    (type === undefined || price.type === type) &&
    (recurring?.interval === undefined || price.recurring?.interval === recurring.interval) &&
    (recurring?.meter === undefined || price.recurring?.meter === recurring.meter) &&
    (recurring?.usage_type === undefined || price.recurring?.usage_type === recurring.usage_type);
}

export function newPrice(account: Account, params: PriceParams): Price {
  const isTiered = params.billing_scheme === 'tiered';
  const amount = isTiered ? null : unitAmountOf(params, 'unit_amount');
  const price: Price = {
    id: account.newId('price'),
    object: 'price',
    active: params.active ?? true,
    billing_scheme: params.billing_scheme ?? 'per_unit',
    created: account.now(),
    currency: params.currency.toLowerCase(),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: claimed(account, params.lookup_key, params.transfer_lookup_key),
    metadata: mergeMetadata(null, params.metadata),
    nickname: params.nickname ?? null,
    product: productOf(account, params),
    recurring: recurringOf(account, params),
    tax_behavior: params.tax_behavior ?? 'unspecified',
    ...(isTiered ? { tiers: tiersOf(params) } : {}),
    tiers_mode: isTiered ? (params.tiers_mode ?? null) : null,
    transform_quantity: transformOf(params, isTiered),
    type: params.recurring ? 'recurring' : 'one_time',
    unit_amount: amount === null ? null : wholeOf(amount),
    unit_amount_decimal: amount === null ? null : decimalOf(amount),
  };
  announce(account, 'price.created', account.prices.add(price));
  return price;
}

/** @throws Refusal where the key belongs to another active price, and is not to be transferred. */
function claimed(account: Account, key: string | undefined, transfer = false, price?: Price): string | null {
  if (key === undefined || key === '') return null;
  const owner = account.prices.all(({ lookup_key }) => lookup_key === key).find((each) => each !== price);
  if (owner && !transfer) {
    const message = `A price (\`${owner.id}\`) already uses that lookup key.`;
    throw invalid(message, { param: 'lookup_key', code: 'resource_already_exists' });
  }
  if (owner) change(account, 'price.updated', owner, { lookup_key: null });
  return key;
}

function productOf(account: Account, { product, product_data }: PriceParams): string {
  if ((product === undefined) === (product_data === undefined))
    throw invalid('You must provide either `product` or `product_data`.');
  return product_data ? newProduct(account, product_data).id : account.products.get(`${product}`, 'product').id;
}

function recurringOf(account: Account, { recurring }: PriceParams): Price['recurring'] {
  if (!recurring) return null;
  const { interval, interval_count = 1, usage_type = 'licensed', meter, trial_period_days = null } = recurring;
  if (usage_type === 'metered' && meter === undefined) {
    throw invalid('Metered prices must be backed by meters.', { param: 'recurring[meter]' });
  }
  if (meter !== undefined) {
    if (usage_type !== 'metered') throw invalid('Only metered prices have a meter.', { param: 'recurring[meter]' });
    if (account.meters.get(meter, 'recurring[meter]').status !== 'active') {
      throw invalid('You cannot attach a deactivated meter to a price.', { param: 'recurring[meter]' });
    }
  }
  return { interval, interval_count, meter: meter ?? null, trial_period_days, usage_type };
}

function transformOf({ transform_quantity }: PriceParams, isTiered: boolean): Price['transform_quantity'] {
  if (!transform_quantity) return null;
  if (isTiered) throw invalid('transform_quantity cannot be combined with tiers.', { param: 'transform_quantity' });
  if (transform_quantity.divide_by < 1)
    throw invalid('Must be at least 1.', { param: 'transform_quantity[divide_by]' });
  return transform_quantity;
}

/** Ascending, and the last has no end. */
function tiersOf({ tiers, tiers_mode }: PriceParams): NonNullable<Price['tiers']> {
  if (!tiers || !tiers_mode) throw invalid('billing_scheme=tiered needs `tiers` and `tiers_mode`.', { param: 'tiers' });
  const ends = tiers.map(({ up_to }) => (up_to === 'inf' ? Infinity : up_to));
  if (ends.at(-1) !== Infinity) throw invalid('The last tier must have `up_to=inf`.', { param: 'tiers' });
  if (ends.some((end, index) => end <= (ends[index - 1] ?? 0)))
    throw invalid('`up_to` must ascend.', { param: 'tiers' });
  return tiers.map(tierOf);
}

function tierOf(tier: TierParams): NonNullable<Price['tiers']>[number] {
  const unit = unitAmountOf(tier, 'unit_amount', true);
  const flat = unitAmountOf(tier, 'flat_amount', true);
  if (unit === null && flat === null) throw invalid('A tier needs a unit_amount or a flat_amount.', { param: 'tiers' });
  return {
    flat_amount: flat === null ? null : wholeOf(flat),
    flat_amount_decimal: flat === null ? null : decimalOf(flat),
    unit_amount: unit === null ? null : wholeOf(unit),
    unit_amount_decimal: unit === null ? null : decimalOf(unit),
    up_to: tier.up_to === 'inf' ? null : tier.up_to,
  };
}

/** Of `x` and `x_decimal`, at most one may be there. */
function unitAmountOf(
  params: TierParams | PriceParams,
  field: 'unit_amount' | 'flat_amount',
  isOptional = false,
): Exact | null {
  const { [field]: whole, [`${field}_decimal` as const]: decimal } = params as TierParams;
  if (whole !== undefined && decimal !== undefined)
    throw invalid(`Only one of ${field} and ${field}_decimal may be set.`, { param: field });
  const amount = decimal ?? whole;
  if (amount !== undefined) {
    if (exact(amount, field) < 0n) throw invalid(`${field} must be at least 0.`, { param: field });
    return exact(amount, field);
  }
  if (isOptional) return null;
  throw invalid(`Prices require \`${field}\` or \`${field}_decimal\` to be set.`, {
    param: field,
    code: 'parameter_missing',
  });
}

function update({ account, params, id }: Call<Stripe.PriceUpdateParams>): Price {
  const price = account.prices.get(id);
  const { active, nickname, metadata, lookup_key, transfer_lookup_key, tax_behavior } = params;
  return change(account, 'price.updated', price, {
    active,
    nickname,
    metadata: mergeMetadata(price.metadata, metadata),
    lookup_key: lookup_key === undefined ? undefined : claimed(account, lookup_key, transfer_lookup_key, price),
    tax_behavior,
  });
}
