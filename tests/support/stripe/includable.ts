/** includable — fields that Stripe sends only to who expands them, by the `object` they belong to. */
import type { Account } from './account.ts';

type Row = { readonly [field: string]: unknown };
type Including = (account: Account, row: Row) => unknown;

const own =
  (field: string): Including =>
  (_account, row) =>
    row[field];

export const INCLUDABLE: { readonly [object: string]: { readonly [field: string]: Including } } = {
  price: { tiers: own('tiers'), currency_options: own('currency_options') },
};
