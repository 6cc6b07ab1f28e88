/** proration — the share of a base price that a part of its billing period costs, by the second. Pure, exact. */
import type { Money } from './money.ts';
import { divideHalfEven, type Units } from './units.ts';

/** The half-open time `[startMs, endMs)` that a base price pays for. */
export type BillingPeriod = { readonly startMs: number; readonly endMs: number };

/**
 * The share of a price that falls to `[fromMs, toMs)`, as far as that lies in the period.
 *
 * It is what has accrued by the end less what had by the start, each rounded half-even once to 10⁻⁹ minor units: so the
 * parts of a period sum to its price exactly, however it is cut. An invoice line rounds to whole minor units; two such
 * lines differ from the whole by at most one minor unit.
 *
 * @param amount The price of the whole period.
 * @param fromMs Only whole seconds since the period's start count; one that is running is not over.
 */
export function prorate(amount: Money, period: BillingPeriod, fromMs: number, toMs: number): Money {
  if (toMs <= fromMs) return { ...amount, amount: 0n };
  return { ...amount, amount: accrued(amount.amount, period, toMs) - accrued(amount.amount, period, fromMs) };
}

/** What the period costs up to an instant. */
function accrued(amount: Units, period: BillingPeriod, atMs: number): Units {
  if (atMs <= period.startMs) return 0n;
  if (atMs >= period.endMs) return amount;
  // Below a second there is nothing to divide: all of it accrues at the end.
  const lengthSeconds = Math.max(secondsBetween(period.startMs, period.endMs), 1);
  return divideHalfEven(amount * BigInt(secondsBetween(period.startMs, atMs)), BigInt(lengthSeconds));
}

const secondsBetween = (startMs: number, endMs: number): number => Math.floor((endMs - startMs) / 1_000);

/** What a change of plan within a billing period costs, for one who paid the old plan's period in advance. */
export type PlanChangeCredit = {
  /** Of the old plan's price, the part not used; to be given back. Null where it had none. */
  readonly credited: Money | null;
  /** Of the new plan's price, the part for the rest of the period. Null where it has none. */
  readonly charged: Money | null;
};

/**
 * What is credited of the old base price and charged of the new one when the plan changes at `atMs`.
 *
 * @param oldPrice  Of a whole period; null where the plan has no base price.
 * @param newPrice  Of a whole period; it may be in another currency, so the two are not set off here.
 * @param newPeriod Around `atMs`; where the new plan is billed by another interval, it has a period of its own.
 */
export const planChangeCredit = (
  oldPrice: Money | null,
  newPrice: Money | null,
  period: BillingPeriod,
  atMs: number,
  newPeriod: BillingPeriod = period,
): PlanChangeCredit => ({
  credited: oldPrice && prorate(oldPrice, period, atMs, period.endMs),
  charged: newPrice && prorate(newPrice, newPeriod, atMs, newPeriod.endMs),
});
