/** grant-change — what happens to a single grant other than use: it is granted, ends, is voided, renews. */
import { derivedId } from './derived-id.ts';
import { type Grant, type GrantChange, type GrantMovement, isGone, type Renewal } from './grant.ts';
import type { Period } from './period.ts';
import { type Lot, type Renewed, termsOf } from './renewal.ts';
import { minUnits, UNITS_MAX, type Units } from './units.ts';

/** What the grants of one repetition have in common: the plan's allocations, or a purchase that comes again. */
export type Line = Pick<Grant, 'featureKey' | 'source' | 'priority' | 'originId'> & {
  /** Where ids come from, so that what comes of a period can come only once: a UUID, and the line's name in it. */
  readonly namespace: string;
  readonly name: string;
};

/** A grant that did not exist before, with its units. */
export const granted = (grant: Grant): GrantChange => ({
  grant,
  isNew: true,
  movements: movementsOf({ granted: grant.amount }),
});

/** A grant whose units go: nothing can be drawn from it or given back to it any more. */
export const expired = (grant: Grant): GrantChange => ({
  grant: { ...grant, remaining: 0n, state: 'expired', renewsAtMs: null },
  isNew: false,
  movements: movementsOf({ expired: grant.remaining }),
});

/**
 * Takes back what is left of a grant. One that comes again does so no more; but the plan's allocation comes again with
 * the next period. Of a grant that is gone already nothing changes.
 */
export function voidGrant(grant: Grant): GrantChange {
  if (isGone(grant)) return { grant, isNew: false, movements: [] };
  return {
    grant: {
      ...grant,
      remaining: 0n,
      state: 'voided',
      renewsAtMs: grant.source === 'plan' ? grant.renewsAtMs : null,
    },
    isNew: false,
    movements: movementsOf({ voided: grant.remaining }),
  };
}

/**
 * Takes some of what is left of a grant, at most all, or (below 0) puts back what was taken, also of one that was voided
 * since. Of one that has expired nothing changes: its units would be gone all the same.
 */
export function takenFrom(grant: Grant, units: Units): GrantChange {
  if (grant.state === 'expired') return { grant, isNew: false, movements: [] };
  const remaining = grant.remaining - units;
  const state = grant.state === 'pending' ? 'pending' : remaining > 0n ? 'live' : 'spent';
  return { grant: { ...grant, remaining, state }, isNew: false, movements: movementsOf({ voided: units }) };
}

/** The grant of a period. It counts as made when the period began, so late or in time makes no difference to burning. */
export function periodGrant(line: Line, renewal: Renewal, { startMs, endMs }: Period): Grant {
  return {
    ...commonOf(line, line.name, startMs),
    amount: renewal.amount,
    remaining: renewal.amount,
    state: 'live',
    renewal,
    ...termsOf(renewal, endMs),
    rolledOver: false,
  };
}

/** The renewal of a grant, but for the running period's own: it closes, and leaves what goes on of it and since. */
export function turnedOver(grant: Grant, onRenewal: Renewal['onRenewal'], line: Line, { kept, missed }: Renewed) {
  const carriesOn = onRenewal === 'add' || grant.state === 'voided';
  const rolledOver = typeof onRenewal === 'object';
  return [
    carriesOn ? { grant: { ...grant, renewsAtMs: null }, isNew: false, movements: [] } : rolledOut(grant, kept),
    ...(kept ? [rolledIn(lotGrant(line, kept, true))] : []),
    ...missedGrants(line, missed, rolledOver),
  ] satisfies readonly GrantChange[];
}

/** What is there still of periods in which nobody looked. */
export const missedGrants = (line: Line, missed: readonly Lot[], rolledOver: boolean): readonly GrantChange[] =>
  missed.map((lot) => granted(lotGrant(line, lot, rolledOver)));

/** The movements that moved anything. */
export const movementsOf = (units: Partial<Record<GrantMovement['kind'], Units>>): readonly GrantMovement[] =>
  (Object.entries(units) as [GrantMovement['kind'], Units][]) // the keys are those of the parameter
    .filter(([, moved]) => moved !== 0n)
    .map(([kind, moved]) => ({ kind, units: moved }));

function rolledOut(grant: Grant, kept: Lot | null): GrantChange {
  const rolled = kept?.units ?? 0n;
  return { ...expired(grant), movements: movementsOf({ rolled_over: rolled, expired: grant.remaining - rolled }) };
}

const rolledIn = (grant: Grant): GrantChange => ({
  grant,
  isNew: true,
  movements: movementsOf({ rolled_over: -grant.amount }),
});

function lotGrant(line: Line, { units, fromMs, expiresAtMs }: Lot, rolledOver: boolean): Grant {
  const amount = minUnits(units, UNITS_MAX);
  return {
    ...commonOf(line, `${line.name} ${rolledOver ? 'rolled over' : 'missed'}`, fromMs),
    amount,
    remaining: amount,
    expiresAtMs,
    state: 'live',
    renewal: null,
    renewsAtMs: null,
    rolledOver,
  };
}

const commonOf = ({ namespace, name: _, ...line }: Line, kind: string, fromMs: number) => ({
  ...line,
  id: derivedId(namespace, `${kind} ${fromMs}`),
  effectiveFromMs: fromMs,
  createdAtMs: fromMs,
});
