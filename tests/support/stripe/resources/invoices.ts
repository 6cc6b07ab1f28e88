/** invoices — read, previewed, and moved along by hand; most are made by subscriptions. */
import type Stripe from 'stripe';
import {
  type Account,
  customerOf,
  type Invoice,
  type InvoiceItem,
  type InvoiceLine,
  type Subscription,
} from '../account.ts';
import { announce, change } from '../announce.ts';
import { finalize, markUncollectible, pay, voidInvoice } from '../invoicing.ts';
import { newInvoice, subscriptionIdOf, withLines } from '../new-invoice.ts';
import { page, pageInOrder } from '../page.ts';
import { previewOf } from '../previewing.ts';
import { lineOf } from '../prorating.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { search } from '../search.ts';
import { mergeMetadata } from '../wire.ts';

export const invoiceRoutes = [
  route<Stripe.InvoiceCreateParams>('POST /v1/invoices', create),
  route('GET /v1/invoices/{}', ({ account, id }) => account.invoices.get(id)),
  route<Stripe.InvoiceUpdateParams>('POST /v1/invoices/{}', update),
  route<Stripe.InvoiceListParams>('GET /v1/invoices', ({ account, params, url }) =>
    page(account.invoices.all(listed(params)), params, url),
  ),
  route<Stripe.InvoiceSearchParams>('GET /v1/invoices/search', ({ account, params, url }) =>
    search(account.invoices.all(), params, url),
  ),
  route<Stripe.InvoiceListLineItemsParams>('GET /v1/invoices/{}/lines', ({ account, params, id, url }) =>
    pageInOrder(account.invoices.get(id).lines.data, params, url),
  ),
  route<Stripe.InvoiceCreatePreviewParams>('POST /v1/invoices/create_preview', ({ account, params }) =>
    previewOf(account, params),
  ),
  route<Stripe.InvoiceFinalizeInvoiceParams>('POST /v1/invoices/{}/finalize', ({ account, params, id }) => {
    const { auto_advance } = params;
    const invoice = account.invoices.get(id);
    if (auto_advance !== undefined) invoice.auto_advance = auto_advance;
    return finalize(account, invoice);
  }),
  route<Stripe.InvoicePayParams>('POST /v1/invoices/{}/pay', ({ account, params, id }) => {
    const invoice = account.invoices.get(id);
    if (invoice.status === 'draft') finalize(account, invoice);
    return pay(account, invoice, params.payment_method);
  }),
  route('POST /v1/invoices/{}/void', ({ account, id }) => voidInvoice(account, account.invoices.get(id))),
  route('POST /v1/invoices/{}/mark_uncollectible', ({ account, id }) =>
    markUncollectible(account, account.invoices.get(id)),
  ),
  route('DELETE /v1/invoices/{}', remove),
  route<Stripe.InvoiceItemCreateParams>('POST /v1/invoiceitems', createItem),
  route<Stripe.InvoiceItemListParams>('GET /v1/invoiceitems', ({ account, params, url }) => {
    const { customer, pending, invoice } = params;
    const fits = (item: InvoiceItem) =>
      (customer === undefined || item.customer === customer) &&
      (invoice === undefined || item.invoice === invoice) &&
      (pending === undefined || (item.invoice === null) === pending);
    return page(account.invoiceItems.all(fits), params, url);
  }),
];

const listed =
  ({ customer, status, subscription, collection_method }: Call<Stripe.InvoiceListParams>['params']) =>
  (invoice: Invoice): boolean =>
    (customer === undefined || invoice.customer === customer) &&
    (status === undefined || invoice.status === status) &&
    (subscription === undefined || subscriptionIdOf(invoice) === subscription) &&
    (collection_method === undefined || invoice.collection_method === collection_method);

/** Of the pending items of the customer; without them it is of nothing. */
function create({ account, params }: Call<Stripe.InvoiceCreateParams>): Invoice {
  const {
    auto_advance = false,
    collection_method,
    currency,
    description,
    metadata,
    pending_invoice_items_behavior,
    days_until_due,
  } = params;
  const customer = customerOf(account, `${params.customer}`, 'customer');
  const now = account.now(customer.id);
  const span = { start: now, end: now };
  const invoice = newInvoice(account, {
    customer,
    subscription: undefined,
    reason: 'manual',
    span,
    currency: currency ?? 'usd',
    lines: [],
  });
  const items = account.invoiceItems.all((item) => item.customer === customer.id && item.invoice === null);
  if (pending_invoice_items_behavior === 'include') takeAll(account, invoice, items);
  const due_date = days_until_due === undefined ? null : now + days_until_due * 86_400;
  Object.assign(invoice, {
    auto_advance,
    description: description ?? null,
    metadata: mergeMetadata(null, metadata),
    due_date,
  });
  if (collection_method) invoice.collection_method = collection_method;
  announce(account, 'invoice.created', account.invoices.add(invoice));
  return invoice;
}

function takeAll(account: Account, invoice: Invoice, items: readonly InvoiceItem[]): void {
  for (const item of items) item.invoice = invoice.id;
  withLines(invoice, [...invoice.lines.data, ...items.map((item): InvoiceLine => lineOf(account, undefined, item))]);
}

function update({ account, params, id }: Call<Stripe.InvoiceUpdateParams>): Invoice {
  const invoice = account.invoices.get(id);
  const { metadata, description, auto_advance, default_payment_method } = params;
  const isFixed = invoice.status !== 'draft' && (description !== undefined || default_payment_method !== undefined);
  if (isFixed) throw invalid('Finalized invoices can’t be updated in this way.', { code: 'invoice_not_editable' });
  if (default_payment_method !== undefined)
    account.paymentMethods.get(default_payment_method, 'default_payment_method');
  return change(account, 'invoice.updated', invoice, {
    metadata: mergeMetadata(invoice.metadata, metadata),
    description,
    auto_advance,
    default_payment_method,
  });
}

function remove({ account, id }: Call): unknown {
  const invoice = account.invoices.get(id);
  if (invoice.status !== 'draft' || subscriptionIdOf(invoice))
    throw invalid('You can only delete draft invoices that are of no subscription.');
  account.invoices.remove(id);
  announce(account, 'invoice.deleted', invoice);
  return { id, object: 'invoice', deleted: true };
}

/** An amount of its own; prices are for subscriptions here. */
function createItem({ account, params }: Call<Stripe.InvoiceItemCreateParams>): InvoiceItem {
  const customer = customerOf(account, `${params.customer}`, 'customer');
  const { amount, currency, description, metadata, subscription, invoice, period } = params;
  if (amount === undefined || currency === undefined)
    throw invalid('the fake takes invoice items of an amount and a currency');
  const of: Subscription | undefined =
    subscription === undefined ? undefined : account.subscriptions.get(subscription, 'subscription');
  const now = account.now(customer.id);
  const item: InvoiceItem = {
    id: account.newId('ii'),
    object: 'invoiceitem',
    amount,
    currency,
    customer: customer.id,
    customer_account: null,
    date: now,
    description: description ?? null,
    discountable: false,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: mergeMetadata(null, metadata),
    parent: of ? { subscription_details: { subscription: of.id }, type: 'subscription_details' } : null,
    period: period ?? { start: now, end: now },
    pricing: null,
    proration: false,
    quantity: 1,
    quantity_decimal: '1',
    tax_rates: [],
    test_clock: customer.test_clock ?? null,
  };
  account.invoiceItems.add(item);
  if (invoice !== undefined) takeAll(account, account.invoices.get(invoice, 'invoice'), [item]);
  announce(account, 'invoiceitem.created', item);
  return item;
}
