/**
 * plan-allocation — the credits that a plan allocates to a customer for a feature: made for the running period, renewed,
 * fitted to a rule that has changed, taken back when the rule is gone.
 */
import type { CreditRule } from './credit-rule.ts';
import { type Grant, type GrantChange, isAllocation, type Renewal } from './grant.ts';
import { expired, granted, type Line, missedGrants, movementsOf, periodGrant, turnedOver } from './grant-change.ts';
import type { Period, Reset } from './period.ts';
import { type CreditCalendar, type Renewing, renew, termsOf } from './renewal.ts';
import { maxUnits } from './units.ts';

export type Allocating = {
  readonly customerId: string;
  readonly featureKey: string;
  /** The policy's; null takes the plan's credits away. */
  readonly rule: (CreditRule & { readonly reset: Reset }) | null;
  /** The plan's grants, rolled over ones too. The newest allocation must be among them, in whatever state it is. */
  readonly grants: readonly Grant[];
  readonly calendar: CreditCalendar;
  /** Since when the rule has held for a customer without any allocation yet. */
  readonly grantedFromMs: number;
  readonly nowMs: number;
};

/** What the plan's rule makes of its grants now. Those that merely expire are not among them. */
export function allocate(allocating: Allocating): readonly GrantChange[] {
  const { rule, grants, nowMs } = allocating;
  if (rule === null) return grants.flatMap((grant) => withdrawn(grant, nowMs));
  const newest = newestOf(grants);
  if (newest === null) return firstAllocation(allocating, rule);
  if (newest.renewsAtMs !== null && newest.renewsAtMs <= nowMs) {
    return nextAllocation(allocating, rule, newest, newest.renewsAtMs);
  }
  const runs = isOpen(newest) || newest.renewsAtMs !== null;
  if (!runs) return allocationAgain(allocating, rule, newest);
  const hasOwnReset = newest.renewal?.reset === rule.reset;
  return hasOwnReset ? fitted(newest, rule, newest.renewsAtMs) : otherwiseCut(allocating, rule, newest);
}

/** The allocation that was made last: at most one of them runs. */
export const newestOf = (grants: readonly Grant[]): Grant | null =>
  grants
    .filter(isAllocation)
    .reduce<Grant | null>((a, b) => (a !== null && a.effectiveFromMs >= b.effectiveFromMs ? a : b), null);

const isOpen = ({ state }: Grant): boolean => state === 'live' || state === 'spent';

/** A customer gets what they would have got if somebody had looked since the rule began to hold. */
function firstAllocation(allocating: Allocating, rule: NonNullable<Allocating['rule']>): readonly GrantChange[] {
  const { calendar, grantedFromMs, nowMs } = allocating;
  const renewal = renewalOf(rule);
  const { startMs } = calendar.periodAt(rule.reset, Math.min(grantedFromMs, nowMs));
  const { running, missed } = renew(renewal, { fromMs: startMs, leftover: 0n, held: [], nowMs }, calendar);
  const line = lineOf(allocating, rule.priority, null);
  return [
    ...missedGrants(line, missed, typeof rule.onRenewal === 'object'),
    granted(periodGrant(line, renewal, running)),
  ];
}

/**
 * The allocation's period is over. What is left goes the way that the old rule says, and the new period's credits are the
 * new rule's.
 */
function nextAllocation(
  allocating: Allocating,
  rule: NonNullable<Allocating['rule']>,
  newest: Grant,
  fromMs: number,
): readonly GrantChange[] {
  const { calendar, grants, nowMs } = allocating;
  const before = newest.renewal ?? renewalOf(rule);
  const renewing: Renewing = {
    fromMs,
    leftover: newest.remaining,
    held: grants
      .filter(({ rolledOver }) => rolledOver)
      .map(({ remaining, expiresAtMs }) => ({ units: remaining, expiresAtMs })),
    nowMs,
  };
  const renewed = renew(before, renewing, calendar);
  const running = before.reset === rule.reset ? renewed.running : startingNow(allocating, rule, newest);
  const originId = newest.originId ?? newest.id;
  return [
    ...turnedOver(newest, before.onRenewal, lineOf(allocating, newest.priority, originId), renewed),
    granted(periodGrant(lineOf(allocating, rule.priority, originId), renewalOf(rule), running)),
  ];
}

/**
 * A rule with another reset has come within the allocation's period: its own begins now, in place of the old one. What
 * was drawn stays drawn, so that no number of changes of plan gives more than the largest allocation.
 */
function otherwiseCut(
  allocating: Allocating,
  rule: NonNullable<Allocating['rule']>,
  newest: Grant,
): readonly GrantChange[] {
  return [without(newest), afterDraws(allocating, rule, newest, startingNow(allocating, rule, newest))];
}

/** A new allocation less what was drawn of the one before it. */
function afterDraws(
  allocating: Allocating,
  rule: NonNullable<Allocating['rule']>,
  before: Grant,
  running: Period,
): GrantChange {
  const line = lineOf(allocating, rule.priority, before.originId ?? before.id);
  const whole = periodGrant(line, renewalOf(rule), running);
  const drawn = before.amount - before.remaining;
  const remaining = maxUnits(whole.amount - drawn, 0n);
  const amount = drawn + remaining;
  const grant: Grant = { ...whole, amount, remaining, state: remaining === 0n ? 'spent' : 'live' };
  return { grant, isNew: true, movements: movementsOf({ granted: amount, withdrawn: drawn }) };
}

/** A rule has come back after the credits were taken away: within the same period, what was drawn stays drawn. */
function allocationAgain(
  allocating: Allocating,
  rule: NonNullable<Allocating['rule']>,
  newest: Grant,
): readonly GrantChange[] {
  const { calendar, nowMs } = allocating;
  const regular = calendar.periodAt(rule.reset, nowMs);
  const reset = newest.renewal?.reset ?? rule.reset;
  const isSamePeriod = calendar.periodAt(reset, nowMs).startMs <= newest.effectiveFromMs;
  if (isSamePeriod && newest.state === 'voided') {
    return reset === rule.reset
      ? fitted(newest, rule, regular.endMs)
      : [afterDraws(allocating, rule, newest, startingNow(allocating, rule, newest))];
  }
  const running = regular.startMs > newest.effectiveFromMs ? regular : startingNow(allocating, rule, newest);
  const line = lineOf(allocating, rule.priority, newest.originId ?? newest.id);
  return [granted(periodGrant(line, renewalOf(rule), running))];
}

/**
 * The allocation of a running period after its rule has changed. What was drawn stays drawn, also beyond the new
 * allocation; an allocation that was voided counts as drawn in full, and one that was withdrawn comes back.
 */
function fitted(
  grant: Grant,
  rule: NonNullable<Allocating['rule']>,
  renewsAtMs: number | null,
): readonly GrantChange[] {
  const drawn = grant.amount - grant.remaining;
  const remaining = maxUnits(rule.allocation - drawn, 0n);
  const isVoidedByHand = grant.state === 'voided' && grant.renewsAtMs !== null;
  if (isVoidedByHand && remaining === 0n) return [];
  const renewal = renewalOf(rule);
  const amount = drawn + remaining;
  const isSame = amount === grant.amount && grant.priority === rule.priority && isSameRenewal(grant.renewal, renewal);
  if (isSame && grant.state !== 'voided') return [];
  const changed: Grant = {
    ...grant,
    amount,
    remaining,
    priority: rule.priority,
    state: remaining === 0n ? 'spent' : 'live',
    renewal,
    ...termsOf(renewal, renewsAtMs),
  };
  const more = amount - grant.amount;
  return [
    { grant: changed, isNew: false, movements: movementsOf(more > 0n ? { granted: more } : { withdrawn: -more }) },
  ];
}

/**
 * The plan's credits are taken back. The amount becomes what was drawn, so that a rule that comes back within the period
 * doesn't give again what was used.
 */
function withdrawn(grant: Grant, nowMs: number): readonly GrantChange[] {
  if (!isOpen(grant)) return grant.renewsAtMs === null ? [] : [without(grant)];
  if (grant.expiresAtMs !== null && grant.expiresAtMs <= nowMs) return [expired(grant)];
  return [without(grant)];
}

const without = (grant: Grant): GrantChange => ({
  grant: { ...grant, amount: grant.amount - grant.remaining, remaining: 0n, state: 'voided', renewsAtMs: null },
  isNew: false,
  movements: movementsOf({ withdrawn: grant.remaining }),
});

const renewalOf = ({ reset, onRenewal, allocation }: NonNullable<Allocating['rule']>): Renewal => ({
  reset,
  onRenewal,
  amount: allocation,
  untilMs: null,
});

/** Ids follow from customer, feature and the period's start alone, however the allocation came to be made. */
const lineOf = ({ customerId, featureKey }: Allocating, priority: number, originId: string | null): Line => ({
  featureKey,
  source: 'plan',
  priority,
  originId,
  namespace: customerId,
  name: `${featureKey} plan`,
});

/** The rest of the period around now. It begins later than any before it: the id that follows from its start is its own. */
function startingNow(
  { calendar, nowMs }: Pick<Allocating, 'calendar' | 'nowMs'>,
  { reset }: { readonly reset: Reset },
  newest: Grant,
): Period {
  const startMs = Math.max(nowMs, newest.effectiveFromMs + 1);
  return { startMs, endMs: calendar.periodAt(reset, startMs).endMs };
}

function isSameRenewal(a: Renewal | null, b: Renewal): boolean {
  if (a === null || a.reset !== b.reset || a.amount !== b.amount || a.untilMs !== b.untilMs) return false;
  const [before, after] = [a.onRenewal, b.onRenewal];
  if (typeof before === 'string' || typeof after === 'string') return before === after;
  return (
    before.max === after.max && before.maxFraction === after.maxFraction && before.expiresAfter === after.expiresAfter
  );
}
