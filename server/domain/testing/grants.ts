/** grants — grants as tests say them: only what matters to the case, and units as people write them. */
import type { CreditRule } from '../credit-rule.ts';
import { settleCredits } from '../credits.ts';
import type { Grant, GrantChange } from '../grant.ts';
import { type Period, periodAt, type Reset } from '../period.ts';
import { formatUnits, type Units, unitsOf } from '../units.ts';

/** A live purchase of 100 units without expiry, but for what is said. */
export function grantOf({ amount = unitsOf('100'), ...rest }: Partial<Grant> = {}): Grant {
  return {
    id: 'g',
    featureKey: 'tokens',
    source: 'purchase',
    amount,
    remaining: amount,
    priority: 100,
    effectiveFromMs: 0,
    expiresAtMs: null,
    createdAtMs: 0,
    state: 'live',
    renewal: null,
    renewsAtMs: null,
    originId: null,
    rolledOver: false,
    ...rest,
  };
}

/** `a60 b-5`: grant and units, in order. */
export const spellDraws = (draws: readonly { readonly grantId: string; readonly units: Units }[]): string =>
  draws.map(({ grantId, units }) => `${grantId}${formatUnits(units)}`).join(' ');

/** A customer's grants of one feature, as if stored. */
export type Grants = ReadonlyMap<string, Grant>;

export type SettledAt = {
  readonly nowMs: number;
  readonly rule?: CreditRule | null;
  readonly featureReset?: Reset;
  readonly timeZone?: string;
  /** Now, when left out. */
  readonly grantedFromMs?: number;
};

export const CUSTOMER_ID = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

/** Settles a customer whose counter is monthly and whose calendar is that of UTC, unless said otherwise. */
export function settled(grants: Grants, { nowMs, rule = null, ...rest }: SettledAt) {
  const { featureReset = 'monthly', timeZone = 'UTC', grantedFromMs = nowMs } = rest;
  const changes = settleCredits({
    customerId: CUSTOMER_ID,
    featureKey: 'tokens',
    featureReset,
    grants: [...grants.values()],
    rule,
    periodAt: periodsIn(timeZone, featureReset),
    timeZone,
    grantedFromMs,
    nowMs,
  });
  return { grants: changedBy(grants, changes), changes };
}

/** Regular periods of the calendar. */
export const periodsIn =
  (timeZone: string, featureReset: Reset) =>
  (reset: Reset | null, atMs: number): Period =>
    periodAt({ reset: reset ?? featureReset, anchor: 'calendar', anchorMs: 0, timeZone, sinceMs: 0 }, atMs);

export const changedBy = (grants: Grants, changes: readonly { readonly grant: Grant }[]): Grants =>
  new Map([...grants, ...changes.map(({ grant }) => [grant.id, grant] as const)]);

/** A plan's rule of 100 units a month that burns at 0 and is reset, but for what is said. */
export const ruleOf = (rule: Partial<CreditRule> = {}): CreditRule => ({
  allocation: unitsOf('100'),
  onRenewal: 'reset',
  reset: null,
  priority: 0,
  ...rule,
});

/** `100 to 03-01, 50 rolled`: the live grants, in order of the text. */
export function spellLive(grants: Grants): string {
  const live = [...grants.values()].filter(({ state }) => state === 'live');
  return live
    .map(({ remaining, rolledOver, expiresAtMs }) =>
      [formatUnits(remaining), rolledOver && 'rolled', expiresAtMs !== null && `to ${spellDay(expiresAtMs)}`]
        .filter((word) => word !== false)
        .join(' '),
    )
    .toSorted()
    .join(', ');
}

/** `expired 40, granted 100`: what moved, by kind; what rolled over cancels out and is told as it left. */
export function spellMoved(changes: readonly GrantChange[]): string {
  const moved = changes.flatMap(({ movements }) => movements.filter(({ units }) => units > 0n));
  return moved.map(({ kind, units }) => `${kind} ${formatUnits(units)}`).join(', ');
}

/** `2026-03-01T00:00Z` is `03-01`; a time of day is told when there is one. */
const spellDay = (atMs: number): string => new Date(atMs).toISOString().slice(5, 16).replace('T00:00', '');
