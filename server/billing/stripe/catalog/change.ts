/** change — one step from what is at Stripe to what should be, and how people read it. */
import type { ActualMeter, ActualPrice, ActualProduct } from './actual.ts';
import type { DesiredMeter, DesiredPrice, DesiredProduct, Metadata } from './desired.ts';
import { spellTerms, type Terms } from './terms.ts';

export type Change =
  | { readonly kind: 'create_product'; readonly product: DesiredProduct }
  | { readonly kind: 'update_product'; readonly product: DesiredProduct; readonly before: ActualProduct }
  | { readonly kind: 'archive_product'; readonly before: ActualProduct }
  | { readonly kind: 'create_meter'; readonly meter: DesiredMeter }
  | { readonly kind: 'update_meter'; readonly meter: DesiredMeter; readonly before: ActualMeter }
  | { readonly kind: 'restore_meter'; readonly before: ActualMeter }
  /** `replaces`: the price that holds the lookup key until then. */
  | { readonly kind: 'create_price'; readonly price: DesiredPrice; readonly replaces: ActualPrice | null }
  /** Everything but its terms may change, whether it is archived too. */
  | { readonly kind: 'update_price'; readonly price: DesiredPrice; readonly before: ActualPrice }
  | { readonly kind: 'archive_price'; readonly before: ActualPrice };

/** `+` is new, `~` changed, `^` back again, `-` archived. */
export type ChangeMark = '+' | '~' | '^' | '-';

export function markOfChange(change: Change): ChangeMark {
  switch (change.kind) {
    case 'create_product':
    case 'create_meter':
      return '+';
    case 'create_price':
      return change.replaces === null ? '+' : '~';
    case 'update_product':
    case 'update_price':
      return change.before.isActive ? '~' : '^';
    case 'update_meter':
      return '~';
    case 'restore_meter':
      return '^';
    case 'archive_product':
    case 'archive_price':
      return '-';
  }
}

/** What it is, what it is called, and what becomes of it, for a table of three columns. */
export type ChangeLine = {
  readonly mark: ChangeMark;
  readonly noun: string;
  readonly name: string;
  readonly what: string;
};

export const lineOfChange = (change: Change): ChangeLine => ({
  mark: markOfChange(change),
  noun: change.kind.slice(change.kind.indexOf('_') + 1),
  name: nameOf(change),
  what: whatOf(change),
});

function nameOf(change: Change): string {
  switch (change.kind) {
    case 'create_product':
      return change.product.id;
    case 'update_product':
    case 'archive_product':
      return change.before.id;
    case 'create_meter':
      return change.meter.eventName;
    case 'update_meter':
    case 'restore_meter':
      return change.before.eventName;
    case 'create_price':
    case 'update_price':
      return change.price.lookupKey;
    case 'archive_price':
      return change.before.madeFor ?? change.before.id;
  }
}

function whatOf(change: Change): string {
  switch (change.kind) {
    case 'create_product':
      return quoted(change.product.name);
    case 'update_product':
      return [...comesBack(change.before), ...productEdits(change.product, change.before)].join(', ');
    case 'archive_product':
      return `${quoted(change.before.name)}, archived`;
    case 'create_meter':
      return `${quoted(change.meter.displayName)}, the sum of each customer`;
    case 'update_meter':
      return edit('name', change.before.displayName, change.meter.displayName).join('');
    case 'restore_meter':
      return `${quoted(change.before.displayName)}, takes events again`;
    case 'create_price':
      return whatOfNewPrice(change.price, change.replaces);
    case 'update_price':
      return [...comesBack(change.before), ...priceEdits(change.price, change.before)].join(', ');
    case 'archive_price':
      return `${spellActual(change.before)}, archived; subscriptions that have it keep it`;
  }
}

const whatOfNewPrice = (price: DesiredPrice, replaces: ActualPrice | null): string =>
  replaces === null ? spellDesired(price) : `${spellActual(replaces)} → ${spellDesired(price)}, as another price`;

const comesBack = ({ isActive }: { readonly isActive: boolean }): readonly string[] => (isActive ? [] : ['back again']);

/** What differs of a product, in words; none where nothing does. */
export const productEdits = (wanted: DesiredProduct, before: ActualProduct): readonly string[] => [
  ...edit('name', before.name, wanted.name),
  ...edit('unit', before.unitLabel, wanted.unitLabel),
  ...metadataEdits(wanted.metadata, before.metadata),
];

/** What differs of a price, beside its terms. */
export const priceEdits = (wanted: DesiredPrice, before: ActualPrice): readonly string[] => [
  ...edit('lookup key', before.lookupKey, wanted.lookupKey),
  ...edit('nickname', before.nickname, wanted.nickname),
  ...metadataEdits(wanted.metadata, before.metadata),
];

const metadataEdits = (wanted: Metadata, before: Metadata): readonly string[] =>
  Object.entries(wanted).flatMap(([key, value]) => edit(key, before[key] ?? null, value));

const edit = (what: string, before: string | null, after: string | null): readonly string[] =>
  before === after ? [] : [`${what} ${quoted(before)} → ${quoted(after)}`];

const quoted = (text: string | null): string => (text === null ? 'none' : JSON.stringify(text));

const spellDesired = ({ terms, currency, interval, eventName }: DesiredPrice): string =>
  spellCharge(terms, currency, interval, eventName !== null);

const spellActual = ({ terms, currency, interval, meterId }: ActualPrice): string =>
  spellCharge(terms, currency, interval, meterId !== null);

function spellCharge(terms: Terms | null, currency: string, interval: string | null, isMetered: boolean): string {
  const often = interval === null ? 'at other intervals' : `every ${interval}`;
  if (terms === null) return `in ways of its own, ${often}`;
  const spelled = spellTerms(terms, currency);
  return isMetered ? `${spelled}, ${often}` : `${spelled.replace(/ each$/, '')} ${often}`;
}
