/** new-grant — a grant as it is asked for: what may be asked, and the grant it makes. */
import { GRANT_PRIORITY, type OnRenewal } from './credit-rule.ts';
import { type CreditSettling, creditPeriods } from './credits.ts';
import type { Grant, GrantChange, GrantSource, Renewal } from './grant.ts';
import { granted } from './grant-change.ts';
import { CREDIT_PRIORITY_MAX, problemsOfRollover } from './limit-bounds.ts';
import { problemOfReset, type Reset } from './period.ts';
import { type Problem, under } from './problem.ts';
import { termsOf } from './renewal.ts';
import { formatUnits, PREPAID_MAX, type Units } from './units.ts';

export type GrantAsked = {
  /** UUID. */
  readonly id: string;
  readonly featureKey: string;
  readonly source: GrantSource;
  readonly amount: Units;
  /** Null for `GRANT_PRIORITY`. */
  readonly priority: number | null;
  /** Null for now; an instant that has passed is now, since a grant pays for nothing that was used before. */
  readonly effectiveFromMs: number | null;
  /** What is left then is lost. Of a recurring grant: where the repetition ends, and all that came of it. */
  readonly expiresAtMs: number | null;
  /** Comes again with each of the customer's periods of this reset; the first lasts until the running one's end. */
  readonly recurring: { readonly reset: Reset; readonly onRenewal: OnRenewal } | null;
};

/** What is wrong with a grant that is asked for; null when nothing is. */
export function problemOfGrant(asked: Omit<GrantAsked, 'id'>, nowMs: number): Problem | null {
  const { amount, priority, recurring } = asked;
  if (amount <= 0n) return { path: ['amount'], sentence: `is ${formatUnits(amount)}; grant more than 0 units` };
  if (amount > PREPAID_MAX) {
    const sentence = `is ${formatUnits(amount)}; grant at most ${formatUnits(PREPAID_MAX)} units at a time`;
    return { path: ['amount'], sentence };
  }
  if (priority !== null && !(Number.isInteger(priority) && priority >= 0 && priority <= CREDIT_PRIORITY_MAX)) {
    const sentence = `is ${priority}; a priority is a whole number from 0 (burns first) to ${CREDIT_PRIORITY_MAX}`;
    return { path: ['priority'], sentence };
  }
  return problemOfExpiry(asked, nowMs) ?? (recurring === null ? null : problemOfRecurring(recurring));
}

/** Makes a grant that `problemOfGrant` finds nothing wrong with: `pending` when it becomes effective later than now. */
export function newGrant(
  asked: GrantAsked,
  context: Pick<CreditSettling, 'periodAt' | 'featureReset' | 'nowMs'>,
): GrantChange {
  const { nowMs } = context;
  const effectiveFromMs = Math.max(asked.effectiveFromMs ?? nowMs, nowMs);
  const renewal: Renewal | null = asked.recurring && {
    ...asked.recurring,
    amount: asked.amount,
    untilMs: asked.expiresAtMs,
  };
  const terms = renewal
    ? termsOf(renewal, creditPeriods(context)(renewal.reset, effectiveFromMs).endMs)
    : { expiresAtMs: asked.expiresAtMs, renewsAtMs: null };
  const grant: Grant = {
    id: asked.id,
    featureKey: asked.featureKey,
    source: asked.source,
    amount: asked.amount,
    remaining: asked.amount,
    priority: asked.priority ?? GRANT_PRIORITY,
    effectiveFromMs,
    createdAtMs: nowMs,
    state: effectiveFromMs > nowMs ? 'pending' : 'live',
    renewal,
    ...terms,
    originId: null,
    rolledOver: false,
  };
  return granted(grant);
}

function problemOfExpiry({ effectiveFromMs, expiresAtMs }: Omit<GrantAsked, 'id'>, nowMs: number): Problem | null {
  if (expiresAtMs === null) return null;
  const path = ['expiresAt'];
  if (expiresAtMs <= nowMs) {
    return { path, sentence: `is ${spell(expiresAtMs)}, which has passed; give a later instant, or null for never` };
  }
  if (effectiveFromMs === null || expiresAtMs > effectiveFromMs) return null;
  const sentence = `is ${spell(expiresAtMs)}, not after effectiveFrom, ${spell(effectiveFromMs)}; a grant lives in between`;
  return { path, sentence };
}

function problemOfRecurring({ reset, onRenewal }: NonNullable<GrantAsked['recurring']>): Problem | null {
  const sentence = problemOfReset(reset);
  if (sentence !== null) return { path: ['recurring', 'reset'], sentence };
  if (reset === 'never') {
    return { path: ['recurring', 'reset'], sentence: 'is "never"; leave recurring out for a grant that comes once' };
  }
  if (typeof onRenewal === 'string') return null;
  return under(['recurring', 'onRenewal', 'rollover'], problemsOfRollover(onRenewal))[0] ?? null;
}

const spell = (atMs: number): string => new Date(atMs).toISOString();
