/** differences — by what our ledger and Stripe's sums may differ, and whether that goes by itself. */
import type { Units } from '../../../domain/units.ts';

export const DIFFERENCES = {
  not_copied: 'moved by a gateway that bills nobody; told with its next move, or when its period is closed',
  never_copied: 'moved by a gateway that bills nobody, and its period is closed; told with its next move alone',
  unpriced: 'used while it had no price',
  held: 'held, and not used yet',
  fraction: 'part of a unit that is not whole yet, or was rounded at the end',
  open_window: 'its window has not closed yet',
  waiting: 'in messages that wait',
  in_flight: 'in messages of which nobody knows yet whether they have arrived',
  dead: 'in dead letters',
  elsewhere: 'counted on the next invoice, since its own was closed, or (below 0) the other way round',
  settling: 'accepted by Stripe just now, which has not counted it yet',
  no_customer: 'told to a customer of Stripe that is nobody here any more',
  deleted_customer: 'told to a customer that Stripe has deleted: nobody is billed for it',
  unread: 'told, and Stripe could not be asked what it counts',
  no_meter: 'Stripe has no active meter',
  missing_at_stripe: 'accepted by Stripe, which does not count it: look for an error report',
  unknown_at_stripe: 'counted by Stripe, and not told by us',
  unaccounted: 'the messages do not add up to what was told',
} as const;

export type DifferenceName = keyof typeof DIFFERENCES;

/** Those that do not go by themselves. */
const TROUBLING: ReadonlySet<DifferenceName> = new Set([
  'never_copied',
  'dead',
  'no_customer',
  'deleted_customer',
  'unread',
  'no_meter',
  'missing_at_stripe',
  'unknown_at_stripe',
  'unaccounted',
]);

/** By how much, each of them; none that is 0. */
export type Differences = ReadonlyMap<DifferenceName, Units>;

export type Difference = readonly [DifferenceName, Units];

/** One name may stand there several times. */
export function named(parts: readonly Difference[]): Differences {
  const sums = new Map<DifferenceName, Units>();
  for (const [name, units] of parts) sums.set(name, (sums.get(name) ?? 0n) + units);
  return new Map([...sums].filter(([, units]) => units !== 0n));
}

/** Whether nothing differs but what goes by itself. */
export const isSound = ({ differences }: { readonly differences: Differences }): boolean =>
  [...differences.keys()].every((name) => !TROUBLING.has(name));
