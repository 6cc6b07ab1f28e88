/** usage-period — what was counted in the periods of a meter: the running one, and those before it. */
import { listUsagePeriods, type UsagePeriod } from '../actions/find-usage-periods.ts';
import { customerNotFound } from '../domain/errors.ts';
import { DEFAULT_CURRENCY } from '../domain/money.ts';
import { reader, referenceOf } from './access.ts';
import { builder } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { onceKnownFeature } from './existing.ts';
import { customers } from './loaders.ts';
import { MoneyType } from './money.ts';
import { PeriodType } from './period.ts';

const UsagePeriodType = builder.objectRef<UsagePeriod>('UsagePeriod').implement({
  description: 'What a customer used of a feature in one period, and what paid for it.',
  fields: (t) => ({
    period: t.expose('period', { type: PeriodType, description: 'The time in which it was counted.' }),
    used: t.expose('used', { type: 'Decimal', description: 'Units used. Final once `closedAt` says so.' }),
    reserved: t.expose('held', {
      type: 'Decimal',
      description: 'Units that open reservations hold, and are not used yet. Paid for like use.',
    }),
    included: t.field({
      type: 'Decimal',
      description: 'The part of `used` and `reserved` that the plan includes.',
      resolve: ({ used, held, credits, wallet, overage }) => used + held - credits - wallet - overage,
    }),
    credits: t.expose('credits', { type: 'Decimal', description: 'The part that credits paid for.' }),
    wallet: t.expose('wallet', { type: 'Decimal', description: 'The part that the wallet paid for.' }),
    overage: t.expose('overage', { type: 'Decimal', description: 'The part that is billed, or not paid for.' }),
    cost: t.field({
      type: MoneyType,
      nullable: true,
      description:
        'What the units of wallet and overage cost, each priced when it was used. Null where that is nothing.',
      resolve: ({ cost, currency }) => (cost === 0n ? null : { amount: cost, currency: currency ?? DEFAULT_CURRENCY }),
    }),
    closedAt: t.expose('closedAtMs', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the period had ended and its final total was written. Null while it is running, for one that never ends, and for moments after its end.',
    }),
    correctedAt: t.expose('correctedAtMs', {
      type: 'DateTime',
      nullable: true,
      description:
        'When use reported late, or taken back, changed the final total last. Null: it is as it was when the period was closed.',
    }),
  }),
});

const UsagePeriodConnection = connectionType(UsagePeriodType);

builder.queryField('usagePeriods', (t) =>
  t.field({
    type: UsagePeriodConnection,
    description:
      'The periods of a meter in which something was counted, the newest first. Unknown customer or feature: an error with `extensions.code` `CUSTOMER_NOT_FOUND` or `FEATURE_NOT_FOUND`; a feature that was in use before is known. Scope `read`, or a customer token: then its own.',
    args: {
      ...pageArgs,
      referenceId: t.arg.string({ description: 'Whose. With a customer token it may be left out.' }),
      featureKey: t.arg.string({ required: true, description: 'Key of the feature.' }),
    },
    resolve: async (_root, { referenceId, featureKey, ...page }, context) => {
      const viewer = reader(context);
      const { tenantId } = viewer;
      const whose = referenceOf(viewer, referenceId);
      await onceKnownFeature(context, featureKey);
      const customer = await customers(context).load(whose.customerId);
      if (!customer) throw customerNotFound(whose.referenceId, ['referenceId']);
      const order = { ...BY_START, list: `periods ${customer.id} ${featureKey}`, tenantId };
      const of = { tenantId, customerId: customer.id, featureKey };
      return connectionOf(page, order, (request) => listUsagePeriods(context.services, of, request));
    },
  }),
);

const BY_START = {
  positionOf: ({ period }: UsagePeriod) => [`${period.startMs}`],
  shape: [/^\d{1,14}$/],
  parse: ([startMs = '0']: readonly string[]) => Number(startMs),
};
