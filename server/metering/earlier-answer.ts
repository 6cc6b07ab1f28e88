/**
 * earlier-answer — an answer as the first version kept it, told as those of today are.
 *
 * Only consumes were answered then, without credits or wallets, and the feature went without saying: the call names it.
 */
import { type LimitFieldsJson, limitFieldsFromJson } from '../db/limit-fields-json.ts';
import type { Denial } from '../domain/denial.ts';
import { costOf } from '../domain/price.ts';
import { formatUnits, unitsOf } from '../domain/units.ts';
import type { AnswerJson } from './answer.ts';

export type EarlierAnswerJson = {
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
  readonly alerts: number;
};

/** @param featureKey Of the call that is answered again. */
export function answerOfToday(json: AnswerJson | EarlierAnswerJson, featureKey: string): AnswerJson {
  if ('kind' in json) return json;
  const { amount, split, denial, alerts, overage, ...usage } = json;
  return {
    kind: 'consumption',
    amount,
    split: { ...split, credits: undefined, wallet: undefined, charge: undefined },
    denial,
    usage: {
      ...usage,
      feature: featureKey,
      overage,
      owed: owedFor(json),
      owedIn: undefined,
      held: undefined,
      credits: undefined,
      wallet: undefined,
    },
    alerts,
    alertsFrom: undefined,
  };
}

/** It was not kept, but worked out each time it was shown. */
function owedFor({ policy, overage }: EarlierAnswerJson): string | undefined {
  const { price } = limitFieldsFromJson(policy);
  return price && formatUnits(costOf(price, unitsOf(overage)));
}
