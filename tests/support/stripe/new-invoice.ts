/** new-invoice — an invoice with its lines and totals, before it is worth anything. */
import type { Account, Customer, Invoice, InvoiceLine, Subscription } from './account.ts';
import type { Span } from './invoice-lines.ts';

export type InvoiceParams = {
  readonly customer: Customer;
  readonly subscription: Subscription | undefined;
  readonly reason: NonNullable<Invoice['billing_reason']>;
  readonly span: Span;
  readonly currency: string;
  readonly lines: readonly InvoiceLine[];
};

export function newInvoice(
  account: Account,
  { customer, subscription, reason, span, currency, lines }: InvoiceParams,
): Invoice {
  const now = account.now(customer.id);
  const invoice: Invoice = {
    id: account.newId('in'),
    object: 'invoice',
    account_country: 'US',
    account_name: null,
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: reason,
    collection_method: subscription?.collection_method ?? 'charge_automatically',
    created: now,
    currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: 'none',
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: 'list', data: [], has_more: false, url: '' },
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent: subscription ? parentOf(subscription) : null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: span.end,
    period_start: span.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: customer.test_clock ?? null,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  };
  return withLines(invoice, lines);
}

const parentOf = ({ id, metadata }: Subscription): NonNullable<Invoice['parent']> => ({
  quote_details: null,
  subscription_details: { metadata: { ...metadata }, subscription: id },
  type: 'subscription_details',
});

/** Sets the lines, and what they come to. A negative total is no debt of the customer's. */
export function withLines(invoice: Invoice, lines: readonly InvoiceLine[]): Invoice {
  const data = lines.map((line) => Object.assign(line, { invoice: invoice.id }));
  const subtotal = data.reduce((sum, { subtotal: amount }) => sum + amount, 0);
  const credits = data.flatMap(({ pretax_credit_amounts }) => pretax_credit_amounts ?? []);
  const total = subtotal - credits.reduce((sum, { amount }) => sum + amount, 0);
  const amount_due = Math.max(0, total);
  invoice.lines = { object: 'list', data, has_more: false, url: `/v1/invoices/${invoice.id}/lines` };
  return Object.assign(invoice, {
    subtotal,
    subtotal_excluding_tax: subtotal,
    total,
    total_excluding_tax: total,
    amount_due,
    amount_remaining: amount_due - invoice.amount_paid,
    total_pretax_credit_amounts: credits,
  });
}

export const subscriptionIdOf = ({ parent }: Invoice): string | undefined => parent?.subscription_details?.subscription;
