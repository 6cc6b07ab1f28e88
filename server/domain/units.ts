/**
 * units — exact decimals as fixed-point `bigint`, scaled by 10⁹. Quantities and money alike; no float ever.
 *
 * A value holds up to 9 fractional digits and 38 digits in all: SQL `numeric(38, 9)`.
 */

/** A decimal times 10⁹. `1n` is one billionth, `1_000_000_000n` is one. */
export type Units = bigint;

export const FRACTION_DIGITS_MAX = 9;
export const DIGITS_MAX = 38;
export const ONE: Units = 10n ** BigInt(FRACTION_DIGITS_MAX);
export const UNITS_MAX: Units = 10n ** BigInt(DIGITS_MAX) - 1n;

/**
 * The most that is put in at a time, of credits or of money in minor units: 100 quintillions. What is prepaid comes back,
 * renews and adds up when nobody is there to be told that it doesn't fit; so a sum must be out of reach of a thousand
 * million of them.
 */
export const PREPAID_MAX: Units = 10n ** 20n * ONE;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
/** Longer text cannot be a decimal that fits; refusing it early keeps hostile input cheap. */
const TEXT_LENGTH_MAX = 128;

export type ParsedUnits =
  | { readonly ok: true; readonly units: Units }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a decimal exactly: `"12"`, `"-0.5"`, `"1e3"`.
 *
 * @returns the units, or a sentence part that says what is wrong (`has 10 fractional digits; at most 9 are kept`).
 */
export function parseUnits(text: string): ParsedUnits {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const match = text.length <= TEXT_LENGTH_MAX ? DECIMAL.exec(text) : null;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match ?? [];
  if (!match || whole.length + fraction.length === 0) {
    return { ok: false, problem: `"${shown}" is not a decimal number; write it like "12" or "0.5"` };
  }
  const digits = (whole + fraction).replace(/^0+/, '');
  const trailingZeros = digits.length - digits.replace(/0+$/, '').length;
  const significant = digits.slice(0, digits.length - trailingZeros);
  if (significant === '') return { ok: true, units: 0n };
  const exponent = Number(exponentText) - fraction.length + trailingZeros;
  if (-exponent > FRACTION_DIGITS_MAX) {
    return { ok: false, problem: `"${shown}" has ${-exponent} fractional digits; at most ${FRACTION_DIGITS_MAX} fit` };
  }
  const scaledLength = significant.length + exponent + FRACTION_DIGITS_MAX;
  if (scaledLength > DIGITS_MAX) {
    const wholeMax = DIGITS_MAX - FRACTION_DIGITS_MAX;
    return { ok: false, problem: `"${shown}" has more than ${wholeMax} digits before the point; it does not fit` };
  }
  const units = BigInt(significant) * 10n ** BigInt(exponent + FRACTION_DIGITS_MAX);
  return { ok: true, units: sign === '-' ? -units : units };
}

/** Reads a decimal that is known to be well formed: our own constants and rows. Throws on anything else. */
export function unitsOf(text: string): Units {
  const parsed = parseUnits(text);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.units;
}

/** Writes units in their one canonical form: no trailing zeros, no exponent, no `-0`. */
export function formatUnits(units: Units): string {
  if (units === 0n) return '0'; // every batch writes many
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(FRACTION_DIGITS_MAX + 1, '0');
  const whole = digits.slice(0, -FRACTION_DIGITS_MAX);
  const fraction = digits.slice(-FRACTION_DIGITS_MAX).replace(/0+$/, '');
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Divides, rounding half-even: to the nearest integer, and from halfway to the even one. Throws where it divides by zero. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const dividend = magnitudeOf(numerator);
  const divisor = magnitudeOf(denominator);
  const quotient = dividend / divisor;
  const twiceRest = (dividend % divisor) * 2n;
  const roundsUp = twiceRest > divisor || (twiceRest === divisor && quotient % 2n === 1n);
  const rounded = roundsUp ? quotient + 1n : quotient;
  return numerator < 0n === denominator < 0n ? rounded : -rounded;
}

const magnitudeOf = (value: bigint): bigint => (value < 0n ? -value : value);

/** Multiplies two scaled values, rounding the result half-even to 9 fractional digits. */
export const multiplyUnits = (a: Units, b: Units): Units => divideHalfEven(a * b, ONE);

/** Rounds half-even to a whole number: money to whole minor units, as an invoice line has it. */
export const roundToWhole = (units: Units): Units => divideHalfEven(units, ONE) * ONE;

export const minUnits = (a: Units, b: Units): Units => (a < b ? a : b);
export const maxUnits = (a: Units, b: Units): Units => (a > b ? a : b);

/** Whether a total fits into 38 digits: what is used, what it costs, what is left. */
export const isCountable = (units: Units): boolean => units <= UNITS_MAX && units >= -UNITS_MAX;
