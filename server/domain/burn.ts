/** burn — drawing units from grants, and giving them back, last in, first out. Nothing is made or lost on the way. */
import { type Draw, type Grant, isAllocation } from './grant.ts';
import { maxUnits, minUnits, type Units } from './units.ts';

export type Drawn = {
  /** In the order of drawing; each above 0. */
  readonly draws: readonly Draw[];
  /** Less than was asked for when the grants hold no more. */
  readonly taken: Units;
  /** The grants drawn from, as they are now. */
  readonly grants: readonly Grant[];
};

/**
 * Takes units from each grant in turn, no more than needed from the last.
 *
 * @param grants Live ones in burn order. Those after the last one needed are not looked at.
 * @param units  Asked for; 0 takes nothing.
 */
export function drawFrom(grants: Iterable<Grant>, units: Units): Drawn {
  const draws: Draw[] = [];
  const changed: Grant[] = [];
  let missing = units;
  for (const grant of grants) {
    if (missing <= 0n) break;
    const taken = minUnits(missing, grant.remaining);
    if (taken === 0n) continue;
    missing -= taken;
    draws.push({ grantId: grant.id, units: taken });
    changed.push(withRemaining(grant, grant.remaining - taken));
  }
  return { draws, taken: units - missing, grants: changed };
}

export type GivenBack = {
  /** In the order of giving back; each below 0. */
  readonly draws: readonly Draw[];
  /** Above 0, or 0 when there was nothing to give back. Never more than was drawn. */
  readonly given: Units;
};

/**
 * Gives units back into the grants they were drawn from, the last one first.
 *
 * @param draws What was drawn, in the order of drawing. Earlier returns among them (below 0) are counted against what
 *   they returned, so it is never given back twice.
 */
export function giveBack(draws: readonly Draw[], units: Units): GivenBack {
  const returned = new Map<string, Units>(); // by grant: given back already, of what was drawn before
  const back: Draw[] = [];
  let missing = units;
  for (let i = draws.length - 1; i >= 0 && missing > 0n; i -= 1) {
    const { grantId, units: drawn } = draws[i] as Draw; // the index is within the list
    const before = returned.get(grantId) ?? 0n;
    if (drawn < 0n) {
      returned.set(grantId, before - drawn);
      continue;
    }
    const settled = minUnits(drawn, before);
    returned.set(grantId, before - settled);
    const given = minUnits(missing, drawn - settled);
    missing -= given;
    if (given > 0n) addReturn(back, grantId, given);
  }
  return { draws: back, given: units - missing };
}

/** Returns in a row to one grant are one: a thousand small uses of it don't make a thousand postings. */
function addReturn(back: Draw[], grantId: string, units: Units): void {
  const last = back.at(-1);
  if (last?.grantId !== grantId) back.push({ grantId, units: -units });
  else back[back.length - 1] = { grantId, units: last.units - units };
}

/**
 * Units given back to a grant that is gone: nobody can use them, they go where its other units went. Or to a plan's
 * allocation that is less now than what was drawn of it: those beyond it are withdrawn.
 */
export type LostUnits = {
  readonly grantId: string;
  readonly kind: 'expired' | 'voided' | 'withdrawn';
  readonly units: Units;
};

export type Applied = {
  /** The grants that changed, as they are now; each once. */
  readonly grants: readonly Grant[];
  readonly lost: readonly LostUnits[];
};

/**
 * Grants after draws and returns. A return revives a spent grant; to one that expired or was voided it is lost, and of a
 * plan's allocation no more stays than the plan gives, less what stays drawn.
 *
 * @param grants By id; every grant the draws name.
 * @throws RangeError when a draw names another grant, or takes more than its grant holds: the draws belong to another
 *   state of the customer.
 */
export function applyDraws(grants: ReadonlyMap<string, Grant>, draws: readonly Draw[]): Applied {
  const changed = new Map<string, Grant>();
  const lost: LostUnits[] = [];
  for (const { grantId, units } of draws) {
    const grant = changed.get(grantId) ?? grants.get(grantId);
    if (grant === undefined) throw new RangeError(`there is no grant ${grantId} to draw from`);
    if (units > grant.remaining) throw new RangeError(`grant ${grantId} holds less than is drawn from it`);
    const { grant: now, lost: gone } =
      units < 0n ? returned(grant, -units) : { grant: drawn(grant, units), lost: null };
    if (now !== grant) changed.set(grantId, now);
    if (gone !== null) lost.push(gone);
  }
  return { grants: [...changed.values()], lost };
}

const drawn = (grant: Grant, units: Units): Grant => withRemaining(grant, grant.remaining - units);

function returned(grant: Grant, units: Units): { readonly grant: Grant; readonly lost: LostUnits | null } {
  const { id: grantId, state } = grant;
  if (state === 'voided' || state === 'expired') {
    // The amount of an allocation that was withdrawn is what is drawn of it: less, now.
    const isWithdrawn = state === 'voided' && isAllocation(grant) && grant.renewsAtMs === null;
    return {
      grant: isWithdrawn ? { ...grant, amount: grant.amount - units } : grant,
      lost: { grantId, kind: state, units },
    };
  }
  const remaining = grant.remaining + units;
  const excess = maxUnits(remaining - roomOf(grant, remaining), 0n);
  if (excess === 0n) return { grant: withRemaining(grant, remaining), lost: null };
  return {
    grant: withRemaining({ ...grant, amount: grant.amount - excess }, remaining - excess),
    lost: { grantId, kind: 'withdrawn', units: excess },
  };
}

/** How much of a grant may remain: an allocation may have been a larger plan's when it was drawn from. */
function roomOf(grant: Grant, remaining: Units): Units {
  if (!isAllocation(grant) || grant.renewal === null) return remaining;
  return maxUnits(grant.renewal.amount - (grant.amount - remaining), 0n);
}

const withRemaining = (grant: Grant, remaining: Units): Grant => ({
  ...grant,
  remaining,
  state: remaining === 0n ? 'spent' : 'live',
});
