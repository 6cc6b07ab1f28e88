/** january — the case that tests of credits vary: 100 units a month, given on 1 January 2026 (UTC). */
import type { OnRenewal } from '../credit-rule.ts';
import type { Grant } from '../grant.ts';
import { intervalOf } from '../period.ts';
import { unitsOf } from '../units.ts';
import { type Grants, grantOf, ruleOf } from './grants.ts';

/** An instant of 2026 (UTC): `02-01`, `02-01T10:30`. */
export const atMs = (day: string): number => Date.parse(`2026-${day}${day.includes('T') ? '' : 'T00:00'}Z`);

/** Says what happens on renewal: `reset`, `add`, `roll over`, `roll over 50`, `roll over 50% for 3 month`. */
export function onRenewalOf(text: string): OnRenewal {
  if (text === 'reset' || text === 'add') return text;
  const [, cap, percent, every, unit] = /^roll over(?: ([\d.]+)(%)?)?(?: for (\d+) (month|week))?$/.exec(text) ?? [];
  return {
    max: cap && !percent ? unitsOf(cap) : null,
    maxFraction: cap && percent ? unitsOf(cap) / 100n : null,
    expiresAfter: every ? intervalOf(Number(every), unit === 'week' ? 'week' : 'month') : null,
  };
}

/** January's 100, by the one or the other way of repeating; so much of it is left. */
export type Way = 'plan' | 'purchase';

export function january(way: Way, renews: string, left: string, changed: Partial<Grant> = {}) {
  const onRenewal = onRenewalOf(renews);
  const priority = way === 'plan' ? 0 : 100;
  const grant = grantOf({
    id: way === 'plan' ? '00000000-0000-4000-8000-000000000001' : '00000000-0000-4000-8000-000000000002',
    source: way,
    priority,
    remaining: unitsOf(left),
    effectiveFromMs: atMs('01-01'),
    createdAtMs: atMs('01-01'),
    state: left === '0' ? 'spent' : 'live',
    renewal: { reset: 'monthly', onRenewal, amount: unitsOf('100'), untilMs: null },
    renewsAtMs: atMs('02-01'),
    expiresAtMs: onRenewal === 'add' ? null : atMs('02-01'),
    ...changed,
  });
  const rule = way === 'plan' ? ruleOf({ onRenewal }) : null;
  return { grant, rule };
}

/** Units that rolled over from a grant before. */
export const held = (of: Grant, units: string, until: string | null): Grant =>
  grantOf({
    ...of,
    id: `rolled ${units} ${until}`,
    amount: unitsOf(units),
    remaining: unitsOf(units),
    state: 'live',
    renewal: null,
    renewsAtMs: null,
    expiresAtMs: until === null ? null : atMs(until),
    originId: of.id,
    rolledOver: true,
  });

export const stored = (...grants: readonly Grant[]): Grants => new Map(grants.map((grant) => [grant.id, grant]));
