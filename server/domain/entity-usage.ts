/** entity-usage — what one entity under a customer, a seat or a workspace, has of a shared meter. */
import type { Period } from './period.ts';
import { maxUnits, minUnits, type Units } from './units.ts';
import type { Usage } from './usage.ts';

/** What is counted of an entity in one period. */
export type EntityTotals = { readonly entityId: string; readonly used: Units; readonly held: Units };

export type EntityUsage = {
  readonly entityId: string;
  readonly used: Units;
  /** Held by open reservations, and not used yet. */
  readonly reserved: Units;
  /** Of each entity alone; null for none of its own, 0 when not entitled. */
  readonly limit: Units | null;
  /** The smaller of its own room and the customer's; never below 0, null when both are unlimited. */
  readonly remaining: Units | null;
  readonly period: Period;
};

/** @param usage The customer's meter, in whose running period the entity's totals are. */
export function entityUsageOf(
  { entitled, policy, period, remaining }: Usage,
  { entityId, used, held }: EntityTotals,
): EntityUsage {
  const limit = entitled ? policy.entityLimit : 0n;
  const own = limit === null ? null : maxUnits(limit - used - held, 0n);
  const room = own === null || remaining === null ? (own ?? remaining) : minUnits(own, remaining);
  return { entityId, used, reserved: held, limit, remaining: room, period };
}
