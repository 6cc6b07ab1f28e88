/** limit-fields-json — limit fields as they are kept in JSON columns: decimals and thresholds as text. */
import type { Enforcement, LimitFields, UnitPrice } from '../domain/feature.ts';
import { parseThresholdKey, thresholdKey } from '../domain/threshold.ts';
import { formatUnits, unitsOf } from '../domain/units.ts';

export type LimitFieldsJson = {
  readonly limit?: string | null;
  readonly included?: string;
  readonly enforcement?: Enforcement;
  readonly minLimit?: string;
  readonly thresholds?: readonly string[];
  readonly price?: { readonly unitAmount: string; readonly currency: string };
};

export function limitFieldsToJson(fields: LimitFields): LimitFieldsJson {
  const { limit, included, enforcement, minLimit, thresholds, price } = fields;
  return {
    ...(limit !== undefined && { limit: limit === null ? null : formatUnits(limit) }),
    ...(included !== undefined && { included: formatUnits(included) }),
    ...(enforcement && { enforcement }),
    ...(minLimit !== undefined && { minLimit: formatUnits(minLimit) }),
    ...(thresholds && { thresholds: thresholds.map(thresholdKey) }),
    ...(price && { price: priceToJson(price) }),
  };
}

export function limitFieldsFromJson(json: LimitFieldsJson): LimitFields {
  const { limit, included, enforcement, minLimit, thresholds, price } = json;
  return {
    ...(limit !== undefined && { limit: limit === null ? null : unitsOf(limit) }),
    ...(included !== undefined && { included: unitsOf(included) }),
    ...(enforcement && { enforcement }),
    ...(minLimit !== undefined && { minLimit: unitsOf(minLimit) }),
    ...(thresholds && { thresholds: thresholds.map(parseThresholdKey) }),
    ...(price && { price: { unitAmount: unitsOf(price.unitAmount), currency: price.currency } }),
  };
}

const priceToJson = ({ unitAmount, currency }: UnitPrice) => ({ unitAmount: formatUnits(unitAmount), currency });

/** A map of limit fields by feature key: a plan's features, a customer's overrides. */
export const limitFieldsMapFromJson = (json: Readonly<Record<string, LimitFieldsJson>>): Map<string, LimitFields> =>
  new Map(Object.entries(json).map(([key, fields]) => [key, limitFieldsFromJson(fields)]));

export const limitFieldsMapToJson = (map: ReadonlyMap<string, LimitFields>): Record<string, LimitFieldsJson> =>
  Object.fromEntries([...map].map(([key, fields]) => [key, limitFieldsToJson(fields)]));
