/**
 * apply — one change, made at Stripe.
 *
 * What makes something has an idempotency key that follows from what is made, so that of two who make it at once one
 * makes it, and both hear of it. What changes something says how it is to be, and may be said twice.
 */
import { hash } from 'node:crypto';
import type Stripe from 'stripe';
import type { ActualPrice, Reader } from './actual.ts';
import { patiently } from './calls.ts';
import type { Change } from './change.ts';
import type { DesiredMeter, DesiredPrice, DesiredProduct } from './desired.ts';
import { paramsOfTerms } from './terms.ts';

export type Applier = Reader & {
  /** Ids of meters that are there by their event names; those that are made are put in. */
  readonly meterIds: Map<string, string>;
  /** How often all was looked at before: what an earlier key is remembered for may be gone by now, or have failed. */
  readonly round: number;
};

export async function apply(applier: Applier, change: Change): Promise<void> {
  const { wait } = applier;
  switch (change.kind) {
    case 'create_product':
      return createProduct(applier, change.product);
    case 'create_meter':
      return createMeter(applier, change.meter);
    case 'create_price':
      return createPrice(applier, change.price, change.replaces);
    default:
      await patiently(wait, () => update(applier, change));
  }
}

type Update = Exclude<Change, { kind: `create_${string}` }>;

function update({ stripe, on }: Applier, change: Update): Promise<unknown> {
  const { id } = change.before;
  switch (change.kind) {
    case 'update_product': {
      const { name, unitLabel, metadata } = change.product;
      return stripe.products.update(id, { active: true, name, unit_label: unitLabel ?? '', metadata }, on);
    }
    case 'archive_product':
      return stripe.products.update(id, { active: false }, on);
    case 'update_meter':
      return stripe.billing.meters.update(id, { display_name: change.meter.displayName }, on);
    case 'restore_meter':
      return stripe.billing.meters.reactivate(id, {}, on);
    case 'update_price': {
      const { nickname, metadata, lookupKey } = change.price;
      const moves = change.before.lookupKey === lookupKey ? {} : { lookup_key: lookupKey, transfer_lookup_key: true };
      return stripe.prices.update(id, { active: true, nickname, metadata, ...moves }, on);
    }
    case 'archive_price':
      return stripe.prices.update(id, { active: false }, on);
  }
}

async function createProduct(applier: Applier, { id, name, unitLabel, metadata }: DesiredProduct): Promise<void> {
  const params = { id, name, metadata, ...(unitLabel !== null && { unit_label: unitLabel }) };
  await once(applier, params, (options) => applier.stripe.products.create(params, options));
}

async function createMeter(applier: Applier, { eventName, displayName }: DesiredMeter): Promise<void> {
  const params: Stripe.Billing.MeterCreateParams = {
    event_name: eventName,
    display_name: displayName,
    default_aggregation: { formula: 'sum' },
    customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
    value_settings: { event_payload_key: 'value' },
  };
  const made = await once(applier, params, (options) => applier.stripe.billing.meters.create(params, options));
  applier.meterIds.set(eventName, made.id);
}

async function createPrice(applier: Applier, price: DesiredPrice, replaces: ActualPrice | null): Promise<void> {
  const { lookupKey, productId, nickname, currency, metadata, terms } = price;
  const params: Stripe.PriceCreateParams = {
    product: productId,
    currency,
    nickname,
    metadata,
    lookup_key: lookupKey,
    recurring: recurringOf(price, applier.meterIds),
    ...paramsOfTerms(terms),
    // Not where nobody is known to hold the key: then it is refused to the second of two who don't know of each other.
    ...(replaces !== null && { transfer_lookup_key: true, ...taxOf(replaces) }),
  };
  const made = { params, replaces: replaces?.id };
  await once(applier, made, (options) => applier.stripe.prices.create(params, options));
}

function recurringOf({ interval, eventName }: DesiredPrice, meterIds: ReadonlyMap<string, string>) {
  if (eventName === null) return { interval };
  const meter = meterIds.get(eventName);
  if (meter === undefined) throw new Error(`the meter for "${eventName}" was not made before its price`);
  return { interval, usage_type: 'metered' as const, meter };
}

/** What was decided at Stripe about tax stays decided. */
const taxOf = ({ taxBehavior }: ActualPrice) =>
  taxBehavior === null || taxBehavior === 'unspecified' ? {} : { tax_behavior: taxBehavior };

/** @param made What tells this from anything else that is made. */
function once<T>(
  { on, wait, round }: Applier,
  made: object,
  create: (options: Stripe.RequestOptions) => Promise<T>,
): Promise<T> {
  const idempotencyKey = `metergraph-${round}-${hash('sha256', JSON.stringify(made))}`;
  return patiently(wait, () => create({ ...on, idempotencyKey }));
}
