/** limit-fields — what a feature, a plan and a customer may each set, as it is read and as it is sent. */
import { editedLimits, type LimitEdit } from '../domain/edits.ts';
import { invalidInput } from '../domain/errors.ts';
import type { Billing, Enforcement, EntitlementValue, LimitFields } from '../domain/feature.ts';
import type { ParsedUnits } from '../domain/units.ts';
import * as bounds from './bounds.ts';
import { type builder, type SchemaTypes, wordEnum } from './builder.ts';
import { type CreditRuleFields, CreditRuleInput, CreditRuleType, creditRuleFrom } from './credit-rule.ts';
import { type PriceFields, PriceInput, PriceType, priceFrom } from './price.ts';
import { type RateLimitFields, RateLimitInput, RateLimitType, rateLimitsOf } from './rate-limit.ts';
import { type ThresholdFields, ThresholdInput, thresholdsFrom } from './threshold.ts';

export const EnforcementEnum = wordEnum<Enforcement>('Enforcement', 'What happens beyond the limit.', {
  hard: 'The call is denied.',
  soft: 'The call is allowed, alerts are raised, and overage is billed where the feature has a price.',
});

export const BillingEnum = wordEnum<Billing>('Billing', 'Who pays for use beyond what is included.', {
  postpaid: 'Credits, then the wallet; what they do not pay is billed when the period ends.',
  prepaid: 'Credits, then the wallet; what they do not pay is denied with `INSUFFICIENT_FUNDS`.',
});

/** The fields of `LimitFields` that mean the same on a feature and in a plan, where null is unset. */
export const limitOutputFields = <T>(
  t: PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, T>,
  fieldsOf: (parent: T) => LimitFields,
) => ({
  included: t.field({
    type: 'Decimal',
    nullable: true,
    description:
      'Units per period that cost nothing. Unset it is the limit, or 0 with a price or credits and no limit.',
    resolve: (parent) => fieldsOf(parent).included,
  }),
  enforcement: t.field({
    type: EnforcementEnum,
    nullable: true,
    description: 'What happens beyond the limit. Unset it is `HARD`, or `SOFT` where there is a price.',
    resolve: (parent) => fieldsOf(parent).enforcement,
  }),
  minLimit: t.field({
    type: 'Decimal',
    nullable: true,
    description: 'The floor of use that can be given back. Unset, use can not be given back.',
    resolve: (parent) => fieldsOf(parent).minLimit,
  }),
  price: t.field({
    type: PriceType,
    nullable: true,
    description: 'What units cost beyond included and credits. Unset they cost nothing, so there is nothing to bill.',
    resolve: (parent) => fieldsOf(parent).price,
  }),
  billing: t.field({
    type: BillingEnum,
    nullable: true,
    description: 'Who pays for use beyond what is included. Unset it is `POSTPAID`.',
    resolve: (parent) => fieldsOf(parent).billing,
  }),
  spendLimit: t.field({
    type: 'Decimal',
    nullable: true,
    description: "The most that units may cost in a period, in minor units of the price's currency. Null: no limit.",
    resolve: (parent) => fieldsOf(parent).spendLimit,
  }),
  credits: t.field({
    type: CreditRuleType,
    nullable: true,
    description: 'Prepaid units that are given anew each period. Null: none.',
    resolve: (parent) => fieldsOf(parent).credits,
  }),
  rateLimits: t.field({
    type: [RateLimitType],
    nullable: true,
    description: 'Calls of this feature alone that a customer may make; all must pass. Unset there are none.',
    resolve: (parent) => fieldsOf(parent).rateLimits?.slice(),
  }),
  entityLimit: t.field({
    type: 'Decimal',
    nullable: true,
    description:
      'What each entity (seat, workspace) may use of the limit, where amounts add up. Null: no limit of its own.',
    resolve: (parent) => fieldsOf(parent).entityLimit,
  }),
  value: t.field({
    type: 'JSON',
    nullable: true,
    description: 'What is granted and not counted: a number, text, or true or false.',
    resolve: (parent) => fieldsOf(parent).value,
  }),
});

/** What `CustomerLimitInput`, `SaveFeatureInput` and `PlanFeatureInput` have in common. */
export type LimitFieldsInput = {
  readonly limit?: ParsedUnits | null | undefined;
  readonly included?: ParsedUnits | null | undefined;
  readonly enforcement?: Enforcement | null | undefined;
  readonly minLimit?: ParsedUnits | null | undefined;
  readonly thresholds?: readonly ThresholdFields[] | null | undefined;
  readonly price?: PriceFields | null | undefined;
  readonly billing?: Billing | null | undefined;
  readonly spendLimit?: ParsedUnits | null | undefined;
  readonly credits?: CreditRuleFields | null | undefined;
  readonly rateLimits?: readonly RateLimitFields[] | null | undefined;
  readonly entityLimit?: ParsedUnits | null | undefined;
  readonly value?: unknown;
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
    description:
      'Units per period that cost nothing. Unset it is the limit, or 0 with a price or credits and no limit.',
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
  price: t.field({ type: PriceInput, description: 'What units cost beyond included and credits.' }),
  billing: t.field({
    type: BillingEnum,
    description: 'Unset it is `POSTPAID`. `PREPAID` needs a price that is known at once, so none by `VOLUME`.',
  }),
  spendLimit: t.field({
    type: 'Decimal',
    description:
      "The most that units may cost in a period, in minor units of the price's currency, whether wallet or invoice pays; needs a price. `null` is no limit.",
  }),
  credits: t.field({
    type: CreditRuleInput,
    description: 'Prepaid units that are given anew each period. `null` is none.',
  }),
  rateLimits: t.field({
    type: [RateLimitInput],
    description: 'Calls of this feature alone that a customer may make; all must pass. At most 10.',
  }),
  entityLimit: t.field({
    type: 'Decimal',
    description:
      'What each entity (seat, workspace) may use of the limit. Only where amounts add up (`COUNT`, `SUM`, `DURATION`). `null` is no limit of its own.',
  }),
  value: t.field({
    type: 'JSON',
    description: 'What is granted and not counted: a number, text of at most 200 characters, or true or false.',
  }),
});

/**
 * The fields that an input sets. One left out is not set; neither is a null one, except `limit`, `spendLimit`, `credits`
 * and `entityLimit`, where null says that there is none.
 *
 * @throws {MeterError} `INVALID_INPUT` for text that is no decimal, and for fields that contradict each other.
 */
export const limitFieldsOf = (input: LimitFieldsInput, path: bounds.Path): LimitFields =>
  editedLimits({}, limitEditOf(input, path));

/**
 * The fields that an input names, null ones too.
 *
 * @throws {MeterError} `INVALID_INPUT` for text that is no decimal, and for fields that contradict each other.
 */
export function limitEditOf(input: LimitFieldsInput, path: bounds.Path): LimitEdit {
  const { limit, included, enforcement, minLimit, thresholds, price, billing } = input;
  const { spendLimit, credits, rateLimits, entityLimit, value } = input;
  const at = (field: string): bounds.Path => [...path, field];
  return {
    ...(limit !== undefined && { limit: limit && bounds.decimal(limit, at('limit')) }),
    ...(included !== undefined && { included: included && bounds.decimal(included, at('included')) }),
    ...(enforcement !== undefined && { enforcement }),
    ...(minLimit !== undefined && { minLimit: minLimit && bounds.decimal(minLimit, at('minLimit')) }),
    ...(thresholds !== undefined && {
      thresholds: thresholds && thresholdsFrom(thresholds, at('thresholds')),
    }),
    ...(price !== undefined && { price: price && priceFrom(price, at('price')) }),
    ...(billing !== undefined && { billing }),
    ...(spendLimit !== undefined && { spendLimit: spendLimit && bounds.decimal(spendLimit, at('spendLimit')) }),
    ...(credits !== undefined && { credits: credits && creditRuleFrom(credits, at('credits')) }),
    ...(rateLimits !== undefined && { rateLimits: rateLimits && rateLimitsOf(rateLimits) }),
    ...(entityLimit !== undefined && { entityLimit: entityLimit && bounds.decimal(entityLimit, at('entityLimit')) }),
    ...(value !== undefined && { value: value === null ? null : valueFrom(value, at('value')) }),
  };
}

function valueFrom(value: unknown, path: bounds.Path): EntitlementValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  const found = Array.isArray(value) ? 'a list' : 'an object';
  throw invalidInput(path, `\`value\` is ${found}; send a number, text, or true or false.`);
}
