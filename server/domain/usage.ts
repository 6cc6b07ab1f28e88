/** usage — the state of one meter as people see it: the same number the gate decides by. */
import type { Counter } from './decision.ts';
import type { Feature } from './feature.ts';
import type { Money } from './money.ts';
import type { Period } from './period.ts';
import type { LimitPolicy } from './policy.ts';
import { maxUnits, multiplyUnits, type Units } from './units.ts';

export type Usage = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  readonly feature: Feature;
  /** The plan whose limits these are; for a call with an override key, that plan. */
  readonly planKey: string | null;
  readonly entitled: boolean;
  readonly policy: LimitPolicy;
  readonly period: Period;
  readonly used: Units;
  /** Never below 0; null when unlimited; 0 when not entitled, for that is no "unlimited". */
  readonly remaining: Units | null;
  readonly overage: Units;
  /** What the period's overage costs so far, in minor units; null where the feature has no price. */
  readonly estimatedCost: Money | null;
  /** The customer's sequence at which this was true. */
  readonly sequence: bigint;
  /** Version of the features and plans by which this was computed. */
  readonly catalogVersion: number;
  readonly atMs: number;
};

/** Which meter, and as of when. */
export type UsageFrame = Pick<
  Usage,
  | 'tenantId'
  | 'customerId'
  | 'referenceId'
  | 'feature'
  | 'planKey'
  | 'entitled'
  | 'policy'
  | 'sequence'
  | 'catalogVersion'
  | 'atMs'
>;

export function usageOf(frame: UsageFrame, counter: Pick<Counter, 'period' | 'used' | 'overage'>): Usage {
  const { limit, price } = frame.policy;
  return {
    ...frame,
    period: counter.period,
    used: counter.used,
    remaining: frame.entitled ? remainingOf(limit, counter.used) : 0n,
    overage: counter.overage,
    estimatedCost: price && { amount: multiplyUnits(counter.overage, price.unitAmount), currency: price.currency },
  };
}

const remainingOf = (limit: Units | null, used: Units): Units | null =>
  limit === null ? null : maxUnits(limit - used, 0n);
