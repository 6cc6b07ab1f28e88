/** alert — a stored fact about a threshold, and which thresholds a change has reached. */
import type { Period } from './period.ts';
import type { LimitPolicy } from './policy.ts';
import { type Threshold, thresholdKey } from './threshold.ts';
import { ONE, type Units } from './units.ts';

/** A stored fact: this customer reached this threshold of this feature in this period. */
export type Alert = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly period: Period;
  readonly threshold: Threshold;
  readonly used: Units;
  readonly limit: Units | null;
  readonly raisedAtMs: number;
  readonly acknowledgedAtMs: number | null;
  /** Counts the tenant's alerts, gapless and in commit order: the resume point of the alert stream. */
  readonly sequence: bigint;
};

/** Where a reader of stored alerts stands. */
export type AlertPosition = {
  readonly tenantId: string;
  /** Null for all the tenant's customers. */
  readonly customerId: string | null;
  /** Position in the tenant's alerts: the last one heard. */
  readonly sequence: bigint;
  /** Position of the customer: only alerts raised by later events. */
  readonly eventSequence: bigint;
};

/** Thresholds that hold at this use and were not raised in this period before, in order of their configuration. */
export function newlyReached(policy: LimitPolicy, used: Units, raised: ReadonlySet<string>): readonly Threshold[] {
  const reached = new Map<string, Threshold>(); // by key: a threshold that is configured twice is one
  for (const threshold of policy.thresholds) {
    if (!isReached(threshold, policy, used)) continue; // most calls reach none
    const key = thresholdKey(threshold);
    if (!raised.has(key)) reached.set(key, threshold);
  }
  return [...reached.values()];
}

function isReached({ kind, value }: Threshold, policy: LimitPolicy, used: Units): boolean {
  switch (kind) {
    case 'used':
      return used >= value;
    case 'remaining':
      return policy.limit !== null && policy.limit - used <= value;
    case 'fraction': {
      const base = fractionBase(policy);
      return base !== null && used * ONE >= value * base;
    }
  }
}

/** A fraction is of the limit; without one, of what is included; without either there is none. */
function fractionBase({ limit, included }: LimitPolicy): Units | null {
  if (limit !== null) return limit;
  return included !== null && included > 0n ? included : null;
}
