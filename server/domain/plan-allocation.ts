/**
 * plan-allocation — the credits that a plan allocates to a customer for a feature: made for the running period, renewed,
 * fitted to a rule that has changed, taken back when the rule is gone.
 */
import type { CreditRule } from './credit-rule.ts';
import type { Grant, GrantChange, Renewal } from './grant.ts';
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
  const hasOwnReset = newest.renewal?.reset === rule.reset;
  const isDue = newest.renewsAtMs !== null && newest.renewsAtMs <= nowMs;
  const runs = isOpen(newest) || newest.renewsAtMs !== null;
  if (isDue || (runs && !hasOwnReset)) return nextAllocation(allocating, rule, newest);
  return runs ? fitted(newest, rule, newest.renewsAtMs) : allocationAgain(allocating, rule, newest);
}

/** The allocation that was made last: at most one of them runs. */
export const newestOf = (grants: readonly Grant[]): Grant | null =>
  grants
    .filter(({ source, rolledOver, renewal }) => source === 'plan' && !rolledOver && renewal !== null)
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
 * The allocation's period is over, or a rule with another reset ends it now. What is left goes the way that the old rule
 * says, and the new period's credits are the new rule's.
 */
function nextAllocation(
  allocating: Allocating,
  rule: NonNullable<Allocating['rule']>,
  newest: Grant,
): readonly GrantChange[] {
  const { calendar, grants, nowMs } = allocating;
  const before = newest.renewal ?? renewalOf(rule);
  const nowOrLaterMs = Math.max(nowMs, newest.effectiveFromMs + 1); // later than any before it: its id is its own
  const isDue = newest.renewsAtMs !== null && newest.renewsAtMs <= nowMs;
  const renewing: Renewing = {
    fromMs: isDue && newest.renewsAtMs !== null ? newest.renewsAtMs : nowOrLaterMs,
    leftover: newest.remaining,
    held: grants
      .filter(({ rolledOver }) => rolledOver)
      .map(({ remaining, expiresAtMs }) => ({ units: remaining, expiresAtMs })),
    nowMs: nowOrLaterMs,
  };
  const renewed = renew(before, renewing, calendar);
  const running = before.reset === rule.reset ? renewed.running : startingAt(nowOrLaterMs, rule.reset, calendar);
  const originId = newest.originId ?? newest.id;
  return [
    ...turnedOver(newest, before.onRenewal, lineOf(allocating, newest.priority, originId), renewed),
    granted(periodGrant(lineOf(allocating, rule.priority, originId), renewalOf(rule), running)),
  ];
}

/** A rule has come back after the credits were taken away: within the same period, what was drawn stays drawn. */
function allocationAgain(
  allocating: Allocating,
  rule: NonNullable<Allocating['rule']>,
  newest: Grant,
): readonly GrantChange[] {
  const { calendar, nowMs } = allocating;
  const regular = calendar.periodAt(rule.reset, nowMs);
  const hasOwnReset = newest.renewal?.reset === rule.reset;
  const isSamePeriod = hasOwnReset && regular.startMs <= newest.effectiveFromMs;
  if (isSamePeriod && newest.state === 'voided') return fitted(newest, rule, regular.endMs);
  const running =
    regular.startMs > newest.effectiveFromMs
      ? regular
      : startingAt(Math.max(nowMs, newest.effectiveFromMs + 1), rule.reset, calendar);
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
  if (grant.state === 'voided' && remaining === 0n) return [];
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

const startingAt = (startMs: number, reset: Reset, { periodAt }: CreditCalendar): Period => ({
  startMs,
  endMs: periodAt(reset, startMs).endMs,
});

function isSameRenewal(a: Renewal | null, b: Renewal): boolean {
  if (a === null || a.reset !== b.reset || a.amount !== b.amount || a.untilMs !== b.untilMs) return false;
  const [before, after] = [a.onRenewal, b.onRenewal];
  if (typeof before === 'string' || typeof after === 'string') return before === after;
  return (
    before.max === after.max && before.maxFraction === after.maxFraction && before.expiresAfter === after.expiresAfter
  );
}
