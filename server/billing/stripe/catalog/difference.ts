/**
 * difference — the steps from what is at Stripe to what should be, in the order in which they can be done. Pure.
 *
 * Nothing is deleted: what is not wanted is archived, and comes back when it is wanted again. Prices never change their
 * terms: another takes the lookup key over, and the old one is archived, for subscriptions keep what they have. Meters stay
 * as they are where nobody wants them any more: use that was late, or by customers of an old price, is still counted.
 */
import type { ActualCatalog, ActualMeter, ActualPrice, ActualProduct } from './actual.ts';
import { type Change, priceEdits, productEdits } from './change.ts';
import type { DesiredCatalog, DesiredMeter, DesiredPrice, DesiredProduct } from './desired.ts';
import { spellTerms } from './terms.ts';

export type Difference = {
  readonly changes: readonly Change[];
  /** How many objects are as they should be. */
  readonly unchanged: number;
  /** Sentences on what somebody has to put out of the way first. */
  readonly inTheWay: readonly string[];
};

export function differenceOf(desired: DesiredCatalog, actual: ActualCatalog): Difference {
  const products = desired.products.map((product) => productChanges(product, actual));
  const meters = desired.meters.map((meter) => meterChanges(meter, actual));
  const prices = pricesByKey(actual);
  const slots = desired.prices.map((price) => priceChanges(price, prices.get(price.lookupKey) ?? [], actual));
  const wantedKeys = new Set(desired.prices.map(({ lookupKey }) => lookupKey));
  const wantedIds = new Set(desired.products.map(({ id }) => id));
  const unwanted = [...prices].sort(byKey).flatMap(([key, of]) => (wantedKeys.has(key) ? [] : of.filter(isActive)));
  const makes = [...products, ...meters, ...slots.map((slot) => slot.makes)];
  return {
    changes: [
      ...makes.flat(),
      ...[...slots.flatMap(({ archives }) => archives), ...unwanted].map(archivePrice),
      ...actual.products
        .filter((product) => isActive(product) && isOurs(product, desired) && !wantedIds.has(product.id))
        .map(archiveProduct),
    ],
    unchanged: makes.filter((changes) => changes.length === 0).length,
    inTheWay: [
      ...actual.products.flatMap((product) => foreign(product, desired)),
      ...desired.meters.flatMap((meter) => otherKind(meter, actual)),
    ],
  };
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
const isActive = (object: { readonly isActive: boolean }): boolean => object.isActive;
const archivePrice = (before: ActualPrice): Change => ({ kind: 'archive_price', before });
const archiveProduct = (before: ActualProduct): Change => ({ kind: 'archive_product', before });

/** One whose metadata was taken away is ours still: the id says so. */
const isOurs = ({ metadata }: ActualProduct, { tenantId }: DesiredCatalog): boolean =>
  (metadata.metergraph_tenant ?? tenantId) === tenantId;

function foreign(product: ActualProduct, desired: DesiredCatalog): readonly string[] {
  if (isOurs(product, desired)) return [];
  return [
    `The product ${product.id} belongs to another tenant, ${product.metadata.metergraph_tenant}, by its metadata. Two databases must not share a Stripe account: use another account, or a sandbox of its own.`,
  ];
}

function otherKind({ eventName }: DesiredMeter, { meters }: ActualCatalog): readonly string[] {
  const meter = meters.find((each) => each.eventName === eventName && each.isActive && !each.isOurKind);
  if (!meter) return [];
  return [
    `The meter ${meter.id} for "${eventName}" does not add up "value" by "stripe_customer_id", and what a meter does can't be changed: deactivate it at Stripe, and another is made.`,
  ];
}

function productChanges(product: DesiredProduct, { products }: ActualCatalog): readonly Change[] {
  const before = products.find(({ id }) => id === product.id);
  if (!before) return [{ kind: 'create_product', product }];
  const isSame = before.isActive && productEdits(product, before).length === 0;
  return isSame ? [] : [{ kind: 'update_product', product, before }];
}

function meterChanges(meter: DesiredMeter, { meters }: ActualCatalog): readonly Change[] {
  const before = meterFor(meter.eventName, meters);
  if (!before) return [{ kind: 'create_meter', meter }];
  return [
    ...(before.isActive ? [] : [{ kind: 'restore_meter' as const, before }]),
    ...(before.displayName === meter.displayName ? [] : [{ kind: 'update_meter' as const, meter, before }]),
  ];
}

/** Of several for one name, the one that counts; where none does, the newest, which lists have first. */
export function meterFor(eventName: string, meters: readonly ActualMeter[]): ActualMeter | undefined {
  const ours = meters.filter((meter) => meter.eventName === eventName && meter.isOurKind);
  return ours.find(isActive) ?? ours[0];
}

/** All that were ever made for the same. */
function pricesByKey({ prices }: ActualCatalog): ReadonlyMap<string, readonly ActualPrice[]> {
  const byKey = new Map<string, ActualPrice[]>();
  for (const price of prices) {
    if (price.madeFor === null || !price.madeFor.startsWith('mg_')) continue; // made by hand: none of ours
    const known = byKey.get(price.madeFor);
    if (known) known.push(price);
    else byKey.set(price.madeFor, [price]);
  }
  return byKey;
}

/** One price is made or changed at most; all others that are active are archived after that. */
type SlotChanges = { readonly makes: readonly Change[]; readonly archives: readonly ActualPrice[] };

function priceChanges(price: DesiredPrice, made: readonly ActualPrice[], { meters }: ActualCatalog): SlotChanges {
  const meterId = price.eventName === null ? null : (meterFor(price.eventName, meters)?.id ?? undefined);
  const [chosen] = made
    .filter((each) => chargesTheSame(price, each, meterId))
    .sort((a, b) => byPreference(price, a, b));
  const archives = made.filter((each) => each.isActive && each !== chosen);
  if (!chosen) {
    const replaces = made.find(({ lookupKey }) => lookupKey === price.lookupKey) ?? null;
    return { makes: [{ kind: 'create_price', price, replaces }], archives };
  }
  const isSame = chosen.isActive && priceEdits(price, chosen).length === 0;
  return { makes: isSame ? [] : [{ kind: 'update_price', price, before: chosen }], archives };
}

/** @param meterId Undefined for a meter that is yet to be made. */
const chargesTheSame = (price: DesiredPrice, { terms, ...actual }: ActualPrice, meterId: string | null | undefined) =>
  terms !== null &&
  actual.meterId === meterId &&
  actual.productId === price.productId &&
  actual.currency === price.currency &&
  actual.interval === price.interval &&
  spellTerms(terms, actual.currency) === spellTerms(price.terms, price.currency);

/** Active ones first, then the one that holds the key, then the newest. Total, so that everybody chooses alike. */
function byPreference({ lookupKey }: DesiredPrice, a: ActualPrice, b: ActualPrice): number {
  const rank = (each: ActualPrice) => (each.isActive ? 2 : 0) + (each.lookupKey === lookupKey ? 1 : 0);
  return rank(b) - rank(a) || b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}
