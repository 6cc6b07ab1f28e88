/** wire — the SDK's types as they travel and as the fake keeps them. */
import type Stripe from 'stripe';

/**
 * An object of the SDK in JSON: decimals and dates are strings, and what may be expanded is an id, until somebody asks for
 * the object itself.
 */
export type Wire<T> = T extends Stripe.Decimal | Date
  ? string
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? Wire<Id<Item>>[]
      : T extends object
        ? { -readonly [Key in keyof T as T[Key] extends (...args: never[]) => unknown ? never : Key]: Wire<Id<T[Key]>> }
        : T;

/** `string | Customer | null` is `string | null`. */
type Id<T> = string extends T ? Exclude<T, { id: string }> : T;

/** Seconds since 1970, as Stripe counts. */
export type Seconds = number;

export const MINUTE: Seconds = 60;
export const HOUR: Seconds = 60 * MINUTE;
export const DAY: Seconds = 24 * HOUR;

/** `Emptyable` parameters: `''` takes the value away, and what was not sent leaves it. */
export const emptyable = <T>(value: T | '' | null | undefined): T | null | undefined => (value === '' ? null : value);

type Metadata = { [key: string]: string };

/** Keys are merged; one that is set to nothing is removed, and `''` in place of all removes them all. */
export function mergeMetadata(
  before: Metadata | null,
  changes: { [key: string]: string | number | null } | '' | null | undefined,
): Metadata {
  if (changes === '' || changes === null) return {};
  const merged: Metadata = { ...before };
  for (const [key, value] of Object.entries(changes ?? {})) {
    if (value === '' || value === null) delete merged[key];
    else merged[key] = `${value}`;
  }
  return merged;
}
