/**
 * decimal — exact arithmetic on the decimal strings of the API, as far as a meter needs it. Pure.
 *
 * Quantities arrive as strings such as `"-12.5"` and never become floating numbers, except for `ratio`, whose
 * answer is only ever a length on the screen.
 */
const SCALE = 12; // fractional digits kept: 9 of a quantity, and room for a product with a fraction
const ONE = 10n ** BigInt(SCALE);

/** Reads a decimal string into billionths of thousandths (10⁻¹²). Throws a `SyntaxError` for anything else. */
export function toFixedPoint(decimal: string): bigint {
  const parts = /^([+-]?)(\d*)\.?(\d*)$/.exec(decimal.trim());
  const [, sign, whole, fraction] = parts ?? [];
  if (!whole && !fraction) throw new SyntaxError(`"${decimal}" is not a decimal`);
  const digits = BigInt(`${whole}${(fraction ?? '').slice(0, SCALE).padEnd(SCALE, '0')}`);
  return sign === '-' ? -digits : digits;
}

/** Writes 10⁻¹²s as the shortest decimal string. */
export function fromFixedPoint(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(SCALE + 1, '0');
  const fraction = digits.slice(-SCALE).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -SCALE)}${fraction && `.${fraction}`}`;
}

/** Negative, zero or positive as `a` is below, at or above `b`. */
export function compare(a: string, b: string): number {
  const difference = toFixedPoint(a) - toFixedPoint(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export const subtract = (a: string, b: string): string => fromFixedPoint(toFixedPoint(a) - toFixedPoint(b));

/** Exact while both factors together have at most 12 fractional digits; further ones are cut off. */
export const multiply = (a: string, b: string): string => fromFixedPoint((toFixedPoint(a) * toFixedPoint(b)) / ONE);

/** `part / whole` as a number in 0 … 1, for drawing. A whole of 0 or less is full. */
export function ratio(part: string, whole: string): number {
  const total = toFixedPoint(whole);
  if (total <= 0n) return 1;
  const millionths = Number((toFixedPoint(part) * 1_000_000n) / total);
  return Math.min(1, Math.max(0, millionths / 1_000_000));
}

/** Whole percent, rounded down: 100 is said only when the whole is reached. `null` where there is no whole. */
export function wholePercent(part: string, whole: string): bigint | null {
  const total = toFixedPoint(whole);
  const units = toFixedPoint(part);
  if (total <= 0n) return null;
  return units <= 0n ? 0n : (units * 100n) / total;
}

/** Moves the decimal point: `shift('1050', -2)` is `'10.5'`, cents as the currency's own unit. At most 12 places. */
export function shift(decimal: string, places: number): string {
  const factor = 10n ** BigInt(Math.abs(places));
  const value = toFixedPoint(decimal);
  return fromFixedPoint(places < 0 ? value / factor : value * factor);
}
