/** grant — prepaid units of a feature (credits), and the order in which they burn. */
import type { OnRenewal } from './credit-rule.ts';
import type { Reset } from './period.ts';
import type { Units } from './units.ts';

export const GRANT_SOURCES = ['plan', 'purchase', 'promotion', 'adjustment'] as const;
export type GrantSource = (typeof GRANT_SOURCES)[number];

/** `pending` until effective, `live` while it can be drawn from, `spent` when nothing is left (a refund revives it). */
export const GRANT_STATES = ['pending', 'live', 'spent', 'expired', 'voided'] as const;
export type GrantState = (typeof GRANT_STATES)[number];

/** A grant that comes again: what the next one is, and what becomes of what is left of this one. */
export type Renewal = {
  readonly reset: Reset;
  readonly onRenewal: OnRenewal;
  /** Given anew each time. */
  readonly amount: Units;
  /** Where the repetition ends: none comes then or later, and nothing of it lives on. Null: for ever. */
  readonly untilMs: number | null;
};

export type Grant = {
  /** UUID. Of one that renews, derived from the first and the period, so that it can't be given twice. */
  readonly id: string;
  readonly featureKey: string;
  readonly source: GrantSource;
  /** What was given; never changed but by a plan change, for the plan's own. */
  readonly amount: Units;
  readonly remaining: Units;
  /** Lower burns first. */
  readonly priority: number;
  readonly effectiveFromMs: number;
  /** What is left then is lost, or rolls over; null: never. */
  readonly expiresAtMs: number | null;
  readonly createdAtMs: number;
  readonly state: GrantState;
  /** Null for one that is given once, and for what rolled over. */
  readonly renewal: Renewal | null;
  /** When the next one comes; null without a renewal, and when that has happened. */
  readonly renewsAtMs: number | null;
  /** Of one that came of another (renewed, rolled over): the first of them. */
  readonly originId: string | null;
  /** Whether it holds what another left over. */
  readonly rolledOver: boolean;
};

/** Whether it is, or was, a period's allocation of a plan, and not what one left over. */
export const isAllocation = ({ source, rolledOver, renewal }: Grant): boolean =>
  source === 'plan' && !rolledOver && renewal !== null;

/** Whether nothing can be drawn from it or given back to it any more. */
export const isGone = ({ state }: Grant): boolean => state === 'expired' || state === 'voided';

export const GRANT_MOVEMENTS = ['granted', 'expired', 'withdrawn', 'voided', 'rolled_over'] as const;
/**
 * Units that came to a grant or left it other than by use. `granted` came; the others left, but for `rolled_over` of a
 * grant that holds them now: it is below 0 there, and all of them together sum to zero.
 *
 * For each grant, at any time: granted − drawn − expired − withdrawn − voided − rolled over = remaining.
 */
export type GrantMovement = { readonly kind: (typeof GRANT_MOVEMENTS)[number]; readonly units: Units };

/** A grant as it is from now on, and what brought it there. */
export type GrantChange = {
  readonly grant: Grant;
  readonly isNew: boolean;
  /** None where only the state or the terms changed. */
  readonly movements: readonly GrantMovement[];
};

/** Units taken from one grant; below 0 where they were given back to it. */
export type Draw = { readonly grantId: string; readonly units: Units };

/**
 * Lower priority number first, then soonest to expire, then oldest; then what rolled over, whose units are from before, then
 * the plan's before what was bought, then by the ids that callers gave. Total, so every replay draws alike.
 */
export function byBurnOrder(a: Grant, b: Grant): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  const [aExpires, bExpires] = [a.expiresAtMs ?? Number.POSITIVE_INFINITY, b.expiresAtMs ?? Number.POSITIVE_INFINITY];
  if (aExpires !== bExpires) return aExpires < bExpires ? -1 : 1;
  if (a.createdAtMs !== b.createdAtMs) return a.createdAtMs - b.createdAtMs;
  if (a.rolledOver !== b.rolledOver) return a.rolledOver ? -1 : 1;
  if ((a.source === 'plan') !== (b.source === 'plan')) return a.source === 'plan' ? -1 : 1;
  return byText(a.originId ?? a.id, b.originId ?? b.id) || byText(a.id, b.id);
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
