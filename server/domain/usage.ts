/** usage — the state of one meter as people see it: the same number the gate decides by. */
import { type Counter, owed } from './counter.ts';
import type { Feature } from './feature.ts';
import type { Money } from './money.ts';
import type { Period } from './period.ts';
import type { LimitPolicy } from './policy.ts';
import { maxUnits, type Units } from './units.ts';

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
  /** Held by open reservations, and not used yet. */
  readonly reserved: Units;
  /** Never below 0; null when unlimited; 0 when not entitled, for that is no "unlimited". */
  readonly remaining: Units | null;
  /** Prepaid units left. */
  readonly credits: Units;
  /** Prepaid money left, in the currency of the feature's price; null without a wallet. */
  readonly wallet: Money | null;
  readonly overage: Units;
  /** What of the period is to be billed so far, in minor units; null where the feature has no price and nothing was priced. */
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

/** What is counted and prepaid. */
export type Totals = Pick<Counter, 'period' | 'used' | 'held' | 'overage' | 'cost' | 'walletCharge' | 'currency'> &
  Pick<Usage, 'credits' | 'wallet'>;

/** Every call makes one, and a copy that fields are added to takes several times as long as naming them all. */
export function usageOf(frame: UsageFrame, totals: Totals): Usage {
  const { limit, price } = frame.policy;
  const { period, used, held, overage, credits, wallet } = totals;
  const currency = totals.currency ?? price?.currency ?? null;
  return {
    tenantId: frame.tenantId,
    customerId: frame.customerId,
    referenceId: frame.referenceId,
    feature: frame.feature,
    planKey: frame.planKey,
    entitled: frame.entitled,
    policy: frame.policy,
    period: { startMs: period.startMs, endMs: period.endMs },
    used,
    reserved: held,
    remaining: frame.entitled ? remainingOf(limit, used + held) : 0n,
    credits,
    wallet,
    overage,
    estimatedCost: currency === null ? null : { amount: owed(totals), currency },
    sequence: frame.sequence,
    catalogVersion: frame.catalogVersion,
    atMs: frame.atMs,
  };
}

const remainingOf = (limit: Units | null, spokenFor: Units): Units | null =>
  limit === null ? null : maxUnits(limit - spokenFor, 0n);
