/** limit-fields-json — limit fields as they are kept in JSON columns: decimals and thresholds as text. */
import type { Billing, Enforcement, EntitlementValue, LimitFields } from '../domain/feature.ts';
import type { RateLimit } from '../domain/rate-limit.ts';
import { parseThresholdKey, thresholdKey } from '../domain/threshold.ts';
import { formatUnits, type Units, unitsOf } from '../domain/units.ts';
import { type CreditRuleJson, creditRuleFromJson, creditRuleToJson } from './credit-rule-json.ts';
import { type PriceJson, priceFromJson, priceToJson } from './price-json.ts';

export type LimitFieldsJson = {
  readonly limit?: string | null;
  readonly included?: string;
  readonly enforcement?: Enforcement;
  readonly minLimit?: string;
  readonly thresholds?: readonly string[];
  readonly price?: PriceJson;
  readonly billing?: Billing;
  readonly spendLimit?: string | null;
  readonly credits?: CreditRuleJson | null;
  readonly rateLimits?: readonly RateLimit[];
  readonly entityLimit?: string | null;
  readonly value?: EntitlementValue;
};

export function limitFieldsToJson(fields: LimitFields): LimitFieldsJson {
  const { limit, included, minLimit, thresholds, price, spendLimit, credits, entityLimit } = fields;
  return {
    ...kept(fields),
    ...(limit !== undefined && { limit: textOrNull(limit) }),
    ...(included !== undefined && { included: formatUnits(included) }),
    ...(minLimit !== undefined && { minLimit: formatUnits(minLimit) }),
    ...(thresholds && { thresholds: thresholds.map(thresholdKey) }),
    ...(price && { price: priceToJson(price) }),
    ...(spendLimit !== undefined && { spendLimit: textOrNull(spendLimit) }),
    ...(credits !== undefined && { credits: credits && creditRuleToJson(credits) }),
    ...(entityLimit !== undefined && { entityLimit: textOrNull(entityLimit) }),
  };
}

export function limitFieldsFromJson(json: LimitFieldsJson): LimitFields {
  const { limit, included, minLimit, thresholds, price, spendLimit, credits, entityLimit } = json;
  return {
    ...kept(json),
    ...(limit !== undefined && { limit: unitsOrNull(limit) }),
    ...(included !== undefined && { included: unitsOf(included) }),
    ...(minLimit !== undefined && { minLimit: unitsOf(minLimit) }),
    ...(thresholds && { thresholds: thresholds.map(parseThresholdKey) }),
    ...(price && { price: priceFromJson(price) }),
    ...(spendLimit !== undefined && { spendLimit: unitsOrNull(spendLimit) }),
    ...(credits !== undefined && { credits: credits && creditRuleFromJson(credits) }),
    ...(entityLimit !== undefined && { entityLimit: unitsOrNull(entityLimit) }),
  };
}

/** The fields that JSON holds as they are. */
function kept({ enforcement, billing, rateLimits, value }: LimitFields | LimitFieldsJson) {
  return {
    ...(enforcement && { enforcement }),
    ...(billing && { billing }),
    ...(rateLimits && { rateLimits }),
    ...(value !== undefined && { value }),
  };
}

const textOrNull = (units: Units | null): string | null => (units === null ? null : formatUnits(units));

const unitsOrNull = (text: string | null): Units | null => (text === null ? null : unitsOf(text));

/** A map of limit fields by feature key: a plan's features, a customer's overrides. */
export const limitFieldsMapFromJson = (json: Readonly<Record<string, LimitFieldsJson>>): Map<string, LimitFields> =>
  new Map(Object.entries(json).map(([key, fields]) => [key, limitFieldsFromJson(fields)]));

export const limitFieldsMapToJson = (map: ReadonlyMap<string, LimitFields>): Record<string, LimitFieldsJson> =>
  Object.fromEntries([...map].map(([key, fields]) => [key, limitFieldsToJson(fields)]));
