/** credit-rule-json — allocated credits, and what becomes of unused ones, as they are kept in JSON: decimals as text. */
import type { CreditRule, OnRenewal } from '../domain/credit-rule.ts';
import type { Interval, Reset } from '../domain/period.ts';
import { formatUnits, unitsOf } from '../domain/units.ts';

type RolloverJson = {
  readonly max: string | null;
  readonly maxFraction: string | null;
  readonly expiresAfter: Interval | null;
};
export type OnRenewalJson = 'reset' | 'add' | RolloverJson;

export type CreditRuleJson = {
  readonly allocation: string;
  readonly onRenewal: OnRenewalJson;
  readonly reset: Reset | null;
  readonly priority: number;
};

export const creditRuleToJson = ({ allocation, onRenewal, reset, priority }: CreditRule): CreditRuleJson => ({
  allocation: formatUnits(allocation),
  onRenewal: onRenewalToJson(onRenewal),
  reset,
  priority,
});

export const creditRuleFromJson = ({ allocation, onRenewal, reset, priority }: CreditRuleJson): CreditRule => ({
  allocation: unitsOf(allocation),
  onRenewal: onRenewalFromJson(onRenewal),
  reset,
  priority,
});

export function onRenewalToJson(onRenewal: OnRenewal): OnRenewalJson {
  if (typeof onRenewal === 'string') return onRenewal;
  const { max, maxFraction, expiresAfter } = onRenewal;
  return {
    max: max === null ? null : formatUnits(max),
    maxFraction: maxFraction === null ? null : formatUnits(maxFraction),
    expiresAfter,
  };
}

export function onRenewalFromJson(json: OnRenewalJson): OnRenewal {
  if (typeof json === 'string') return json;
  const { max, maxFraction, expiresAfter } = json;
  return {
    max: max === null ? null : unitsOf(max),
    maxFraction: maxFraction === null ? null : unitsOf(maxFraction),
    expiresAfter,
  };
}
