/** value-types — numbers, instants and money as they go in and come out. */

/** An exact decimal as text, e.g. `'1200'` or `'0.25'`: at most 38 digits, 9 of them after the point. */
export type Decimal = string;

/**
 * A decimal handed in. Strings and bigints are sent as they are. A number is accepted only while it is exact: a safe
 * integer, or a fraction of at most 15 significant digits; `0.1 + 0.2` is refused with `INVALID_AMOUNT`.
 */
export type DecimalInput = string | number | bigint;

/** An instant, ISO 8601 in UTC, e.g. `'2026-03-01T00:00:00.000Z'`. */
export type DateTime = string;

/** Anything JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Money in minor units (cents) of `currency` (ISO 4217, lower case). */
export interface Money {
  readonly amount: Decimal;
  readonly currency: string;
}
