/** Goal: each field takes what it should and refuses the rest with a sentence that names it. Method: tables at the edges. */
import { describe, expect, it } from 'vitest';
import { MeterError } from '../domain/errors.ts';
import { parseUnits } from '../domain/units.ts';
import * as bounds from './bounds.ts';

function refusal(check: () => unknown): { code: string; path: readonly string[] | null; message: string } | null {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof MeterError)) throw error;
    const { code, path, message } = error;
    return { code, path, message };
  }
}

const at = ['input', 'field'];
const A_KEY = 'a key starts with a letter, has letters, digits and _ . : - and is at most 64 long.';

describe('takes', () => {
  it.each([
    ['one character', () => bounds.referenceId('a', at)],
    ['255 characters', () => bounds.referenceId('a'.repeat(255), at)],
    ['any script', () => bounds.referenceId('团队 ünïcode 😀', at)],
    ['a key of 64', () => bounds.key('k'.repeat(64), at)],
    ['every kind of character in a key', () => bounds.key('a-Z_0.9:x', at)],
    ['an address', () => bounds.email('billing@example.com', at)],
    ['a time zone', () => bounds.timeZone('Europe/Berlin', at)],
    ['both ends of a range', () => [bounds.whole(60, at, 60, 900), bounds.whole(900, at, 60, 900)]],
    ['a full list', () => bounds.atMost([1, 2], at, 2)],
    ['an empty object', () => bounds.object({}, at)],
    ['an amount below 0', () => bounds.amount(parseUnits('-1'), at)],
    ['an amount of 0, which is a level', () => bounds.amount(parseUnits('0'), at)],
    ['the least amount above 0', () => bounds.positiveAmount(parseUnits('0.000000001'), at)],
    ['a duration', () => bounds.duration('P1DT2H3.5S', at)],
    ['a currency', () => bounds.currency('jpy', at)],
    ['an entity of any script', () => bounds.entityId('席 1', at)],
  ])('%s', (_name, check) => expect(refusal(check)).toBeNull());
});

describe('refuses', () => {
  it.each([
    ['nothing', () => bounds.referenceId('', at), '`field` is empty; write 1 to 255 characters.'],
    ['256', () => bounds.referenceId('a'.repeat(256), at), '`field` is 256 characters long; at most 255 fit.'],
    [
      'a line break',
      () => bounds.name('a\nb', at),
      '`field` has a control character in it; only printable characters are allowed.',
    ],
    [
      'NUL',
      () => bounds.idempotencyKey('a\0', at),
      '`field` has a control character in it; only printable characters are allowed.',
    ],
    [
      'half a pair',
      () => bounds.referenceId('\ud800', at),
      '`field` has half of a surrogate pair in it; only whole characters are allowed.',
    ],
    ['blanks', () => bounds.referenceId(' \u00a0', at), '`field` has nothing but blanks in it; write something.'],
    ['an empty key', () => bounds.key('', at), `\`field\` is ""; ${A_KEY}`],
    ['a key with a blank', () => bounds.key('a b', at), `\`field\` is "a b"; ${A_KEY}`],
    ['a key with NUL', () => bounds.key('a\0', at), `\`field\` is "a\\u0000"; ${A_KEY}`],
    ['a key of 65', () => bounds.key('k'.repeat(65), at), `\`field\` is "${'k'.repeat(64)}…"; ${A_KEY}`],
    [
      'no address',
      () => bounds.email('example.com', at),
      '`field` is "example.com"; write an address like "name@example.com".',
    ],
    [
      'no time zone',
      () => bounds.timeZone('Mars/Olympus', at),
      '`field` is "Mars/Olympus"; write an IANA time zone like "Europe/Berlin".',
    ],
    [
      'an offset',
      () => bounds.timeZone('+05:30', at),
      '`field` is "+05:30"; write an IANA time zone like "Europe/Berlin".',
    ],
    [
      'a currency in capitals',
      () => bounds.currency('USD', at),
      '`field` is "USD"; write the three small letters of ISO 4217, like "usd".',
    ],
    ['too little', () => bounds.whole(59, at, 60, 900), '`field` is 59; from 60 to 900 is allowed.'],
    ['too many', () => bounds.atMost([1, 2, 3], at, 2), '`field` has 3 entries; at most 2 are allowed.'],
    ['a list for an object', () => bounds.object([], at), '`field` is not an object; write it like { plan: "beta" }.'],
    ['a text for an object', () => bounds.object('x', at), '`field` is not an object; write it like { plan: "beta" }.'],
    [
      'a limit that is none',
      () => bounds.decimal(parseUnits('much'), at),
      '`field`: "much" is not a decimal number; write it like "12" or "0.5".',
    ],
  ])('%s', (_name, check, message) => expect(refusal(check)).toEqual({ code: 'INVALID_INPUT', path: at, message }));

  it('one call of several by the name that it has alone', () => {
    const path = ['input', 'inputs', '3', 'properties', 'a'];
    expect(refusal(() => bounds.referenceId('', path))?.message).toMatch(/^`properties\.a` is empty/);
    expect(refusal(() => bounds.atMost([1], ['input', 'inputs'], 0))?.message).toMatch(/^`inputs` has/);
  });

  it.each([
    ['NaN', 'Amount "NaN" is not a decimal number; write it like "12" or "0.5".'],
    ['1e400', 'Amount "1e400" has more than 29 digits before the point; it does not fit.'],
    ['0.1234567891', 'Amount "0.1234567891" has 10 fractional digits; at most 9 fit.'],
  ])('an amount of %s', (text, message) =>
    expect(refusal(() => bounds.amount(parseUnits(text), at))).toEqual({ code: 'INVALID_AMOUNT', path: at, message }),
  );

  it.each([
    ['0', 'Amount 0 is not above 0; send how much it is.'],
    ['-0.5', 'Amount -0.5 is not above 0; send how much it is.'],
    ['much', 'Amount "much" is not a decimal number; write it like "12" or "0.5".'],
  ])('%s as an amount above 0', (text, message) =>
    expect(refusal(() => bounds.positiveAmount(parseUnits(text), at))).toEqual({
      code: 'INVALID_AMOUNT',
      path: at,
      message,
    }),
  );

  it.each([
    ['90', /^Duration "90" is not an ISO 8601 duration; write it like "PT1M30S"/],
    ['P1M', /^Duration "P1M" has months, which have no fixed length; .*"PT1M"\.$/],
    ['PT', /is not an ISO 8601 duration/],
  ])('%s as a duration', (text, message) =>
    expect(refusal(() => bounds.duration(text, at))).toMatchObject({
      code: 'INVALID_INPUT',
      path: at,
      message: expect.stringMatching(message),
    }),
  );
});
