/** usage-forecast — what a period comes to if use goes on as it has. */
import { readUsageForecast, type UsageForecast } from '../actions/usage-forecast.ts';
import { customerNotFound } from '../domain/errors.ts';
import { SAMPLE_DAYS, SAMPLE_DAYS_MIN } from '../domain/forecast.ts';
import { reader, referenceOf } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { knownFeature } from './existing.ts';
import { customers, metersOf } from './loaders.ts';
import { MoneyType } from './money.ts';
import { PeriodType } from './period.ts';
import { UsageType } from './usage.ts';

const ForecastBasisEnum = wordEnum('ForecastBasis', 'What a forecast goes by.', {
  weekdays: `Each day to come counts as the mean of the same weekday in the last ${SAMPLE_DAYS} days, in the customer's time zone.`,
  run_rate: `It goes on evenly, as in the period so far: fewer than ${SAMPLE_DAYS_MIN} whole days are known.`,
  standing:
    'It stays what it is: a maximum does not grow with time, what is held over time is counted to the end already, and of a level too little is known.',
});

const UsageForecastType = builder.objectRef<UsageForecast>('UsageForecast').implement({
  description: 'What the running period comes to if use goes on as it has.',
  fields: (t) => ({
    usage: t.expose('usage', { type: UsageType, description: 'The meter as it stands: where the forecast begins.' }),
    period: t.field({
      type: PeriodType,
      description: 'The running period.',
      resolve: ({ usage }) => usage.period,
    }),
    used: t.field({ type: 'Decimal', description: 'Units used so far.', resolve: ({ usage }) => usage.used }),
    projected: t.expose('projected', {
      type: 'Decimal',
      nullable: true,
      description:
        'Units used by the end of the period if nothing stops them: it may be beyond the limit. Null where the period never ends.',
    }),
    projectedCost: t.expose('projectedCost', {
      type: MoneyType,
      nullable: true,
      description:
        'What the units beyond those included and prepaid will have cost by then, paid by the wallet or not; no more of them than a hard limit allows. Null where the feature has no price, or the period no end.',
    }),
    limitReachedAt: t.expose('limitReachedAtMs', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the limit will have been reached; now, if it has been. Null: not within the period, nor, where that never ends, within 366 days.',
    }),
    basis: t.expose('basis', { type: ForecastBasisEnum, description: 'What it goes by.' }),
    sampledDays: t.exposeInt('sampledDays', {
      description: `How many whole days since the first use are known, at most ${SAMPLE_DAYS}.`,
    }),
    confident: t.exposeBoolean('confident', {
      description: `Whether there is enough to go by: ${SAMPLE_DAYS_MIN} days or more of something that adds up day by day. Distinct values do not.`,
    }),
  }),
});

builder.queryField('usageForecast', (t) =>
  t.field({
    type: UsageForecastType,
    nullable: true,
    description:
      'What the running period comes to. What a day adds is rounded half-even, once, to the ninth decimal. Unknown customer or feature: null, and an error with `extensions.code` `CUSTOMER_NOT_FOUND` or `FEATURE_NOT_FOUND`. Scope `read`, or a customer token.',
    args: {
      referenceId: t.arg.string({ description: 'Whose. With a customer token it may be left out.' }),
      featureKey: t.arg.string({ required: true, description: 'Key of the feature.' }),
    },
    resolve: async (_root, { referenceId, featureKey }, context) => {
      const whose = referenceOf(reader(context), referenceId);
      await knownFeature(context, featureKey, ['featureKey']);
      const customer = await customers(context).load(whose.customerId);
      const [meter] = (customer && (await metersOf(context, whose.customerId, [featureKey]))) ?? [];
      if (!customer || !meter) throw customerNotFound(whose.referenceId, ['referenceId']);
      return readUsageForecast(context.services, customer, meter.usage);
    },
  }),
);
