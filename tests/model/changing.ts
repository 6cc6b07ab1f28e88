/** changing — a modelled customer's plan and limits become others. */
import type { LimitFields } from '../../server/domain/feature.ts';
import { periodAt } from '../../server/domain/period.ts';
import type { Units } from '../../server/domain/units.ts';
import type { Book } from './book.ts';
import { planNamed } from './catalog.ts';
import { planAt } from './questions.ts';
import { alignAllocations, settle } from './settling.ts';

/**
 * Puts a customer on another plan; a change that was still to come is called off.
 *
 * @param effective When; null for what is usual: a dearer one and one as dear at once, a cheaper one when the billing
 *   period ends.
 */
export function changePlan(
  book: Book,
  planKey: string,
  effective: 'immediately' | 'at_renewal' | null,
  nowMs: number,
): void {
  settle(book, nowMs);
  const current = planAt(book, nowMs);
  const isCheaper = basePriceOf(planKey) < basePriceOf(current);
  const isLater = planKey !== current && (effective ?? (isCheaper ? 'at_renewal' : 'immediately')) === 'at_renewal';
  book.plans = book.plans.filter((change) => change.isSettled);
  book.plans.push({ planKey, fromMs: isLater ? billingEnd(book, nowMs) : nowMs, isSettled: false });
  settle(book, nowMs);
}

const basePriceOf = (planKey: string): Units => planNamed(planKey).prices?.[0]?.amount ?? 0n;

/** Months are counted from the day on which the customer began. */
function billingEnd({ createdAtMs, timeZone }: Book, atMs: number): number {
  const rule = {
    reset: 'monthly',
    anchor: 'subscription',
    anchorMs: createdAtMs,
    timeZone,
    sinceMs: createdAtMs,
  } as const;
  return periodAt(rule, atMs).endMs ?? Number.NaN;
}

export function changeLimits(book: Book, featureKey: string, fields: LimitFields, nowMs: number): void {
  settle(book, nowMs);
  if (Object.keys(fields).length === 0) book.overrides.delete(featureKey);
  else book.overrides.set(featureKey, fields);
  alignAllocations(book, nowMs);
}
