/**
 * decision-model — a second, slower opinion on what `decide` answers, written from the rules alone.
 *
 * It asks each reason for refusal by itself, in the published order, and finds what fits by trying. It knows credits
 * and wallets only as what they are so far: nothing.
 */
import { DENIAL_REASONS, type DenialReason, type MeterState, type UsageRequest } from '../../server/domain/decision.ts';
import { type Threshold, thresholdKey } from '../../server/domain/threshold.ts';

/** The generators speak in halves, so whatever fits is a number of these. */
export const HALF = 500_000_000n;
const ONE = 2n * HALF;

export type Opinion =
  | { readonly says: 'invalid' }
  | { readonly says: DenialReason }
  | {
      readonly says: 'allowed';
      readonly taken: bigint;
      readonly overage: bigint;
      readonly used: bigint;
      readonly raised: readonly string[];
    };

export function opinionOn(state: MeterState, request: UsageRequest, nowMs: number): Opinion {
  if (makesNoSense(state, request)) return { says: 'invalid' };
  const reason = DENIAL_REASONS.find((candidate) => holds[candidate](state, request, nowMs));
  if (reason) return { says: reason };
  const taken = request.mode === 'CLAMP' ? mostThatPasses(state, request, nowMs) : request.amount;
  const used = state.counter.used + taken;
  return {
    says: 'allowed',
    taken,
    used,
    overage: overageIn(state, taken),
    raised: taken > 0n ? crossed(state, used) : [],
  };
}

function makesNoSense({ aggregation, policy }: MeterState, { amount }: UsageRequest): boolean {
  const partOfAnEvent = aggregation === 'count' && amount !== ONE && amount !== -ONE;
  return partOfAnEvent || (amount < 0n && policy.minLimit === null);
}

type Rule = (state: MeterState, request: UsageRequest, nowMs: number) => boolean;
const never: Rule = () => false;

/** Whether each reason holds by itself, whatever the others say. */
const holds: Record<DenialReason, Rule> = {
  NOT_AUTHORIZED: never, // the door's answer
  RATE_LIMITED: ({ rateLimit, rateWindow }, _, nowMs) =>
    rateLimit !== null &&
    rateWindow !== null &&
    nowMs < rateWindow.startMs + rateLimit.windowMs &&
    rateWindow.calls >= rateLimit.limit,
  FEATURE_NOT_IN_PLAN: ({ entitled }) => !entitled,
  LIMIT_REACHED: (state, request) =>
    isCapped(state, request) &&
    state.policy.limit !== null &&
    state.counter.used + least(state, request) > state.policy.limit,
  SPEND_LIMIT_REACHED: never,
  INSUFFICIENT_FUNDS: (state, request) =>
    isCapped(state, request) && state.policy.price === null && least(state, request) > includedLeft(state),
  BELOW_MINIMUM: (state, request) =>
    request.amount < 0n && state.counter.used + least(state, request) < (state.policy.minLimit ?? 0n),
  REFUSED_BY_HOOK: never, // the hook's answer
};

const isCapped = ({ policy }: MeterState, { amount, mode }: UsageRequest): boolean =>
  amount > 0n && mode !== 'OVERFLOW' && policy.enforcement === 'hard';

/** The least that the call would be content with. */
function least({ aggregation }: MeterState, { amount, mode }: UsageRequest): bigint {
  if (mode !== 'CLAMP' || aggregation === 'count') return amount;
  return amount < 0n ? -1n : 1n;
}

function includedLeft({ policy, counter }: MeterState): bigint {
  if (policy.included === null) return 10n ** 60n;
  const left = policy.included - (counter.used - counter.overage);
  return left > 0n ? left : 0n;
}

function mostThatPasses(state: MeterState, { amount }: UsageRequest, nowMs: number): bigint {
  const step = amount < 0n ? -HALF : HALF;
  for (let part = amount; part !== 0n; part -= step) {
    const passes = !DENIAL_REASONS.some((reason) => holds[reason](state, { amount: part, mode: 'REJECT' }, nowMs));
    if (passes) return part;
  }
  throw new Error('a call that passes takes nothing');
}

/** Beyond what is included when taken; the last overage first when given back. */
function overageIn(state: MeterState, taken: bigint): bigint {
  if (taken > 0n) return taken > includedLeft(state) ? taken - includedLeft(state) : 0n;
  return -taken < state.counter.overage ? taken : -state.counter.overage;
}

/** A threshold that is set twice is one threshold. */
function crossed(state: MeterState, used: bigint): string[] {
  const keys = state.policy.thresholds.filter((threshold) => isAt(threshold, state, used)).map(thresholdKey);
  return [...new Set(keys)].filter((key) => !state.counter.raised.has(key));
}

function isAt({ kind, value }: Threshold, { policy }: MeterState, used: bigint): boolean {
  if (kind === 'used') return used >= value;
  if (kind === 'remaining') return policy.limit !== null && policy.limit - used <= value;
  const whole = policy.limit ?? (policy.included === 0n ? null : policy.included);
  return whole !== null && used * ONE >= whole * value;
}
