/** decimal — amounts of money with at most 12 decimals, as whole numbers of their 1 / 10^12: nothing is ever a float. */
import { invalid } from './refusal.ts';

/** In 10^-12 of the currency's minor unit. */
export type Exact = bigint;

const DECIMALS_MAX = 12;
const ONE: Exact = 10n ** BigInt(DECIMALS_MAX);

export function exact(decimal: string | number | bigint, param?: string): Exact {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(`${decimal}`) ?? [];
  if (whole === '' || fraction.length > DECIMALS_MAX) {
    throw invalid(`Invalid decimal: ${decimal}; at most ${DECIMALS_MAX} decimal places`, param ? { param } : {});
  }
  const units = BigInt(whole) * ONE + BigInt(fraction.padEnd(DECIMALS_MAX, '0'));
  return sign ? -units : units;
}

/** Without trailing zeros: `0.05`. */
export function decimalOf(value: Exact): string {
  const digits = (value < 0n ? -value : value).toString().padStart(DECIMALS_MAX + 1, '0');
  const fraction = digits.slice(-DECIMALS_MAX).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -DECIMALS_MAX)}${fraction ? `.${fraction}` : ''}`;
}

/** Where it is a whole number of minor units. */
export const wholeOf = (value: Exact): number | null => (value % ONE === 0n ? Number(value / ONE) : null);

/** To the nearest minor unit, halves away from zero: 1.5 cents are 2. */
export function rounded(value: Exact): number {
  const magnitude = ((value < 0n ? -value : value) + ONE / 2n) / ONE;
  return Number(value < 0n ? -magnitude : magnitude);
}
