/** Goal: every number that comes in is either exact or refused with a sentence. Method: tables of what clients send. */
import { parseValue } from 'graphql';
import { describe, expect, it } from 'vitest';
import { formatUnits, type ParsedUnits } from '../domain/units.ts';
import { decimalFromLiteral, decimalFromVariable, instantFromText } from './scalars.ts';

const spell = (parsed: ParsedUnits): string => (parsed.ok ? formatUnits(parsed.units) : `refused: ${parsed.problem}`);

describe('a Decimal in a variable', () => {
  it.each([
    ['1', '1'],
    ['0.000000001', '0.000000001'],
    ['-12.50', '-12.5'],
    ['1e3', '1000'],
    ['12345678901234567890123456789.123456789', '12345678901234567890123456789.123456789'],
    [1, '1'],
    [0.1, '0.1'],
    [1e21, 'refused: 1e+21 has more digits than a JSON number keeps exactly; send it as a string'],
    [9_007_199_254_740_991, '9007199254740991'],
    [
      9_007_199_254_740_992,
      'refused: 9007199254740992 has more digits than a JSON number keeps exactly; send it as a string',
    ],
    [0.1 + 0.2, 'refused: 0.30000000000000004 has more digits than a JSON number keeps exactly; send it as a string'],
    [
      JSON.parse('123456789.123456789'),
      'refused: 123456789.12345679 has more digits than a JSON number keeps exactly; send it as a string',
    ],
    [1e-9, '0.000000001'],
    [1e-10, 'refused: "1e-10" has 10 fractional digits; at most 9 fit'],
    [0, '0'],
    [-0, '0'],
    // JSON.parse('1e400')
    [Number.POSITIVE_INFINITY, 'refused: "Infinity" is not a decimal number; write it like "12" or "0.5"'],
    ['NaN', 'refused: "NaN" is not a decimal number; write it like "12" or "0.5"'],
    ['Infinity', 'refused: "Infinity" is not a decimal number; write it like "12" or "0.5"'],
    ['1e400', 'refused: "1e400" has more than 29 digits before the point; it does not fit'],
    ['0.1234567891', 'refused: "0.1234567891" has 10 fractional digits; at most 9 fit'],
    ['', 'refused: "" is not a decimal number; write it like "12" or "0.5"'],
    [' 1', 'refused: " 1" is not a decimal number; write it like "12" or "0.5"'],
    ['0x10', 'refused: "0x10" is not a decimal number; write it like "12" or "0.5"'],
  ])('%j is %s', (value, says) => expect(spell(decimalFromVariable(value))).toBe(says));

  it.each([[true], [{}], [[1]], [null]])('%j is of another type', (value) =>
    expect(() => decimalFromVariable(value)).toThrow('Decimal is a string or a number'),
  );
});

describe('a Decimal in the document keeps its text', () => {
  it.each([
    ['9007199254740993', '9007199254740993'],
    ['123456789.123456789', '123456789.123456789'],
    ['1e3', '1000'],
    ['"0.5"', '0.5'],
    ['1e400', 'refused: "1e400" has more than 29 digits before the point; it does not fit'],
    ['0.1234567891', 'refused: "0.1234567891" has 10 fractional digits; at most 9 fit'],
  ])('%s is %s', (literal, says) => expect(spell(decimalFromLiteral(parseValue(literal)))).toBe(says));

  it.each([['true'], ['{a: 1}'], ['[1]'], ['ONE']])('%s is of another type', (literal) =>
    expect(() => decimalFromLiteral(parseValue(literal))).toThrow('Decimal is a string or a number'),
  );
});

describe('a DateTime', () => {
  it.each([
    ['2026-03-01T00:00:00Z', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T01:00:00+01:00', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T00:00:00.123456Z', '2026-03-01T00:00:00.123Z'],
    ['2026-03-01T00:00Z', '2026-03-01T00:00:00.000Z'],
  ])('%s is %s', (text, says) => expect(new Date(instantFromText(text)).toISOString()).toBe(says));

  it.each([
    ['2026-02-31T00:00:00Z'],
    ['2026-03-01'],
    ['2026-03-01T00:00:00'],
    ['yesterday'],
    [''],
    [1_772_323_200],
    [null],
  ])('%j is none', (value) => expect(() => instantFromText(value)).toThrow('DateTime is an ISO 8601 instant'));
});
