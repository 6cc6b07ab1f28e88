/** limit-fields — what a feature, a plan and a customer may each set: thresholds, enforcement, and their inputs. */

import { editedLimits, type LimitEdit } from '../domain/edits.ts';
import { invalidInput } from '../domain/errors.ts';
import type { Enforcement, LimitFields, UnitPrice } from '../domain/feature.ts';
import { DEFAULT_CURRENCY } from '../domain/money.ts';
import { THRESHOLD_KINDS, type Threshold } from '../domain/threshold.ts';
import type { ParsedUnits } from '../domain/units.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { UnitPriceInput } from './money.ts';

export const EnforcementEnum = wordEnum('Enforcement', 'What happens beyond the limit.', {
  hard: 'The call is denied.',
  soft: 'The call is allowed, alerts are raised, and overage is billed where the feature has a price.',
});

const ThresholdKindEnum = wordEnum('ThresholdKind', 'What a threshold is measured by.', {
  fraction: 'The part of the limit that is used, or of what is included where there is no limit: 0.8 is 80 %.',
  used: 'Units used: reached at or above.',
  remaining: 'Units left under the limit: reached at or below.',
});

export const ThresholdType = builder.objectRef<Threshold>('Threshold').implement({
  description: 'A line that raises one alert per customer, feature and period when it is reached.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ThresholdKindEnum, description: 'What it is measured by.' }),
    value: t.expose('value', { type: 'Decimal', description: 'A fraction, or units, as `kind` says.' }),
  }),
});

export const ThresholdInput = builder.inputType('ThresholdInput', {
  description: 'A line that raises one alert per customer, feature and period when it is reached.',
  isOneOf: true,
  fields: (t) => ({
    fraction: t.field({ type: 'Decimal', description: 'Part of the limit used, above 0 and at most 10: 0.8 is 80 %.' }),
    used: t.field({ type: 'Decimal', description: 'Units used, above 0.' }),
    remaining: t.field({ type: 'Decimal', description: 'Units left under the limit, 0 or more.' }),
  }),
});

type ThresholdFields = Partial<Record<(typeof THRESHOLD_KINDS)[number], ParsedUnits | null | undefined>>;

/** What `CustomerLimitInput`, `SaveFeatureInput` and `PlanFeatureInput` have in common. */
export type LimitFieldsInput = {
  readonly limit?: ParsedUnits | null | undefined;
  readonly included?: ParsedUnits | null | undefined;
  readonly enforcement?: Enforcement | null | undefined;
  readonly minLimit?: ParsedUnits | null | undefined;
  readonly thresholds?: readonly ThresholdFields[] | null | undefined;
  readonly price?:
    | { readonly unitAmount: ParsedUnits; readonly currency?: string | null | undefined }
    | null
    | undefined;
};

/** The input fields of `LimitFieldsInput`, for use in an input type. */
export const limitInputFields = (
  t: PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>,
) => ({
  limit: t.field({
    type: 'Decimal',
    description:
      'The cap (hard) or the line that alerts and overage start from (soft). `null` is unlimited, 0 nothing.',
  }),
  included: t.field({
    type: 'Decimal',
    description: 'Units per period that cost nothing. Unset it is the limit, or 0 with a price and no limit.',
  }),
  enforcement: t.field({
    type: EnforcementEnum,
    description: 'Unset it is `HARD`, or `SOFT` where there is a price.',
  }),
  minLimit: t.field({
    type: 'Decimal',
    description: 'A floor for use that can be given back; setting it allows negative amounts.',
  }),
  thresholds: t.field({
    type: [ThresholdInput],
    description: 'At most 20. Unset they are 80 % and 100 %; an empty list is none.',
  }),
  price: t.field({ type: UnitPriceInput, description: 'What a unit costs beyond what is included.' }),
});

/**
 * The fields that an input sets. One left out is not set; neither is a null one, except `limit`, where null says
 * unlimited.
 *
 * @throws {MeterError} `INVALID_INPUT` for text that is no decimal.
 */
export const limitFieldsOf = (input: LimitFieldsInput, path: bounds.Path): LimitFields =>
  editedLimits({}, limitEditOf(input, path));

/**
 * The fields that an input names, null ones too.
 *
 * @throws {MeterError} `INVALID_INPUT` for text that is no decimal.
 */
export function limitEditOf(input: LimitFieldsInput, path: bounds.Path): LimitEdit {
  const { limit, included, enforcement, minLimit, thresholds, price } = input;
  const at = (field: string): bounds.Path => [...path, field];
  return {
    ...(limit !== undefined && { limit: limit && bounds.decimal(limit, at('limit')) }),
    ...(included !== undefined && { included: included && bounds.decimal(included, at('included')) }),
    ...(enforcement !== undefined && { enforcement }),
    ...(minLimit !== undefined && { minLimit: minLimit && bounds.decimal(minLimit, at('minLimit')) }),
    ...(thresholds !== undefined && {
      thresholds: thresholds && thresholdsOf(thresholds, at('thresholds')),
    }),
    ...(price !== undefined && { price: price && unitPriceOf(price, at('price')) }),
  };
}

const unitPriceOf = (
  { unitAmount, currency }: NonNullable<LimitFieldsInput['price']>,
  path: bounds.Path,
): UnitPrice => ({
  unitAmount: bounds.decimal(unitAmount, [...path, 'unitAmount']),
  currency: currency ?? DEFAULT_CURRENCY,
});

const thresholdsOf = (list: readonly ThresholdFields[], path: bounds.Path): readonly Threshold[] =>
  list.map((fields, i) => thresholdOf(fields, [...path, `${i}`]));

function thresholdOf(fields: ThresholdFields, path: bounds.Path): Threshold {
  for (const kind of THRESHOLD_KINDS) {
    const value = fields[kind];
    if (value) return { kind, value: bounds.decimal(value, [...path, kind]) };
  }
  throw invalidInput(path, 'A threshold has exactly one of `fraction`, `used` and `remaining`.');
}
