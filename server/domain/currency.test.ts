/** Goal: minor units are those of ISO 4217, whatever runtime this is. Method: a table of currencies of each exponent. */
import { expect, it } from 'vitest';
import { exponentOf, problemOfCurrency } from './currency.ts';

it.each([
  ['usd', 2],
  ['eur', 2],
  ['jpy', 0],
  ['krw', 0],
  ['isk', 0],
  ['ugx', 0],
  ['xof', 0],
  ['kwd', 3],
  ['tnd', 3],
  ['clf', 4],
  // written without digits, but counted in hundredths; in thousandths the last
  ['huf', 2],
  ['idr', 2],
  ['cop', 2],
  ['twd', 2],
  ['iqd', 3],
  ['zzz', 2], // nobody's
])('a minor unit of %s is %i digits away', (currency, exponent) => expect(exponentOf(currency)).toBe(exponent));

it.each([
  ['usd', null],
  ['USD', 'is "USD"; write the three small letters of ISO 4217, like "usd"'],
  ['dollar', 'is "dollar"; write the three small letters of ISO 4217, like "usd"'],
  ['', 'is ""; write the three small letters of ISO 4217, like "usd"'],
])('currency %j %s', (currency, problem) => expect(problemOfCurrency(currency)).toBe(problem));
