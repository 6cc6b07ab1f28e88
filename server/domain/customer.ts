/** customer — who uses. */
import { derivedId } from './derived-id.ts';
import type { LimitFields } from './feature.ts';
import type { Mute } from './mute.ts';
import type { PlanHeld } from './plan.ts';

/** A change of plan that waits for its time. */
export type PendingPlan = { readonly planKey: string; readonly planVersion: number; readonly atMs: number };

export type Customer = {
  readonly id: string;
  readonly tenantId: string;
  /** The app's own id, unique in the tenant. */
  readonly referenceId: string;
  /** Free text: user, organization, team, session, ip … */
  readonly referenceType: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly planKey: string | null;
  /** The version of the plan it was put on; null for the newest. Which one holds is `planOfCustomer`'s answer. */
  readonly planVersion: number | null;
  /** Due at its instant, whether or not anything has been done about it: see `currentPlanOf`. */
  readonly pendingPlan: PendingPlan | null;
  /** IANA name. */
  readonly timeZone: string;
  /** Where billing periods, and the periods of features anchored to the subscription, are counted from. */
  readonly anchorAtMs: number;
  /** The time zone in which they are, IANA name: that of a subscription that they follow. Null for the customer's own. */
  readonly anchorTimeZone: string | null;
  readonly metadata: unknown;
  /** Own limits by feature key; the last word in a policy. */
  readonly overrides: ReadonlyMap<string, LimitFields>;
  /** Alerts that are stored and not told. */
  readonly mutes: readonly Mute[];
  /** Counts this customer's recorded changes: gapless and in commit order, so it is the resume point of a stream. */
  readonly sequence: bigint;
  readonly createdAtMs: number;
};

/** The plan that a customer has at an instant: a pending change holds from its time on, also where it was not stored yet. */
export function currentPlanOf(customer: PlanHeld & Pick<Customer, 'pendingPlan'>, atMs: number): PlanHeld {
  const { planKey, planVersion, pendingPlan } = customer;
  if (pendingPlan === null || atMs < pendingPlan.atMs) return { planKey, planVersion };
  return { planKey: pendingPlan.planKey, planVersion: pendingPlan.planVersion };
}

/** In which time zone the periods that are counted from the customer's anchor begin. */
export const anchorZoneOf = ({ anchorTimeZone, timeZone }: Pick<Customer, 'anchorTimeZone' | 'timeZone'>): string =>
  anchorTimeZone ?? timeZone;

/** The change of plan that a customer is still waiting for at an instant. */
export const pendingPlanOf = ({ pendingPlan }: Pick<Customer, 'pendingPlan'>, atMs: number): PendingPlan | null =>
  pendingPlan !== null && atMs < pendingPlan.atMs ? pendingPlan : null;

/**
 * A customer's id, derived from tenant and reference.
 *
 * The primary key is thereby also the promise that a reference is unique in its tenant, and a request can lock its
 * customer without looking the id up first, on one Postgres as on many shards.
 */
export function customerIdOf(tenantId: string, referenceId: string): string {
  return derivedId(tenantId, referenceId);
}
