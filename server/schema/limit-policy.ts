/** limit-policy — what applies to a customer and feature after the merge. */

import { customerNotFound } from '../domain/errors.ts';
import type { MeterReading } from '../domain/meters.ts';
import { reader, referenceOf } from './access.ts';
import { builder } from './builder.ts';
import { CreditRuleType } from './credit-rule.ts';
import { FeatureType } from './feature.ts';
import { BillingEnum, EnforcementEnum } from './limit-fields.ts';
import { metersOf } from './loaders.ts';
import { IntervalType, partsOf, ResetEnum, resetWordOf } from './period.ts';
import { PriceType } from './price.ts';
import { RateLimitType } from './rate-limit.ts';
import { ThresholdType } from './threshold.ts';

export const LimitPolicyType = builder.objectRef<MeterReading>('LimitPolicy').implement({
  description:
    'What applies to a customer and feature after merging feature, plan and customer override, field by field, the last one set wins.',
  fields: (t) => ({
    feature: t.field({ type: FeatureType, description: 'What is metered.', resolve: ({ usage }) => usage.feature }),
    entitled: t.boolean({
      description:
        'Whether plan or own limits name the feature; if not, every call is denied with `FEATURE_NOT_IN_PLAN`.',
      resolve: ({ usage }) => usage.entitled,
    }),
    limit: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'The cap (hard) or the line that alerts and overage start from (soft). Null is unlimited.',
      resolve: ({ usage }) => usage.policy.limit,
    }),
    included: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'Units per period that cost nothing. Null: there is no end to them.',
      resolve: ({ usage }) => usage.policy.included,
    }),
    enforcement: t.field({
      type: EnforcementEnum,
      description: 'What happens beyond the limit.',
      resolve: ({ usage }) => usage.policy.enforcement,
    }),
    minLimit: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'The floor of use that can be given back. Null: use can not be given back.',
      resolve: ({ usage }) => usage.policy.minLimit,
    }),
    reset: t.field({
      type: ResetEnum,
      description: 'When the counter starts again from zero.',
      resolve: ({ usage }) => resetWordOf(usage.feature.reset),
    }),
    resetInterval: t.field({
      type: IntervalType,
      nullable: true,
      description: 'How long an `INTERVAL` is. Null for every other `reset`.',
      resolve: ({ usage }) => partsOf(usage.feature.reset),
    }),
    thresholds: t.field({
      type: [ThresholdType],
      description: 'Lines that raise an alert, each once a period.',
      resolve: ({ usage }) => [...usage.policy.thresholds],
    }),
    price: t.field({
      type: PriceType,
      nullable: true,
      description: 'What units cost beyond included and credits. Null: nothing, so there is no overage to bill.',
      resolve: ({ usage }) => usage.policy.price,
    }),
    billing: t.field({
      type: BillingEnum,
      description: 'Who pays for use beyond what is included.',
      resolve: ({ usage }) => usage.policy.billing,
    }),
    spendLimit: t.field({
      type: 'Decimal',
      nullable: true,
      description: "The most that units may cost in a period, in minor units of the price's currency. Null: no limit.",
      resolve: ({ usage }) => usage.policy.spendLimit,
    }),
    credits: t.field({
      type: CreditRuleType,
      nullable: true,
      description: 'Prepaid units that are given anew each period. Null: none.',
      resolve: ({ usage }) => usage.policy.credits,
    }),
    rateLimits: t.field({
      type: [RateLimitType],
      description: 'Calls of this feature alone that the customer may make; all must pass.',
      resolve: ({ usage }) => [...usage.policy.rateLimits],
    }),
    planRateLimits: t.field({
      type: [RateLimitType],
      description: 'Calls of all features together that the customer may make, by its plan; all must pass.',
      resolve: ({ planRateLimits }) => [...planRateLimits],
    }),
    entityLimit: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'What each entity (seat, workspace) may use of the limit. Null: no limit of its own.',
      resolve: ({ usage }) => usage.policy.entityLimit,
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What is granted and not counted: a number, text, or true or false.',
      resolve: ({ usage }) => usage.policy.value,
    }),
    planKey: t.string({
      nullable: true,
      description: 'The plan that was merged. Null for a customer without one.',
      resolve: ({ usage }) => usage.planKey,
    }),
  }),
});

builder.queryField('limits', (t) =>
  t.field({
    type: [LimitPolicyType],
    nullable: true,
    description:
      'What applies to a customer, one entry a feature. Unknown customer: null, and an error with `extensions.code` `CUSTOMER_NOT_FOUND`. Scope `read`, or a customer token.',
    args: { referenceId: t.arg.string({ description: 'Whose. With a customer token it may be left out.' }) },
    resolve: async (_root, args, context) => {
      const { referenceId, customerId } = referenceOf(reader(context), args.referenceId);
      const meters = await metersOf(context, customerId, null);
      if (!meters) throw customerNotFound(referenceId, ['referenceId']);
      return [...meters];
    },
  }),
);
