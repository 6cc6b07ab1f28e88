/** policy — the limit policy that applies to a customer and feature: feature → plan → customer override. */
import type { CreditRule } from './credit-rule.ts';
import type { Billing, Enforcement, EntitlementValue, Feature, LimitFields } from './feature.ts';
import type { Plan } from './plan.ts';
import type { Price } from './price.ts';
import type { RateLimit } from './rate-limit.ts';
import { DEFAULT_THRESHOLDS, type Threshold } from './threshold.ts';
import type { Units } from './units.ts';

/** What applies to a customer and feature after the merge: nothing is unset any more. */
export type LimitPolicy = {
  readonly limit: Units | null;
  /** Units per period that cost nothing; null when there is no end to them. */
  readonly included: Units | null;
  readonly enforcement: Enforcement;
  readonly minLimit: Units | null;
  readonly thresholds: readonly Threshold[];
  readonly price: Price | null;
  readonly billing: Billing;
  /** In minor units of the price's currency, a period; null is no limit. */
  readonly spendLimit: Units | null;
  readonly credits: CreditRule | null;
  /** Of this feature alone. */
  readonly rateLimits: readonly RateLimit[];
  readonly entityLimit: Units | null;
  readonly value: EntitlementValue | null;
};

/**
 * Merges feature → plan → customer override, field by field, the last one set wins.
 *
 * @returns the policy, also for a feature that the plan does not name: whether it may be used is `isEntitled`'s answer.
 */
export function mergePolicy(feature: Feature, plan: Plan | null, override: LimitFields | undefined): LimitPolicy {
  const merged: LimitFields = { ...limitFieldsOf(feature), ...plan?.features.get(feature.key), ...override };
  const limit = merged.limit ?? null;
  const price = merged.price ?? null;
  const credits = merged.credits ?? null;
  return {
    limit,
    included: merged.included ?? (limit === null && (price ?? credits) !== null ? 0n : limit),
    enforcement: merged.enforcement ?? (price === null ? 'hard' : 'soft'),
    minLimit: merged.minLimit ?? null,
    thresholds: merged.thresholds ?? DEFAULT_THRESHOLDS,
    price,
    billing: merged.billing ?? 'postpaid',
    spendLimit: merged.spendLimit ?? null,
    credits,
    rateLimits: merged.rateLimits ?? NO_RATE_LIMITS,
    entityLimit: merged.entityLimit ?? null,
    value: merged.value ?? null,
  };
}

const NO_RATE_LIMITS: readonly RateLimit[] = [];

/** A customer without a plan may use every feature; otherwise the plan or an own override must name it. */
export const isEntitled = (featureKey: string, plan: Plan | null, override: LimitFields | undefined): boolean =>
  plan === null || plan.features.has(featureKey) || override !== undefined;

export const LIMIT_FIELDS = [
  'limit',
  'included',
  'enforcement',
  'minLimit',
  'thresholds',
  'price',
  'billing',
  'spendLimit',
  'credits',
  'rateLimits',
  'entityLimit',
  'value',
] as const satisfies readonly (keyof LimitFields)[];

function limitFieldsOf(feature: Feature): LimitFields {
  return Object.fromEntries(LIMIT_FIELDS.filter((field) => feature[field] !== undefined).map((f) => [f, feature[f]]));
}
