import { expect, it } from 'vitest';
import { formatChange, formatLatency, formatMoney, formatNumber, formatTime } from './format.ts';

it.each([
  ['1234567', '1,234,567'],
  ['0.000000001', '0.000000001'],
  ['12345678901234567890.5', '12,345,678,901,234,567,890.5'],
])('%s is written %s, digit by digit', (decimal, text) => expect(formatNumber(decimal)).toBe(text));

it.each([
  ['3', '+3'],
  ['-2000', '−2,000'],
])('a change of %s is written %s', (decimal, text) => expect(formatChange(decimal)).toBe(text));

it.each([
  [{ amount: '1000', currency: 'usd' }, '$10.00'],
  [{ amount: '0.2', currency: 'usd' }, '$0.002'],
  [{ amount: '500', currency: 'jpy' }, '¥500'],
])('minor units %o are written %s', (money, text) => expect(formatMoney(money)).toBe(text));

it.each([
  [[0.84], '0.8 ms'],
  [[37.6], '38 ms'],
  [[37.6, 9.04], '38 + 9 ms'],
] as const)('%o is written %s', (ms, text) => expect(formatLatency(...ms)).toBe(text));

it('tells the second today, and the day of any other', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  expect(formatTime('2026-11-22T00:05:09Z', now, 'UTC')).toBe('00:05:09');
  expect(formatTime('2026-11-21T23:05:09Z', now, 'UTC')).toBe('Nov 21, 23:05');
});
