/** customer-billing — how the subscription that pays for a customer stands at the biller. */
import type { Subscription, SubscriptionStatus } from '../domain/subscription.ts';
import { tenantReader } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { CustomerType } from './customer.ts';
import { subscriptions } from './loaders.ts';
import { PeriodType } from './period.ts';

const SubscriptionStatusEnum = wordEnum<SubscriptionStatus>(
  'SubscriptionStatus',
  'How a subscription stands, in the words of Stripe.',
  {
    incomplete: 'Not paid for the first time yet: the customer keeps what it has.',
    incomplete_expired: 'Never paid for the first time, and over.',
    trialing: 'On trial: the customer has the plan.',
    active: 'Paid: the customer has the plan.',
    past_due: 'An invoice is open: the customer has the plan until `graceEndsAt`.',
    unpaid: 'Stripe has given up on an invoice: the customer has the default plan.',
    paused: 'Held up, or its invoices are thrown away: the customer has the default plan.',
    canceled: 'Over: the customer has the default plan.',
  },
);

const CustomerBillingType = builder.objectRef<Subscription>('CustomerBilling').implement({
  description: 'The subscription that pays for a customer, as it stood when the biller was last asked.',
  fields: (t) => ({
    subscriptionId: t.exposeString('id', { description: "The biller's own id of it." }),
    status: t.expose('status', { type: SubscriptionStatusEnum, description: 'How it stands.' }),
    planKey: t.exposeString('planKey', {
      description: 'Key of the plan that is paid. The customer may have another by `setCustomerPlan`.',
    }),
    isFollowed: t.exposeBoolean('isFollowed', {
      description: 'False while there is no plan of this key: the customer keeps what it has until there is.',
    }),
    period: t.field({
      type: PeriodType,
      description: 'The billing period that is paid, as the biller has it.',
      resolve: ({ periodStartMs: startMs, periodEndMs: endMs }) => ({ startMs, endMs }),
    }),
    cancelsAt: t.expose('cancelsAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends, because it was called off. Null: it goes on.',
    }),
    endedAt: t.expose('endedAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended. Null: it has not.',
    }),
    pastDueSince: t.expose('pastDueSinceMs', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when an invoice is to be paid and is not. Null: none is.',
    }),
    graceEndsAt: t.expose('graceEndsAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when the customer has the plan all the same. Null: no invoice is open.',
    }),
  }),
});

builder.objectField(CustomerType, 'billing', (t) =>
  t.field({
    type: CustomerBillingType,
    nullable: true,
    description:
      'The subscription that pays for it. Null: it has none, or never had. Scope `read`; not for customer tokens.',
    resolve: ({ id }, _args, context) => {
      tenantReader(context);
      return subscriptions(context).load(id);
    },
  }),
);
