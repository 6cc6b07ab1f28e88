/** upgrade — which plans to offer a customer who wants more of a feature than its own leaves. Pure. */
import type { Feature } from './feature.ts';
import { type BillingInterval, type Catalog, liveKeys, type Plan, type PlanPrice } from './plan.ts';
import { type LimitPolicy, mergePolicy } from './policy.ts';
import { maxUnits, minUnits, type Units } from './units.ts';

/** What a customer may have of a feature now. */
export type Present = { readonly feature: Feature; readonly entitled: boolean; readonly policy: LimitPolicy };

/** More are no choice. */
const UPGRADES_MAX = 10;

/**
 * Plans with a price that let more of the feature through, the cheapest first: by what they cost in a year, and by key where that
 * is the same. The customer's own limits are left out: they may go with the plan that it leaves.
 *
 * @returns at most 10; none where nothing stands in the way.
 */
export function upgradesOf({ plans }: Catalog, { feature, entitled, policy }: Present): readonly Plan[] {
  const room = entitled ? roomOf(policy) : 0n;
  return liveKeys(plans)
    .flatMap((key) => plans.get(key) ?? [])
    .filter((plan) => plan.prices.length > 0 && plan.features.has(feature.key))
    .filter((plan) => isMore(roomOf(mergePolicy(feature, plan, undefined)), room))
    .sort((a, b) => compare(yearlyOf(a), yearlyOf(b)) || (a.key < b.key ? -1 : 1))
    .slice(0, UPGRADES_MAX);
}

/** Units of a period that pass, whatever is paid for them; null where there is no end to them. */
function roomOf({ limit, included, enforcement, price, credits }: LimitPolicy): Units | null {
  const allowed = enforcement === 'soft' ? null : limit;
  const paid = price === null && credits === null ? included : null; // whatever goes beyond has something that pays for it
  if (allowed === null || paid === null) return allowed ?? paid;
  return minUnits(allowed, paid);
}

const isMore = (offered: Units | null, room: Units | null): boolean =>
  room !== null && (offered === null || offered > maxUnits(room, 0n));

const A_YEAR: Readonly<Record<BillingInterval, bigint>> = { day: 365n, week: 52n, month: 12n, year: 1n };

/** By its cheapest price, in minor units of whichever currency: only a price list in one currency has an order. */
const yearlyOf = ({ prices }: Plan): Units =>
  prices
    .map(({ amount, interval }: PlanPrice) => amount * A_YEAR[interval])
    .reduce((least, next) => minUnits(least, next));

const compare = (a: Units, b: Units): number => (a < b ? -1 : a > b ? 1 : 0);
