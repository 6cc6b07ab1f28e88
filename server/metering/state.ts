/**
 * state — what a batch of decisions needs to know, held in memory while it decides.
 *
 * Each decision is applied before the next is made, so the requests of a batch see each other in order of arrival.
 */
import type { Alert } from '../domain/alert.ts';
import { type Counter, emptyCounter, type MeterState } from '../domain/decision.ts';
import type { Feature, LimitFields } from '../domain/feature.ts';
import { type OpenPeriod, periodFor } from '../domain/period.ts';
import { type Catalog, livePlan, type Plan } from '../domain/plan.ts';
import { isEntitled, mergePolicy } from '../domain/policy.ts';
import type { RateWindow } from '../domain/rate-limit.ts';
import { type Usage, usageOf } from '../domain/usage.ts';
import type { AnswerJson } from './answer.ts';

/** The newest counter of a feature, with the rule that opened its period. */
export type StoredCounter = Counter & {
  readonly period: OpenPeriod;
  /** The customer's sequence of the last change; 0 for one that was never stored. */
  readonly sequence: bigint;
};

/** What was answered under an idempotency key: before this batch, or earlier in it. */
export type KnownAnswer = { readonly fingerprint: string; readonly answer: AnswerJson };

/** The part of a customer's row that decisions read, and what this batch makes of it. */
export type CustomerState = {
  readonly id: string;
  readonly tenantId: string;
  readonly referenceId: string;
  readonly planKey: string | null;
  readonly timeZone: string;
  readonly createdAtMs: number;
  readonly overrides: ReadonlyMap<string, LimitFields>;
  /** The last sequence that changed every meter at once. */
  readonly limitsSequence: bigint;
  /** As the row was when it was locked. */
  readonly sequenceBefore: bigint;
  sequence: bigint;
  rateWindow: RateWindow | null;
  readonly counters: Map<string, StoredCounter>;
  readonly answers: Map<string, KnownAnswer>;
};

/** A meter of a customer at an instant: all that `decide` and a display need. */
export type Meter = {
  readonly customer: CustomerState;
  readonly catalog: Catalog;
  readonly feature: Feature;
  readonly plan: Plan | null;
  readonly state: MeterState & { readonly counter: StoredCounter };
};

/** @param plan The plan to go by: the customer's own, or the one that a call names for itself. */
export function meterOf(
  customer: CustomerState,
  catalog: Catalog,
  feature: Feature,
  plan: Plan | null,
  nowMs: number,
): Meter {
  const override = customer.overrides.get(feature.key);
  return {
    customer,
    catalog,
    feature,
    plan,
    state: {
      featureKey: feature.key,
      aggregation: feature.aggregation,
      policy: mergePolicy(feature, plan, override),
      planKey: plan?.key ?? null,
      entitled: isEntitled(feature.key, plan, override),
      rateLimit: plan?.rateLimit ?? null,
      rateWindow: customer.rateWindow,
      counter: currentCounter(customer, feature, nowMs),
    },
  };
}

/** The counter in whose period this instant lies: the newest one, or a fresh one when its time has come. */
function currentCounter(customer: CustomerState, feature: Feature, nowMs: number): StoredCounter {
  const { timeZone, createdAtMs } = customer;
  const newest = customer.counters.get(feature.key);
  const period = periodFor(newest?.period ?? null, { reset: feature.reset, timeZone, sinceMs: createdAtMs }, nowMs);
  if (newest && newest.period.startMs === period.startMs) return newest;
  return { ...emptyCounter(period), period: { ...period, reset: feature.reset }, sequence: 0n };
}

/** The customer's own plan; one that is archived goes on for those who have it. Null is no plan, so every feature. */
export function ownPlan({ planKey, tenantId }: CustomerState, catalog: Catalog): Plan | null {
  if (planKey === null) return null;
  return catalog.plans.get(planKey) ?? missingPlan(tenantId, planKey);
}

/** Plans are never deleted; should one be missing all the same, its customers get nothing rather than everything. */
const missingPlan = (tenantId: string, key: string): Plan => ({
  tenantId,
  key,
  displayName: key,
  version: 0,
  prices: [],
  rateLimit: null,
  features: new Map(),
  archivedAtMs: null,
});

/** The plan that a call names for itself. */
export const namedPlan = (catalog: Catalog, key: string): Plan | null => livePlan(catalog, key) ?? null;

export function usageOfMeter({ customer, catalog, feature, state }: Meter, counter: Counter, atMs: number): Usage {
  const { id: customerId, tenantId, referenceId, sequence } = customer;
  const { planKey, entitled, policy } = state;
  const catalogVersion = catalog.version;
  return usageOf(
    { tenantId, customerId, referenceId, feature, planKey, entitled, policy, sequence, catalogVersion, atMs },
    counter,
  );
}

/** What a batch leaves to be stored; every list in order of decision. */
export type Changes = {
  readonly nowMs: number;
  /** Customers that took at least one sequence. */
  readonly customers: readonly CustomerState[];
  readonly counters: ReadonlyMap<string, ChangedCounter>;
  readonly events: readonly NewEvent[];
  readonly answers: readonly NewAnswer[];
  readonly alerts: readonly NewAlert[];
};

export type ChangedCounter = {
  readonly customer: CustomerState;
  readonly featureKey: string;
  readonly counter: StoredCounter;
};
export type NewEvent = {
  readonly customer: CustomerState;
  readonly sequence: bigint;
  readonly featureKey: string;
  readonly periodStartMs: number;
  readonly amount: bigint;
  readonly overage: bigint;
  readonly usedAfter: bigint;
  readonly idempotencyKey: string | null;
  readonly properties: string | null;
};
export type NewAnswer = {
  readonly customer: CustomerState;
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  readonly answer: string;
};
/** An alert but for its sequence, which the tenant's row gives it as it is stored. */
export type NewAlert = Omit<Alert, 'sequence' | 'acknowledgedAtMs'> & { readonly eventSequence: bigint };
