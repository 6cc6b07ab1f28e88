/** Goal: numbers, units, money and dates read right in each language, to the last digit. Method: tables. */
import { describe, expect, it } from 'vitest';
import { createFormats } from './format.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
/** Intl separates with several kinds of space; which one is its own business. */
const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ').replace(/[\u200e\u200f\u061c]/g, '');

describe('formats', () => {
  it.each([
    ['en-GB', '1234.5', '1,234.5'],
    ['de-DE', '1234.5', '1.234,5'],
    ['ar-EG', '1234.5', '١٬٢٣٤٫٥'],
    ['en-GB', '0.000000001', '0.000000001'],
    ['en-GB', '99999999999999999999999999999.123456789', '99,999,999,999,999,999,999,999,999,999.123456789'],
  ])('%s: %s → %s', (locale, decimal, says) => expect(createFormats({ locale }).number(decimal)).toBe(says));

  it.each([
    ['1', 'call', '1 call'],
    ['1000', 'call', '1,000 calls'],
    ['0', 'query', '0 queries'],
    ['2', 'process', '2 processes'],
    ['2', 'calls', '2 calls'],
    ['2.5', 'GB', '2.5 GB'],
    ['40', 'ms', '40 ms'],
    ['40', null, '40'],
  ])('%s of %s is "%s"', (decimal, unit, says) =>
    expect(plain(createFormats({ locale: 'en-GB' }).quantity(decimal, unit))).toBe(says),
  );

  it('asks the app for the plural forms of another language', () => {
    const units = { call: { one: 'Aufruf', other: 'Aufrufe' } };
    const german = createFormats({ locale: 'de-DE', messages: { units } });
    expect([german.unit('1', 'call'), german.unit('2', 'call')]).toEqual(['Aufruf', 'Aufrufe']);
    expect(createFormats({ locale: 'de-DE' }).unit('2', 'call')).toBe('call'); // never an English ending in German
    const arabic = createFormats({ locale: 'ar', messages: { units: { call: { two: 'مكالمتان', other: 'مكالمة' } } } });
    expect([arabic.unit('2', 'call'), arabic.unit('11', 'call')]).toEqual(['مكالمتان', 'مكالمة']);
  });

  it.each([
    ['en-US', '10', 'usd', '$0.10'],
    ['en-US', '0.5', 'usd', '$0.005'],
    ['en-US', '123456', 'USD', '$1,234.56'],
    ['de-DE', '2340', 'eur', '23,40 €'],
    ['en-US', '500', 'jpy', '¥500'],
  ])('%s: %s minor units of %s are %s', (locale, amount, currency, says) => {
    expect(plain(createFormats({ locale }).money({ amount, currency }))).toBe(says);
  });

  it.each([
    ['en-GB', '2026-12-01T00:00:00Z', '1 December'],
    ['en-US', '2026-12-01T00:00:00Z', 'December 1'],
    ['de-DE', '2026-12-01T00:00:00Z', '1. Dezember'],
    ['en-GB', '2027-01-01T00:00:00Z', '1 January 2027'],
    ['en-GB', '2026-11-22T14:00:00Z', '14:00'],
    ['en-GB', '2026-11-23T06:00:00Z', '23 November at 6:00'],
  ])('%s: %s is %s', (locale, iso, says) => {
    expect(plain(createFormats({ locale, timeZone: 'UTC' }).moment(iso, NOW))).toBe(says);
  });

  it.each([
    ['en-US', '2026-12-01T00:00:00Z', 'December\u00a01'],
    ['en-US', '2027-01-01T00:00:00Z', 'January\u00a01, 2027'],
    ['en-GB', '2027-01-01T00:00:00Z', '1\u00a0January 2027'],
    ['de-DE', '2026-12-01T00:00:00Z', '1.\u00a0Dezember'],
    ['es-ES', '2026-12-01T00:00:00Z', '1\u00a0de\u00a0diciembre'],
    ['ja-JP', '2026-12-01T00:00:00Z', '12月1日'],
    ['en-GB', '2026-11-23T06:00:00Z', '23\u00a0November at 6:00'],
  ])('%s: %s does not break between day and month', (locale, iso, says) => {
    expect(createFormats({ locale, timeZone: 'UTC' }).moment(iso, NOW)).toBe(says);
  });

  it('tells a date in the zone it is given', () => {
    const york = createFormats({ locale: 'en-GB', timeZone: 'America/New_York' });
    expect(plain(york.moment('2026-12-01T00:00:00Z', NOW))).toBe('30 November');
  });

  it('draws with the defaults rather than fail over a locale or zone that does not exist', () => {
    expect(createFormats({ locale: 'not a locale', timeZone: 'Nowhere/Else' }).number('5')).toBe('5');
  });
});
