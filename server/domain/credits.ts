/**
 * credits — the life of grants: they become effective, renew, expire; and the plan's allocation follows its rule. Pure.
 *
 * No scheduler is needed for it to be right. Whoever touches a customer settles first, and settling late comes to the
 * same as settling at every boundary.
 */
import type { CreditRule } from './credit-rule.ts';
import type { Grant, GrantChange } from './grant.ts';
import { expired, granted, type Line, periodGrant, turnedOver } from './grant-change.ts';
import type { Period, Reset } from './period.ts';
import { allocate, newestOf } from './plan-allocation.ts';
import { type CreditCalendar, earliest, renew } from './renewal.ts';

export type CreditSettling = {
  readonly customerId: string;
  readonly featureKey: string;
  /** When the feature's counter resets: what a rule without a reset of its own follows. */
  readonly featureReset: Reset;
  /**
   * Of this customer and feature:
   * - every grant that is due, by `nextDueMs`;
   * - the plan's newest allocation, in whatever state it is: what was drawn from one that was voided counts;
   * - live ones that rolled over, of each line that renews now: they take their part of the cap;
   * - when the rule is gone, all of the plan's live and spent ones: they are withdrawn.
   *
   * Others may be among them; nothing is due of them, so nothing happens to them.
   */
  readonly grants: readonly Grant[];
  /** The policy's; null where the plan allocates no credits. */
  readonly rule: CreditRule | null;
  /** The regular period around an instant; null is the feature counter's own reset. */
  readonly periodAt: (reset: Reset | null, atMs: number) => Period;
  /** IANA name. */
  readonly timeZone: string;
  /**
   * Since when the rule has held for this customer, for one without any allocation yet: credits that add up or roll over
   * are made up for from there. Now, where it isn't known.
   */
  readonly grantedFromMs: number;
  readonly nowMs: number;
};

/** Brings the credits of a customer and feature up to now. Each grant is changed at most once; none when nothing is due. */
export function settleCredits(settling: CreditSettling): readonly GrantChange[] {
  const { customerId, featureKey, grants, grantedFromMs, nowMs, timeZone } = settling;
  const rule = settling.rule && { ...settling.rule, reset: settling.rule.reset ?? settling.featureReset };
  const calendar: CreditCalendar = { periodAt: creditPeriods(settling), timeZone };
  const ofPlan = grants.filter(({ source }) => source === 'plan');
  const allocated = allocate({ customerId, featureKey, rule, grants: ofPlan, calendar, grantedFromMs, nowMs });
  const newest = newestOf(ofPlan);
  const others = rule === null ? grants.filter(({ source }) => source !== 'plan') : grants.filter((g) => g !== newest);
  return [...others.flatMap((grant) => settleGrant(grant, grants, calendar, nowMs)), ...allocated];
}

/** The periods of credits: those with the reset of the feature's counter are its own. */
export const creditPeriods =
  ({ periodAt, featureReset }: Pick<CreditSettling, 'periodAt' | 'featureReset'>): CreditCalendar['periodAt'] =>
  (reset, atMs) =>
    periodAt(reset === featureReset ? null : reset, atMs);

/** The earliest instant at which a grant needs settling; null for never. */
export function nextDueMs({ state, effectiveFromMs, expiresAtMs, renewsAtMs }: Grant): number | null {
  switch (state) {
    case 'pending':
      return effectiveFromMs;
    case 'live':
    case 'spent':
      return earliest(expiresAtMs, renewsAtMs);
    case 'voided':
      return renewsAtMs; // a plan's: the next period's comes all the same
    case 'expired':
      return null;
  }
}

/** A grant that follows no plan's rule: a purchase, a promotion, an adjustment, or what rolled over. */
function settleGrant(
  grant: Grant,
  grants: readonly Grant[],
  calendar: CreditCalendar,
  nowMs: number,
): readonly GrantChange[] {
  const dueMs = nextDueMs(grant);
  if (dueMs === null || dueMs > nowMs) return [];
  const begun: Grant = grant.state === 'pending' ? { ...grant, state: 'live' } : grant;
  if (begun.expiresAtMs !== null && begun.expiresAtMs <= nowMs && begun.renewsAtMs === null) return [expired(begun)];
  if (begun.renewsAtMs !== null && begun.renewsAtMs <= nowMs)
    return renewed(begun, begun.renewsAtMs, grants, calendar, nowMs);
  return [{ grant: begun, isNew: false, movements: [] }];
}

/** A repetition goes on to the period that runs now, unless its end has come. */
function renewed(
  grant: Grant,
  fromMs: number,
  grants: readonly Grant[],
  calendar: CreditCalendar,
  nowMs: number,
): readonly GrantChange[] {
  const { renewal } = grant;
  if (renewal === null || (renewal.untilMs !== null && renewal.untilMs <= nowMs)) return [expired(grant)];
  const originId = grant.originId ?? grant.id;
  const held = grants
    .filter((other) => other.rolledOver && other.originId === originId)
    .map(({ remaining, expiresAtMs }) => ({ units: remaining, expiresAtMs }));
  const line: Line = {
    featureKey: grant.featureKey,
    source: grant.source,
    priority: grant.priority,
    originId,
    namespace: originId,
    name: 'renewal',
  };
  const next = renew(renewal, { fromMs, leftover: grant.remaining, held, nowMs }, calendar);
  return [...turnedOver(grant, renewal.onRenewal, line, next), granted(periodGrant(line, renewal, next.running))];
}
