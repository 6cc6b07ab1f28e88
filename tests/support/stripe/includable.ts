/** includable — fields that Stripe sends only to who expands them, by the `object` they belong to. */
import type { Account, CheckoutSession, Invoice } from './account.ts';
import { lineItemsOf } from './basket.ts';

type Row = { readonly [field: string]: unknown };
type Including = (account: Account, row: Row) => unknown;

const own =
  (field: string): Including =>
  (_account, row) =>
    row[field];

const listOf = (data: readonly unknown[], url: string) => ({ object: 'list', data, has_more: false, url });

export const INCLUDABLE: { readonly [object: string]: { readonly [field: string]: Including } } = {
  'checkout.session': {
    line_items: (_account, row) => {
      const session = row as unknown as CheckoutSession; // by its `object`
      return listOf(lineItemsOf(session), `/v1/checkout/sessions/${session.id}/line_items`);
    },
  },
  customer: {
    subscriptions: (account, { id }) =>
      listOf(
        account.subscriptions.all(({ customer }) => customer === id),
        `/v1/customers/${id}/subscriptions`,
      ),
  },
  invoice: {
    confirmation_secret: (account, row) => {
      const invoice = row as unknown as Invoice; // by its `object`
      const payment = account.invoicePayments.all((each) => each.invoice === invoice.id)[0]?.payment;
      if (invoice.status !== 'open' || !payment) return null;
      const { client_secret } = account.paymentIntents.get(`${payment.payment_intent}`);
      return { client_secret, type: 'payment_intent' };
    },
    payments: (account, { id }) =>
      listOf(
        account.invoicePayments.all(({ invoice }) => invoice === id),
        `/v1/invoice_payments?invoice=${id}`,
      ),
  },
  price: { tiers: own('tiers'), currency_options: own('currency_options') },
};
