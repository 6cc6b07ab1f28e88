/** Goal: what is wanted at Stripe follows from features and plans. Method: a table of configs, and what they come to. */
import { expect, it } from 'vitest';
import type { Config } from '../../../define-config.ts';
import { desiredOf } from './desired.ts';
import { catalogOf, MARK, TENANT } from './testing/catalog-of.ts';

const each = { unitAmount: 10 };
const tiers = {
  tiers: [
    { upTo: 10, unitAmount: 10 },
    { upTo: null, unitAmount: 8 },
  ],
};
const monthly = { amount: 2_000, interval: 'month' } as const;
const yearly = { amount: 20_000, interval: 'year' } as const;

/** Names without what they have in common, by kind. */
function wanted(config: Config<string, string>, archived: readonly string[] = []): string {
  const { products, meters, prices, notices } = desiredOf(TENANT, catalogOf(config, archived));
  const names = (all: readonly string[]) => all.map((name) => name.slice(MARK.length + 1)).join(' ');
  return [
    names(products.map(({ id }) => id)),
    names(meters.map(({ eventName }) => eventName)),
    names(prices.map(({ lookupKey }) => lookupKey)),
    notices.map(({ code, path }) => `${code} ${path}`).join(' '),
  ].join(' | ');
}

// biome-ignore format: a table
it.each<[string, Config<string, string>, readonly string[], string]>([
  ['nothing that costs', { features: { a: {} }, plans: { free: { features: { a: true } } } }, [],
   ' |  |  | '],
  ['a base price alone', { features: { a: {} }, plans: { pro: { price: [monthly], features: { a: true } } } }, [],
   'p_pro |  | pro:base:month:usd | '],
  ['a base price in two currencies', { features: {}, plans: { pro: { price: [monthly, { ...monthly, currency: 'eur' }], features: {} } } }, [],
   'p_pro |  | pro:base:month:usd pro:base:month:eur | '],
  ['a feature that costs, by the month where the plan costs nothing', { features: { a: { price: each } }, plans: { free: { features: { a: true } } } }, [],
   'f_a | a | free:a:month | '],
  ['a feature that costs on one plan of two', { features: { a: {} }, plans: { free: { features: { a: true } }, pro: { features: { a: { price: each } } } } }, [],
   'f_a | a | pro:a:month | '],
  ['a price for each interval in which the plan is paid', { features: { a: { price: each } }, plans: { pro: { price: [monthly, yearly], features: { a: true } } } }, [],
   'f_a p_pro | a | pro:base:month:usd pro:base:year:usd pro:a:month pro:a:year | '],
  ['none for what is prepaid', { features: { a: { price: each, billing: 'prepaid' } }, plans: { pro: { features: { a: true } } } }, [],
   ' |  |  | '],
  ['none for a feature that the plan leaves out', { features: { a: { price: each } }, plans: { pro: { features: { a: false } } } }, [],
   ' | a |  | '],
  ['a meter still, for customers of an archived plan', { features: { a: {} }, plans: { pro: { price: [monthly], features: { a: { price: each } } } } }, ['pro'],
   ' | a |  | '],
  ['nothing of an archived feature', { features: { a: { price: each } }, plans: { pro: { features: { a: true } } } }, ['a'],
   ' |  |  | '],
  ['another currency than the plan', { features: { a: { price: each } }, plans: { pro: { price: [{ ...monthly, currency: 'eur' }], features: { a: true } } } }, [],
   'f_a p_pro | a | pro:base:month:eur pro:a:month | other_currency features.a.price'],
  ['tiers by the calendar', { features: { a: { reset: 'monthly' } }, plans: { pro: { features: { a: { price: tiers } } } } }, [],
   'f_a | a | pro:a:month | other_period plans.pro.features.a.price'],
  ['tiers by the subscription', { features: { a: { reset: 'monthly', anchor: 'subscription', price: tiers } }, plans: { pro: { features: { a: true } } } }, [],
   'f_a | a | pro:a:month | '],
  ['tiers by a month of their own', { features: { a: { reset: { every: 1, unit: 'month' }, price: tiers } }, plans: { pro: { features: { a: true } } } }, [],
   'f_a | a | pro:a:month | '],
  ['packages by the day', { features: { a: { reset: 'daily', price: { unitAmount: 1, per: 10 } } }, plans: { pro: { features: { a: true } } } }, [],
   'f_a | a | pro:a:month | other_period features.a.price'],
  ['units by the day, which cost the same', { features: { a: { reset: 'daily', price: each } }, plans: { pro: { features: { a: true } } } }, [],
   'f_a | a | pro:a:month | '],
])('of %s', (_what, config, archived, says) => expect(wanted(config, archived)).toBe(says));

it('says what a unit is called only where Stripe prints it', () => {
  const features = { a: { unit: 'twelve chars', price: each }, b: { unit: 'thirteen char', price: each } };
  const { products } = desiredOf(TENANT, catalogOf({ features, plans: { pro: { features: { a: true, b: true } } } }));
  expect(products.map(({ unitLabel }) => unitLabel)).toEqual(['twelve chars', null]);
});

it('has a meter for a feature that some customers alone have a price for, and says what becomes of it', () => {
  const catalog = catalogOf({ features: { a: {}, b: {} }, plans: { pro: { features: { a: true, b: true } } } });
  const { products, meters, notices } = desiredOf(TENANT, catalog, new Set(['a', 'gone']));
  expect(products).toEqual([]);
  expect(meters.map(({ eventName }) => eventName)).toEqual([`${MARK}_a`]);
  expect(notices.map(({ code, path }) => `${code} ${path}`)).toEqual(['own_price features.a.price']);
});
