/** denial — why a call is refused, and the sentence that says so: what was found, what is allowed, what to do. */
import { measure } from './aggregation.ts';
import { type Counter, taken } from './counter.ts';
import { type Bound, passesFromMs } from './fit.ts';
import type { EntityUse, MeterState, UsageRequest } from './meter-state.ts';
import type { Funds } from './payment.ts';
import type { Period } from './period.ts';
import type { LimitPolicy } from './policy.ts';
import type { RateLimit } from './rate-limit.ts';
import { formatUnits } from './units.ts';

/** In order of precedence: the first that holds is the one reported, here, in the SDL, in tests and docs. */
export const DENIAL_REASONS = [
  'NOT_AUTHORIZED',
  'RATE_LIMITED',
  'FEATURE_NOT_IN_PLAN',
  'LIMIT_REACHED',
  'SPEND_LIMIT_REACHED',
  'INSUFFICIENT_FUNDS',
  'BELOW_MINIMUM',
  'REFUSED_BY_HOOK',
] as const;
export type DenialReason = (typeof DENIAL_REASONS)[number];

export type Denial = {
  readonly reason: DenialReason;
  /** What was found, what is allowed, what to do. */
  readonly message: string;
  /** When the same call may pass; null when time alone does not help. */
  readonly retryAtMs: number | null;
};

export function rateLimited(rule: RateLimit, retryAtMs: number): Denial {
  const message = `All ${rule.limit} calls of this ${rule.windowMs / 1_000} s window are used; try again at ${iso(retryAtMs)}.`;
  return { reason: 'RATE_LIMITED', message, retryAtMs };
}

export function notInPlan({ featureKey, planKey }: MeterState): Denial {
  const message = `Plan "${planKey}" does not include "${featureKey}"; choose a plan that does.`;
  return { reason: 'FEATURE_NOT_IN_PLAN', message, retryAtMs: null };
}

export function refused(state: MeterState, request: UsageRequest, bound: Bound): Denial {
  const { policy, counter, featureKey } = state;
  const used = formatUnits(counter.used);
  if (bound === 'BELOW_MINIMUM') {
    const floor = formatUnits(policy.minLimit ?? 0n);
    const asked = formatUnits(request.amount);
    const there = state.aggregation === 'weighted_sum' ? formatUnits(counter.gauge?.level ?? 0n) : used;
    const message =
      state.aggregation === 'latest'
        ? `A level of ${asked} of "${featureKey}" is below the minimum of ${floor}; ${there} are in use.`
        : `Giving back ${asked.slice(1)} of "${featureKey}" would leave less than the minimum of ${floor}; ${there} are in use.`;
    return { reason: bound, message, retryAtMs: null };
  }
  const retryAtMs = passesFromMs(state, request);
  const asked = formatUnits(measure(state.aggregation, counter, request).taken); // of a level, what exceeds the one before
  const held = counter.held === 0n ? '' : ` and ${formatUnits(counter.held)} reserved`;
  const message = `${used} of "${featureKey}" are used${held} and ${asked} more were asked for, but ${ceilingOf(state, bound)}. ${untilWhen(counter.period, retryAtMs)}`;
  return { reason: bound, message, retryAtMs };
}

function untilWhen({ endMs }: Period, retryAtMs: number | null): string {
  if (retryAtMs !== null && retryAtMs !== endMs) return `The month of spending ends at ${iso(retryAtMs)}.`;
  if (endMs === null) return 'It never resets.';
  return `It resets at ${iso(endMs)}${retryAtMs === null ? ', which does not help this call' : ''}.`;
}

function ceilingOf({ policy, entity, funds, counter }: MeterState, bound: Exclude<Bound, 'BELOW_MINIMUM'>): string {
  switch (bound) {
    case 'LIMIT_REACHED':
      return isEntityBound(policy, entity, counter)
        ? `the limit of "${entity?.id}" is ${formatUnits(policy.entityLimit ?? 0n)}`
        : `the limit is ${formatUnits(policy.limit ?? 0n)}`;
    case 'SPEND_LIMIT_REACHED':
      return policy.spendLimit !== null && counter.cost <= policy.spendLimit && funds.spending === null
        ? `at most ${formatUnits(policy.spendLimit)} (minor units) may be spent on it, and ${formatUnits(counter.cost)} are`
        : spendCeiling(policy, funds, counter);
    case 'INSUFFICIENT_FUNDS':
      return `${formatUnits(policy.included ?? 0n)} are included and nothing pays for more${prepaidLeft(funds)}`;
  }
}

function spendCeiling({ spendLimit }: LimitPolicy, { spending }: Funds, counter: Counter): string {
  const ofFeature = `${formatUnits(counter.cost)} of ${formatUnits(spendLimit ?? 0n)} (minor units) are spent on it`;
  if (spending === null) return ofFeature;
  const ofCustomer = `${formatUnits(spending.spent)} of ${formatUnits(spending.limit)} (minor units) are spent this month`;
  return spendLimit === null ? ofCustomer : `${ofFeature}, and ${ofCustomer}`;
}

function prepaidLeft({ credits, wallet }: Funds): string {
  if (credits === 0n && wallet === null) return '';
  const money =
    wallet === null ? '' : ` and ${formatUnits(wallet.balance)} ${wallet.currency} (minor units) in the wallet`;
  return `: ${formatUnits(credits)} credits${money} are left`;
}

function isEntityBound({ limit, entityLimit }: LimitPolicy, entity: EntityUse | null, counter: Counter): boolean {
  if (entity === null || entityLimit === null) return false;
  return limit === null || entityLimit - entity.taken < limit - taken(counter);
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
