/** decimal — exact arithmetic on the decimal strings of the API, as far as this page needs it. Pure. */
import type { Decimal } from '@metergraph/client-sdk';

const SCALE = 9; // fractional digits of a quantity

function toBillionths(decimal: Decimal): bigint {
  const [whole = '', fraction = ''] = decimal.replace('-', '').split('.');
  const value = BigInt(whole + fraction.slice(0, SCALE).padEnd(SCALE, '0'));
  return decimal.startsWith('-') ? -value : value;
}

function fromBillionths(value: bigint): Decimal {
  const digits = String(value < 0n ? -value : value).padStart(SCALE + 1, '0');
  const fraction = digits.slice(-SCALE).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -SCALE)}${fraction && `.${fraction}`}`;
}

export const subtract = (a: Decimal, b: Decimal): Decimal => fromBillionths(toBillionths(a) - toBillionths(b));

export const isZero = (a: Decimal): boolean => toBillionths(a) === 0n;
