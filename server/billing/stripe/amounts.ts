/**
 * amounts — money as Stripe counts it. Both count minor units; for a few currencies ISO 4217 and Stripe don't mean the
 * same by that.
 *
 * @see https://docs.stripe.com/currencies#special-cases
 */
import { exponentOf } from '../../domain/currency.ts';
import { FRACTION_DIGITS_MAX, type Units } from '../../domain/units.ts';

/** How many digits Stripe's minor units have behind ours: it writes 5 krónur as 500, and ariary without their fifths. */
const MORE_DIGITS: ReadonlyMap<string, number> = new Map([
  ['isk', 2],
  ['ugx', 2],
  ['mga', -2],
]);

/** Digits behind the point that Stripe takes. */
const DECIMALS_MAX = 12;

/** In 10⁻¹² of Stripe's minor unit. */
export type StripeAmount = bigint;

const moreDigitsOf = (currency: string): number => MORE_DIGITS.get(currency) ?? 0;

/** Exact, for every amount and currency: 9 digits and 2 more fit into 12. */
export const stripeAmount = (amount: Units, currency: string): StripeAmount =>
  amount * 10n ** BigInt(DECIMALS_MAX - FRACTION_DIGITS_MAX + moreDigitsOf(currency));

/** As a payment asks for it, in whole minor units of Stripe's; null for an amount that is none. */
export function chargeOf(amount: Units, currency: string): number | null {
  const exact = stripeAmount(amount, currency);
  return exact % STRIPE_UNIT === 0n ? Number(exact / STRIPE_UNIT) : null;
}

const STRIPE_UNIT: StripeAmount = 10n ** BigInt(DECIMALS_MAX);

/** What Stripe says of a payment, in our minor units. */
export const amountCharged = (charged: number, currency: string): Units =>
  BigInt(charged) * 10n ** BigInt(FRACTION_DIGITS_MAX - moreDigitsOf(currency));

/** As Stripe's API writes it: `0.05`, without trailing zeros. */
export const formatAmount = (amount: StripeAmount): string => pointAt(amount, DECIMALS_MAX, 0);

/** Stripe says no more digits than it takes. */
export function parseAmount(text: string): StripeAmount {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(DECIMALS_MAX, '0'));
}

/** As people write it: 2,900 cents are `29.00 USD`. */
export function spellAmount(amount: StripeAmount, currency: string): string {
  const digits = exponentOf(currency) + moreDigitsOf(currency);
  return `${pointAt(amount, DECIMALS_MAX + digits, exponentOf(currency))} ${currency.toUpperCase()}`;
}

/** The number with a point before its last `digits`, of which `kept` are shown although they are zeros. */
function pointAt(value: bigint, digits: number, kept: number): string {
  const text = value.toString().padStart(digits + 1, '0');
  const fraction = text
    .slice(text.length - digits)
    .replace(/0+$/, '')
    .padEnd(kept, '0');
  const whole = text.slice(0, text.length - digits);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
