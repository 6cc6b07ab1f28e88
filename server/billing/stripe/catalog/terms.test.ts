/** Goal: each price model is told Stripe exactly, or not at all. Method: a table of prices and the parameters they make. */
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import type { PriceConfig } from '../../../define-config.ts';
import { desiredOf } from './desired.ts';
import { paramsOfTerms, spellTerms, termsOfStripe } from './terms.ts';
import { catalogOf } from './testing/catalog-of.ts';

/** Of one feature with this price, on a plan without one. */
const desired = (price: PriceConfig) =>
  desiredOf(
    't',
    catalogOf({
      features: { calls: { reset: 'monthly', anchor: 'subscription', price } },
      plans: { pro: { features: { calls: true } } },
    }),
  );

function sent(price: PriceConfig) {
  const [only] = desired(price).prices;
  if (!only) throw new Error('no price was made');
  return JSON.parse(JSON.stringify(paramsOfTerms(only.terms)));
}

const each = (unit_amount_decimal: string) => ({ billing_scheme: 'per_unit', unit_amount_decimal });

// biome-ignore format: a table
it.each<[PriceConfig, object, string]>([
  [{ unitAmount: 10 },                          each('10'),                      '0.10 USD each'],
  [{ unitAmount: 0 },                           each('0'),                       '0.00 USD each'],
  [{ unitAmount: '0.002' },                     each('0.002'),                   '0.00002 USD each'],
  [{ unitAmount: '0.000000001' },               each('0.000000001'),             '0.00000000001 USD each'],
  [{ unitAmount: '123456789.123456789' },       each('123456789.123456789'),     '1234567.89123456789 USD each'],
  [{ unitAmount: 100, per: 50 },                { ...each('100'), transform_quantity: { divide_by: 50, round: 'up' } },
                                                                                 '1.00 USD for each 50 begun'],
  [{ unitAmount: 100, per: 1 },                 each('100'),                     '1.00 USD each'],
  [{ percent: '2.9' },                          each('0.029'),                   '0.00029 USD each'],
  [{ percent: '0.000000001' },                  each('0.00000000001'),           '0.0000000000001 USD each'],
  [{ unitAmount: 10, currency: 'jpy' },         each('10'),                      '10 JPY each'],
  [{ unitAmount: 10, currency: 'isk' },         each('1000'),                    '10 ISK each'],
  [{ unitAmount: '0.5', currency: 'ugx' },      each('50'),                      '0.5 UGX each'],
  [{ unitAmount: 500, currency: 'mga' },        each('5'),                       '5.00 MGA each'],
  [{ unitAmount: 10, currency: 'kwd' },         each('10'),                      '0.010 KWD each'],
  [{ percent: 3, currency: 'isk' },             each('3'),                       '0.03 ISK each'],
  [{ tiers: [{ upTo: 1_000, unitAmount: 10 }, { upTo: null, unitAmount: 8 }] },
   { billing_scheme: 'tiered', tiers_mode: 'graduated', tiers: [{ up_to: 1_000, unit_amount_decimal: '10' }, { up_to: 'inf', unit_amount_decimal: '8' }] },
   'graduated, up to 1000 0.10 USD each, then 0.08 USD each'],
  [{ mode: 'graduated', tiers: [{ upTo: 10, unitAmount: 0 }, { upTo: null, unitAmount: '0.5', flatAmount: 100 }] },
   { billing_scheme: 'tiered', tiers_mode: 'graduated', tiers: [{ up_to: 10, unit_amount_decimal: '0' }, { up_to: 'inf', unit_amount_decimal: '0.5', flat_amount_decimal: '100' }] },
   'graduated, up to 10 0.00 USD each, then 0.005 USD each and a fee of 1.00 USD'],
  [{ mode: 'volume', tiers: [{ upTo: 10, unitAmount: 9 }, { upTo: null, unitAmount: 7 }] },
   { billing_scheme: 'tiered', tiers_mode: 'volume', tiers: [{ up_to: 10, unit_amount_decimal: '9' }, { up_to: 'inf', unit_amount_decimal: '7' }] },
   'volume, up to 10 0.09 USD each, then 0.07 USD each'],
  [{ mode: 'stairstep', tiers: [{ upTo: 10, flatAmount: 0 }, { upTo: 20, flatAmount: 500 }, { upTo: null, flatAmount: '900.5' }] },
   { billing_scheme: 'tiered', tiers_mode: 'volume', tiers: [{ up_to: 10, unit_amount_decimal: '0' }, { up_to: 20, flat_amount_decimal: '500' }, { up_to: 'inf', flat_amount_decimal: '900.5' }] },
   'volume, up to 10 0.00 USD each, up to 20 a fee of 5.00 USD, then a fee of 9.005 USD'],
])('%j is sent as %j and read as %s', (price, params, says) => {
  expect(sent(price)).toEqual(params);
  const [made] = desired(price).prices;
  expect(made && spellTerms(made.terms, made.currency)).toBe(says);
});

// biome-ignore format: a table
it.each<[PriceConfig, string, boolean]>([
  //                                                                          says                                         is made
  [{ unitAmount: 10, minimumSpend: 500 },                                     'minimum_spend features.calls.price',         true],
  [{ unitAmount: 10, maximumSpend: 0 },                                       'maximum_spend features.calls.price',         true],
  [{ unitAmount: 100, per: '0.5' },                                           'fractional_package features.calls.price',    false],
  [{ unitAmount: 100, per: '9007199254740992' },                              'too_large features.calls.price',             false],
  [{ tiers: [{ upTo: '1.5', unitAmount: 1 }, { upTo: null, unitAmount: 2 }] }, 'fractional_tier features.calls.price',      false],
  [{ percent: '0.000000001', currency: 'mga' },                               'too_precise features.calls.price',           false],
  [{ percent: '0.0000001', currency: 'mga' },                                 '',                                           true],
  [{ tiers: [{ upTo: null, unitAmount: 1, flatAmount: 5 }] },                 'fee_without_use features.calls.price',       true],
  [{ tiers: [{ upTo: 5, unitAmount: 1 }, { upTo: null, flatAmount: 5 }] },    '',                                           true],
])('of %j people are told "%s", and whether it is made is %s', (price, says, isMade) => {
  const { prices, notices } = desired(price);
  expect(notices.map(({ code, path }) => `${code} ${path}`).join()).toBe(says);
  expect(prices).toHaveLength(isMade ? 1 : 0);
});

describe('what Stripe says of a price', () => {
  const price = (of: object) =>
    ({
      billing_scheme: 'per_unit',
      unit_amount_decimal: Stripe.Decimal.from('5.10'),
      transform_quantity: null,
      ...of,
    }) as Stripe.Price;
  it.each([
    [{}, '0.051 USD each'],
    [{ transform_quantity: { divide_by: 10, round: 'up' } }, '0.051 USD for each 10 begun'],
    [{ transform_quantity: { divide_by: 10, round: 'down' } }, null],
    [{ unit_amount_decimal: null }, null],
    [{ billing_scheme: 'tiered', tiers_mode: null }, null],
  ])('%j is %s', (of, says) => {
    const terms = termsOfStripe(price(of));
    expect(terms && spellTerms(terms, 'usd')).toBe(says);
  });
});
