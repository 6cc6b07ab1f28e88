/** equations — the steps from a counter to Stripe's sum, each of which adds up, by names. Pure. */
import { ONE, type Units } from '../../../domain/units.ts';
import { billableOf, minuteOf } from '../../../domain/usage-report.ts';
import type { Difference, DifferenceName } from './differences.ts';
import type { LedgerRow } from './ledger-rows.ts';

/** From the counter to what has arrived of it. */
export function ledgerDifferences(row: LedgerRow): readonly Difference[] {
  const { overage, unpriced, reported, delivered, waiting, sent, dead } = row;
  const billable = billableOf(row);
  const rest = billable - reported;
  return [
    [row.isClosed ? 'never_copied' : 'not_copied', row.counterOverage - overage],
    ['unpriced', unpriced],
    ['held', overage - unpriced - billable],
    [rest < ONE && rest > -ONE ? 'fraction' : 'open_window', rest],
    ['waiting', waiting],
    ['in_flight', sent],
    ['dead', dead],
    ['unaccounted', reported - delivered - waiting - sent - dead],
  ];
}

/** What our messages say of the span that Stripe sums up. */
export type Expected = {
  readonly delivered: Units;
  /** What of it was delivered just now. */
  readonly lately: Units;
  /** What may have arrived beside it. */
  readonly unknown: Units;
};

/** From what has arrived of a counter to what Stripe has counted in its period. */
export const countedDifferences = (delivered: Units, expected: Expected, counted: Units): readonly Difference[] => [
  ['elsewhere', delivered - expected.delivered],
  [nameOf(expected.delivered - counted, expected), expected.delivered - counted],
];

function nameOf(missing: Units, { lately, unknown }: Expected): DifferenceName {
  if (missing === 0n) return 'settling';
  if (isPartOf(missing, lately)) return 'settling';
  if (isPartOf(-missing, unknown)) return 'in_flight';
  return missing > 0n ? 'missing_at_stripe' : 'unknown_at_stripe';
}

const isPartOf = (part: Units, whole: Units): boolean =>
  whole !== 0n && part > 0n === whole > 0n && (part > 0n ? part <= whole : part >= whole);

export type Span = { readonly startMs: number; readonly endMs: number };

/** Stripe sums up whole minutes; so a period begins with the minute in which it begins. */
export function spanOf(
  { periodStartMs, periodEndMs }: Pick<LedgerRow, 'periodStartMs' | 'periodEndMs'>,
  nowMs: number,
): Span {
  const { startMs } = minuteOf(periodStartMs);
  const untilMs = minuteOf(nowMs).endMs;
  const endMs = periodEndMs === null ? untilMs : Math.min(minuteOf(periodEndMs).startMs, untilMs);
  return { startMs, endMs: Math.max(endMs, minuteOf(startMs).endMs) };
}
