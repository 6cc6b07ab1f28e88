/** invoice-record — an invoice that was made: numbered, and never changed but for being void. */
import type { InvoiceLine, InvoicePart } from './invoice.ts';
import type { BillingPeriod } from './proration.ts';

export const INVOICE_STATUSES = ['open', 'void'] as const;
/** `open`: it stands. `void`: nobody is to pay it. */
export type InvoiceStatus = (typeof INVOICE_STATUSES)[number];

/** One a billing period and currency. */
export type InvoiceRecord = Omit<InvoicePart, 'lines'> & {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  /** Counts the tenant's invoices from 1, without a gap. */
  readonly number: number;
  readonly status: InvoiceStatus;
  readonly period: BillingPeriod;
  readonly issuedAtMs: number;
  readonly voidedAtMs: number | null;
};

export type InvoiceRecordLine = InvoiceLine & { readonly number: number; readonly line: number };

/** Lines that ask for nothing are no invoice; what they say is said by a later one, should it come to something. */
export const isWorthAnInvoice = ({ lines }: InvoicePart): boolean => lines.some(({ amount }) => amount.amount !== 0n);
