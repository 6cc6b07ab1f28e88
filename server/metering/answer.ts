/**
 * answer — a consumption as it is kept under its idempotency key, and read back for a replay.
 *
 * Kept is what the first answer said, not what would be computed today: limits and plans may have changed since.
 */
import { type LimitFieldsJson, limitFieldsFromJson, limitFieldsToJson } from '../db/limit-fields-json.ts';
import type { Alert } from '../domain/alert.ts';
import type { Denial } from '../domain/decision.ts';
import type { Feature } from '../domain/feature.ts';
import type { LimitPolicy } from '../domain/policy.ts';
import { DEFAULT_THRESHOLDS } from '../domain/threshold.ts';
import { formatUnits, unitsOf } from '../domain/units.ts';
import { usageOf } from '../domain/usage.ts';
import type { ConsumeRequest, Consumption } from './consumption.ts';

export type AnswerJson = {
  readonly amount: string;
  readonly split: {
    readonly included: string;
    readonly overage: string;
    readonly cost: string;
    readonly currency: string;
  };
  readonly denial?: Denial;
  readonly plan: string | null;
  readonly entitled: boolean;
  readonly policy: LimitFieldsJson;
  readonly period: readonly [startMs: number, endMs: number | null];
  readonly used: string;
  readonly overage: string;
  readonly sequence: string;
  readonly catalog: number;
  readonly at: number;
  /** How many alerts the call raised; they are found by its sequence. */
  readonly alerts: number;
};

export function answerToJson(
  { amount, split, denial, usage }: Omit<Consumption, 'alerts'>,
  alerts: number,
): AnswerJson {
  return {
    amount: formatUnits(amount),
    split: {
      included: formatUnits(split.included),
      overage: formatUnits(split.overage),
      cost: formatUnits(split.overageCost.amount),
      currency: split.overageCost.currency,
    },
    ...(denial && { denial }),
    plan: usage.planKey,
    entitled: usage.entitled,
    policy: policyToJson(usage.policy),
    period: [usage.period.startMs, usage.period.endMs],
    used: formatUnits(usage.used),
    overage: formatUnits(usage.overage),
    sequence: usage.sequence.toString(),
    catalog: usage.catalogVersion,
    at: usage.atMs,
    alerts,
  };
}

/** @param feature As it is now: its name may have changed, its key has not. */
export function answerFromJson(
  json: AnswerJson,
  request: ConsumeRequest,
  feature: Feature,
  alerts: readonly Alert[],
): Consumption {
  const { tenantId, customerId, referenceId } = request;
  const [startMs, endMs] = json.period;
  const { included, overage, cost, currency } = json.split;
  return {
    allowed: !json.denial,
    denial: json.denial ?? null,
    amount: unitsOf(json.amount),
    split: {
      included: unitsOf(included),
      credits: 0n,
      wallet: 0n,
      overage: unitsOf(overage),
      walletCharge: { amount: 0n, currency },
      overageCost: { amount: unitsOf(cost), currency },
    },
    usage: usageOf(
      {
        tenantId,
        customerId,
        referenceId,
        feature,
        planKey: json.plan,
        entitled: json.entitled,
        policy: policyFromJson(json.policy),
        sequence: BigInt(json.sequence),
        catalogVersion: json.catalog,
        atMs: json.at,
      },
      { period: { startMs, endMs }, used: unitsOf(json.used), overage: unitsOf(json.overage) },
    ),
    alerts,
    replayed: true,
  };
}

/** The default thresholds are most policies', and go without saying. */
function policyToJson({ included, minLimit, price, thresholds, ...policy }: LimitPolicy): AnswerJson['policy'] {
  return limitFieldsToJson({
    ...policy,
    ...(included !== null && { included }),
    ...(minLimit !== null && { minLimit }),
    ...(price && { price }),
    ...(thresholds !== DEFAULT_THRESHOLDS && { thresholds }),
  });
}

function policyFromJson(json: AnswerJson['policy']): LimitPolicy {
  const fields = limitFieldsFromJson(json);
  return {
    limit: fields.limit ?? null,
    included: fields.included ?? null,
    enforcement: fields.enforcement ?? 'hard',
    minLimit: fields.minLimit ?? null,
    thresholds: fields.thresholds ?? DEFAULT_THRESHOLDS,
    price: fields.price ?? null,
  };
}
