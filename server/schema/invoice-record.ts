/** invoice-record — invoices of billing periods that are over. */
import { findInvoice, listInvoices } from '../actions/find-invoices.ts';
import { voidInvoice } from '../actions/void-invoice.ts';
import type { Context } from '../context.ts';
import { MeterError } from '../domain/errors.ts';
import type { InvoiceRecord, InvoiceStatus } from '../domain/invoice-record.ts';
import type { Viewer } from '../domain/viewer.ts';
import { admin, reader, visibleFeatures } from './access.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { resultUnion } from './errors.ts';
import { oneOrAll } from './existing.ts';
import { InvoiceLineType } from './invoice.ts';
import { invoiceLines } from './loaders.ts';
import { MoneyType } from './money.ts';
import { PeriodType } from './period.ts';

const InvoiceStatusEnum = wordEnum<InvoiceStatus>('InvoiceStatus', 'Whether an invoice stands.', {
  open: 'It stands.',
  void: 'Nobody is to pay it. It keeps its number and its lines, and what it billed is not billed again.',
});

const InvoiceRecordType = builder.objectRef<InvoiceRecord>('InvoiceRecord').implement({
  description:
    'What a customer owes for a billing period that is over, in one currency. It is never changed, but for being void: what changes later is on the next invoice.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: "Counts the tenant's invoices from 1, without a gap." }),
    referenceId: t.exposeString('referenceId', { description: "The app's own id of the customer." }),
    status: t.expose('status', { type: InvoiceStatusEnum, description: 'Whether it stands.' }),
    currency: t.exposeString('currency', { description: 'ISO 4217, in small letters: `usd`.' }),
    period: t.expose('period', {
      type: PeriodType,
      description: 'The billing period, or the part of it, that it is for.',
    }),
    lines: t.field({
      type: [InvoiceLineType],
      description:
        'Base prices first, then features by key and time. Those with `adjustment` are about periods that were billed before.',
      resolve: async (invoice, _args, context) => [...(await invoiceLines(context).load(invoice))],
    }),
    total: t.expose('total', { type: MoneyType, description: 'The sum of the lines.' }),
    paidFromWallet: t.expose('paidFromWallet', { type: MoneyType, description: 'What of it the wallet has paid.' }),
    due: t.expose('due', {
      type: MoneyType,
      description: 'What is left to pay. Below 0 where more was taken back than used.',
    }),
    issuedAt: t.expose('issuedAtMs', { type: 'DateTime', description: 'When it was made.' }),
    voidedAt: t.expose('voidedAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was made void. Null where it stands.',
    }),
  }),
});

const InvoiceRecordConnection = connectionType(InvoiceRecordType);

/** Whoever may see invoices: they are about all features. */
function invoiceReader(context: Context): Viewer {
  const viewer = reader(context);
  if (visibleFeatures(viewer) === null) return viewer;
  throw new MeterError(
    'FORBIDDEN',
    'This token is for some features and an invoice is about all; ask with a token for all of them.',
  );
}

const NUMBER_MAX = 2_147_483_647;

const orderOf = (tenantId: string, customerId: string | null) => ({
  list: `invoices ${customerId ?? 'all'}`,
  tenantId,
  positionOf: ({ number }: InvoiceRecord) => [String(number)],
  shape: [/^\d{1,10}$/],
  parse: ([number = '0']: readonly string[]) => Number(number),
});

builder.queryFields((t) => ({
  invoices: t.field({
    type: InvoiceRecordConnection,
    description:
      'Invoices that were made of billing periods, newest first. Unknown customer: an error with `extensions.code` `CUSTOMER_NOT_FOUND`. Scope `read`, or a customer token for all features: then its own.',
    args: {
      ...pageArgs,
      referenceId: t.arg.string({
        description: 'Of which customer; of all when left out. With a customer token its own.',
      }),
    },
    resolve: async (_root, { referenceId, ...page }, context) => {
      const viewer = invoiceReader(context);
      const customerId = (await oneOrAll(context, referenceId))?.customerId ?? null;
      return connectionOf(page, orderOf(viewer.tenantId, customerId), (request) =>
        listInvoices(context.services, viewer.tenantId, customerId, request),
      );
    },
  }),
  invoice: t.field({
    type: InvoiceRecordType,
    nullable: true,
    description:
      'The invoice with this number; null where there is none, or it is not yours to see. Scope `read`, or a customer token for all features.',
    args: { number: t.arg.int({ required: true, description: 'From 1.' }) },
    resolve: async (_root, { number }, context) => {
      const viewer = invoiceReader(context);
      bounds.whole(number, ['number'], 1, NUMBER_MAX);
      const invoice = await findInvoice(context.services, viewer.tenantId, number);
      return viewer.kind === 'customer' && invoice?.customerId !== viewer.customerId ? null : invoice;
    },
  }),
}));

const VoidInvoiceInput = builder.inputType('VoidInvoiceInput', {
  description: 'Which invoice nobody is to pay.',
  fields: (t) => ({ number: t.int({ required: true, description: 'Its number.' }) }),
});

const VoidInvoiceResult = resultUnion('VoidInvoiceResult', InvoiceRecordType, ['INVOICE_NOT_FOUND', 'INVALID_INPUT']);

builder.mutationField('voidInvoice', (t) =>
  t.field({
    type: VoidInvoiceResult.type,
    description:
      'Says that nobody is to pay an invoice. It keeps its number and its lines, and what it billed is not billed again. Twice is the same as once. Scope `admin`.',
    args: { input: t.arg({ type: VoidInvoiceInput, required: true, description: 'Which.' }) },
    resolve: (_root, { input }, context) =>
      VoidInvoiceResult.answer(context, () => {
        const { tenantId } = admin(context);
        const number = bounds.whole(input.number, ['input', 'number'], 1, NUMBER_MAX);
        return voidInvoice(context.services, tenantId, number);
      }),
  }),
);
