/** decimal — quantities on their way out, always as exact text. */
import { MetergraphError } from './errors.ts';
import type { Decimal, DecimalInput } from './value-types.ts';

/** A double holds every decimal of up to this many significant digits; beyond, the text is no longer what was meant. */
const EXACT_DIGITS = 15;

/**
 * The text of a decimal. Strings pass as they are: whether they fit is for the gateway to say.
 *
 * @throws {MetergraphError} INVALID_AMOUNT for a number that is not finite, not a safe integer, or a fraction of more
 *   than 15 significant digits, such as `0.1 + 0.2`.
 */
export function toDecimal(value: DecimalInput, path: readonly string[] = ['input', 'amount']): Decimal {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  if (!isExact(value)) {
    throw new MetergraphError('INVALID_AMOUNT', `${value} is not exact as a number: pass it as a string`, { path });
  }
  return withoutExponent(value);
}

function isExact(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  return Number.isInteger(value) || significantDigits(value) <= EXACT_DIGITS;
}

const significantDigits = (value: number): number =>
  Math.abs(value).toString().replace(/e.*$/, '').replace('.', '').replace(/^0+/, '').length;

/** JavaScript writes `1e-7`; the gateway reads `0.0000001`. Only small fractions get here with an exponent. */
function withoutExponent(value: number): Decimal {
  const text = (Object.is(value, -0) ? 0 : value).toString();
  const [mantissa = '', exponent] = text.split('e-');
  if (exponent === undefined) return text;
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace('-', '').replace('.', '');
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${digits}`;
}
