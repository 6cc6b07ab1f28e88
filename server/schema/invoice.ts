/** invoice — what a customer's billing period costs. */
import { type InvoicePreview, invoicePreview } from '../actions/invoice-preview.ts';
import { customerNotFound, MeterError } from '../domain/errors.ts';
import type { InvoiceLine, InvoiceLineKind, InvoicePart } from '../domain/invoice.ts';
import { reader, referenceOf, visibleFeatures } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { catalogOf, customers, metersOf } from './loaders.ts';
import { MoneyType } from './money.ts';
import { PeriodType } from './period.ts';

const InvoiceLineKindEnum = wordEnum<InvoiceLineKind>('InvoiceLineKind', 'What a line is for.', {
  base: "A plan's price, or the share of it for the part of the billing period in which the customer had the plan, by the second.",
  overage: 'Use that is billed at the end of its period.',
  wallet: 'Use that the wallet has paid for already.',
  minimum: 'What is missing to the least that a period with any use costs.',
});

export const InvoiceLineType = builder.objectRef<InvoiceLine>('InvoiceLine').implement({
  description: 'A line of an invoice.',
  fields: (t) => ({
    kind: t.expose('kind', { type: InvoiceLineKindEnum, description: 'What it is for.' }),
    description: t.exposeString('description', { description: 'The same, for people.' }),
    featureKey: t.exposeString('featureKey', {
      nullable: true,
      description: 'Key of the feature. Null for a base price.',
    }),
    quantity: t.expose('quantity', { type: 'Decimal', description: 'How many units.' }),
    unitAmount: t.expose('unitAmount', {
      type: 'Decimal',
      nullable: true,
      description:
        'What each costs, in minor units. Null where the amount is not simply quantity × unit price: tiers, fees, a part of a period.',
    }),
    amount: t.expose('amount', {
      type: MoneyType,
      description: 'Whole minor units: rounded here, once, half to even.',
    }),
    period: t.expose('period', { type: PeriodType, description: 'What it is for.' }),
    adjustment: t.boolean({
      description:
        'Whether it is about a period that was billed before: what came late, or was taken back. Quantity and amount are the difference.',
      resolve: ({ isAdjustment }) => isAdjustment ?? false,
    }),
  }),
});

const InvoicePartType = builder.objectRef<InvoicePart>('InvoicePart').implement({
  description: 'All that is in one currency.',
  fields: (t) => ({
    currency: t.exposeString('currency', { description: 'ISO 4217, in small letters: `usd`.' }),
    lines: t.field({
      type: [InvoiceLineType],
      description: 'Base prices first, then features by key and time.',
      resolve: ({ lines }) => [...lines],
    }),
    total: t.expose('total', { type: MoneyType, description: 'The sum of the lines.' }),
    paidFromWallet: t.expose('paidFromWallet', { type: MoneyType, description: 'What of it the wallet has paid.' }),
    due: t.expose('due', { type: MoneyType, description: 'What is left to pay.' }),
  }),
});

const InvoiceType = builder.objectRef<InvoicePreview>('Invoice').implement({
  description:
    "What a billing period costs: the plan's base price, shared out by the second where the plan changed, and each feature's periods that ended within it or are running.",
  fields: (t) => ({
    period: t.expose('period', { type: PeriodType, description: 'The billing period, counted from `anchorAt`.' }),
    forecast: t.exposeBoolean('isForecast', { description: 'Whether running periods are as they will end.' }),
    parts: t.field({
      type: [InvoicePartType],
      description: 'One a currency: amounts in different ones are never added. Empty when nothing costs anything.',
      resolve: ({ parts }) => [...parts],
    }),
    at: t.expose('atMs', { type: 'DateTime', description: 'As of when.' }),
  }),
});

builder.queryField('invoicePreview', (t) =>
  t.field({
    type: InvoiceType,
    nullable: true,
    description:
      'What the running billing period costs so far, or will. What open reservations hold counts. Where invoices are made of past periods, what they have billed is left out, and what has changed since is in. Unknown customer: null, and an error with `extensions.code` `CUSTOMER_NOT_FOUND`. Scope `read`, or a customer token for all features.',
    args: {
      referenceId: t.arg.string({ description: 'Whose. With a customer token it may be left out.' }),
      forecast: t.arg.boolean({
        defaultValue: false,
        description:
          "Whether each feature's running period counts as it will end (see `usageForecast`), as if the wallet paid for nothing more. Periods that have not begun are left out.",
      }),
    },
    resolve: async (_root, { referenceId, forecast }, context) => {
      const viewer = reader(context);
      if (visibleFeatures(viewer) !== null) {
        throw new MeterError(
          'FORBIDDEN',
          'This token is for some features and an invoice is about all; ask with a token for all of them.',
        );
      }
      const whose = referenceOf(viewer, referenceId);
      const customer = await customers(context).load(whose.customerId);
      const meters = await metersOf(context, whose.customerId, null);
      if (!customer || !meters) throw customerNotFound(whose.referenceId, ['referenceId']);
      return invoicePreview(context.services, {
        customer,
        catalog: await catalogOf(context),
        usages: meters.map(({ usage }) => usage),
        isForecast: forecast ?? false,
      });
    },
  }),
);
