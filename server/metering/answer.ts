/**
 * answer — a result as it is kept under its idempotency key, and read back for a replay.
 *
 * Kept is what the first answer said, not what would be computed today: limits and plans may have changed since.
 */
import { type LimitFieldsJson, limitFieldsFromJson, limitFieldsToJson } from '../db/limit-fields-json.ts';
import type { Alert } from '../domain/alert.ts';
import type { Split } from '../domain/decision.ts';
import type { Denial } from '../domain/denial.ts';
import { featureNotFound } from '../domain/errors.ts';
import { type Catalog, liveKeys } from '../domain/plan.ts';
import type { LimitPolicy } from '../domain/policy.ts';
import { DEFAULT_THRESHOLDS } from '../domain/threshold.ts';
import { formatUnits, type Units, unitsOf } from '../domain/units.ts';
import { type Usage, usageOf } from '../domain/usage.ts';
import {
  type GrantJson,
  grantFromJson,
  grantToJson,
  type ReservationJson,
  reservationFromJson,
  reservationToJson,
} from './answer-json.ts';
import type { Consumption, Request, Result } from './requests.ts';

/** What is undefined goes without saying: JSON leaves it out. */
type SplitAnswer = {
  readonly included: string | undefined;
  readonly credits: string | undefined;
  readonly wallet: string | undefined;
  readonly overage: string | undefined;
  readonly charge: string | undefined;
  readonly cost: string | undefined;
  readonly currency: string;
};

type UsageAnswer = {
  readonly feature: string;
  readonly plan: string | null;
  readonly entitled: boolean;
  readonly policy: LimitFieldsJson;
  readonly period: readonly [startMs: number, endMs: number | null];
  readonly used: string;
  readonly held: string | undefined;
  readonly credits: string | undefined;
  readonly wallet: readonly [amount: string, currency: string] | undefined;
  readonly overage: string | undefined;
  /** What is to be billed so far. */
  readonly owed: string | undefined;
  /** ISO 4217 of it, where that is not the price's. */
  readonly owedIn: string | undefined;
  readonly sequence: string;
  readonly catalog: number;
  readonly at: number;
};

export type AnswerJson =
  | {
      readonly kind: 'consumption';
      readonly amount: string;
      readonly split: SplitAnswer;
      readonly denial: Denial | undefined;
      readonly usage: UsageAnswer;
      /** How many alerts the call raised; they are found by the sequence of its usage. */
      readonly alerts: number;
      /** The first event that raised any: a commit of more than was reserved leaves two. Without: that of its usage. */
      readonly alertsFrom: string | undefined;
    }
  | {
      readonly kind: 'holding';
      readonly reservation: ReservationJson | null;
      readonly split: SplitAnswer;
      readonly denial: Denial | undefined;
      readonly usage: UsageAnswer;
    }
  | { readonly kind: 'granted'; readonly grant: GrantJson; readonly usage: UsageAnswer }
  | {
      readonly kind: 'wallet';
      readonly currency: string;
      readonly balance: string;
      readonly floor: string;
    }
  | {
      readonly kind: 'restarted';
      readonly ended: readonly [startMs: number, endMs: number | null] | null;
      readonly usage: UsageAnswer;
    }
  | { readonly kind: 'settled' };

/** A result without the alerts of a consumption: they have no sequence yet. */
export type Decided = Exclude<Result, Consumption> | Omit<Consumption, 'alerts'>;

/** @param alerts Those that the call raised. */
export function answerToJson(result: Decided, alerts: readonly { readonly eventSequence: bigint }[]): AnswerJson {
  switch (result.kind) {
    case 'consumption':
      return {
        kind: result.kind,
        amount: formatUnits(result.amount),
        split: splitToJson(result.split),
        denial: result.denial ?? undefined,
        usage: usageToJson(result.usage),
        alerts: alerts.length,
        alertsFrom: alerts[0] && String(alerts[0].eventSequence),
      };
    case 'holding':
      return {
        kind: result.kind,
        reservation: result.reservation && reservationToJson(result.reservation),
        split: splitToJson(result.split),
        denial: result.denial ?? undefined,
        usage: usageToJson(result.usage),
      };
    case 'granted':
      return { kind: result.kind, grant: grantToJson(result.grant), usage: usageToJson(result.usage) };
    case 'wallet': {
      const { currency, balance, floor } = result.wallet;
      return { kind: result.kind, currency, balance: formatUnits(balance), floor: formatUnits(floor) };
    }
    case 'restarted': {
      const { ended, usage } = result;
      return { kind: result.kind, ended: ended && [ended.startMs, ended.endMs], usage: usageToJson(usage) };
    }
    case 'settled':
      return { kind: result.kind };
  }
}

/** @param catalog As it is now: a feature's name may have changed, its key has not. */
export function answerFromJson(
  json: AnswerJson,
  request: Pick<Request, 'tenantId' | 'customerId' | 'referenceId'>,
  catalog: Catalog,
  alerts: readonly Alert[],
): Result {
  const usage = (answer: UsageAnswer): Usage => usageFromJson(answer, request, catalog);
  switch (json.kind) {
    case 'consumption':
      return {
        kind: json.kind,
        allowed: !json.denial,
        denial: json.denial ?? null,
        amount: unitsOf(json.amount),
        split: splitFromJson(json.split),
        usage: usage(json.usage),
        alerts,
        replayed: true,
      };
    case 'holding':
      return {
        kind: json.kind,
        allowed: !json.denial,
        denial: json.denial ?? null,
        reservation: json.reservation && reservationFromJson(json.reservation),
        split: splitFromJson(json.split),
        usage: usage(json.usage),
        replayed: true,
      };
    case 'granted':
      return { kind: json.kind, grant: grantFromJson(json.grant), usage: usage(json.usage), replayed: true };
    case 'wallet': {
      const wallet = { currency: json.currency, balance: unitsOf(json.balance), floor: unitsOf(json.floor) };
      return { kind: json.kind, referenceId: request.referenceId, wallet, replayed: true };
    }
    case 'restarted': {
      const ended = json.ended && { startMs: json.ended[0], endMs: json.ended[1] };
      return { kind: json.kind, ended, usage: usage(json.usage), replayed: true };
    }
    case 'settled':
      return { kind: json.kind };
  }
}

/** A part that paid nothing is left out. */
const splitToJson = ({ included, credits, wallet, overage, walletCharge, overageCost }: Split): SplitAnswer => ({
  included: unlessZero(included),
  credits: unlessZero(credits),
  wallet: unlessZero(wallet),
  overage: unlessZero(overage),
  charge: unlessZero(walletCharge.amount),
  cost: unlessZero(overageCost.amount),
  currency: overageCost.currency,
});

const unlessZero = (units: Units): string | undefined => (units === 0n ? undefined : formatUnits(units));

const splitFromJson = ({ included, credits, wallet, overage, charge, cost, currency }: SplitAnswer): Split => ({
  included: unitsOr0(included),
  credits: unitsOr0(credits),
  wallet: unitsOr0(wallet),
  overage: unitsOr0(overage),
  walletCharge: { amount: unitsOr0(charge), currency },
  overageCost: { amount: unitsOr0(cost), currency },
});

const unitsOr0 = (text: string | undefined): Units => (text === undefined ? 0n : unitsOf(text));

const usageToJson = (usage: Usage): UsageAnswer => ({
  feature: usage.feature.key,
  plan: usage.planKey,
  entitled: usage.entitled,
  policy: keptPolicy(usage.policy),
  period: [usage.period.startMs, usage.period.endMs],
  used: formatUnits(usage.used),
  held: unlessZero(usage.reserved),
  credits: unlessZero(usage.credits),
  wallet: usage.wallet ? [formatUnits(usage.wallet.amount), usage.wallet.currency] : undefined,
  overage: unlessZero(usage.overage),
  owed: usage.estimatedCost ? unlessZero(usage.estimatedCost.amount) : undefined,
  owedIn: usage.estimatedCost?.currency === usage.policy.price?.currency ? undefined : usage.estimatedCost?.currency,
  sequence: usage.sequence.toString(),
  catalog: usage.catalogVersion,
  at: usage.atMs,
});

function usageFromJson(
  json: UsageAnswer,
  { tenantId, customerId, referenceId }: Pick<Request, 'tenantId' | 'customerId' | 'referenceId'>,
  catalog: Catalog,
): Usage {
  const feature = catalog.features.get(json.feature);
  if (!feature) throw featureNotFound(json.feature, liveKeys(catalog.features)); // archived, never deleted
  const [startMs, endMs] = json.period;
  return usageOf(
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
    {
      period: { startMs, endMs },
      used: unitsOf(json.used),
      held: unitsOr0(json.held),
      credits: unitsOr0(json.credits),
      wallet: json.wallet ? { amount: unitsOf(json.wallet[0]), currency: json.wallet[1] } : null,
      overage: unitsOr0(json.overage),
      cost: unitsOr0(json.owed),
      walletCharge: 0n, // `cost` is what is owed of it already
      currency: json.owedIn ?? null,
    },
  );
}

/** Most customers share their policies; each is spelt once. */
const keptPolicies = new WeakMap<LimitPolicy, LimitFieldsJson>();

function keptPolicy(policy: LimitPolicy): LimitFieldsJson {
  const kept = keptPolicies.get(policy) ?? policyToJson(policy);
  keptPolicies.set(policy, kept);
  return kept;
}

/** What a policy says that goes without saying is left out: an answer is kept of every call. */
function policyToJson(policy: LimitPolicy): LimitFieldsJson {
  const { limit, included, enforcement, minLimit, price, thresholds, billing, value, rateLimits } = policy;
  const { spendLimit, credits, entityLimit } = policy;
  return limitFieldsToJson({
    ...(limit !== null && { limit }),
    ...(included !== null && included !== limit && { included }),
    ...(enforcement !== 'hard' && { enforcement }),
    ...(minLimit !== null && { minLimit }),
    ...(price && { price }),
    ...(billing !== 'postpaid' && { billing }),
    ...(spendLimit !== null && { spendLimit }),
    ...(credits && { credits }),
    ...(entityLimit !== null && { entityLimit }),
    ...(value !== null && { value }),
    ...(rateLimits.length > 0 && { rateLimits }),
    ...(thresholds !== DEFAULT_THRESHOLDS && { thresholds }),
    ...(included === null && limit !== null && { included: ENDLESS }),
  });
}

/** Included without end, though there is a limit. */
const ENDLESS = -1n;

function policyFromJson(json: LimitFieldsJson): LimitPolicy {
  const fields = limitFieldsFromJson(json);
  return {
    limit: fields.limit ?? null,
    included: fields.included === ENDLESS ? null : (fields.included ?? fields.limit ?? null),
    enforcement: fields.enforcement ?? 'hard',
    minLimit: fields.minLimit ?? null,
    thresholds: fields.thresholds ?? DEFAULT_THRESHOLDS,
    price: fields.price ?? null,
    billing: fields.billing ?? 'postpaid',
    spendLimit: fields.spendLimit ?? null,
    credits: fields.credits ?? null,
    rateLimits: fields.rateLimits ?? [],
    entityLimit: fields.entityLimit ?? null,
    value: fields.value ?? null,
  };
}
