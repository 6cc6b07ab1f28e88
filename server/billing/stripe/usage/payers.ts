/** payers — who pays for customers, as Stripe knows them. */
import type { Query } from '../../../db/client.ts';
import type { PayersOf } from './sender.ts';

const PAYERS = `
  SELECT a.customer_id, a.stripe_customer_id, a.period_start, t.stripe_account
  FROM billing_accounts a JOIN tenants t ON t.id = a.tenant_id WHERE a.customer_id = ANY ($1::text[]::uuid[])`;

type PayerRow = {
  readonly customer_id: string;
  readonly stripe_customer_id: string;
  readonly period_start: Date | null;
  readonly stripe_account: string | null;
};

export const payersIn =
  (query: Query): PayersOf =>
  async (customerIds) => {
    const rows = await query<PayerRow>({ text: PAYERS, params: [customerIds] });
    return new Map(
      rows.map(({ customer_id, stripe_customer_id, stripe_account, period_start }) => [
        customer_id,
        {
          stripeCustomerId: stripe_customer_id,
          stripeAccount: stripe_account,
          billedFromMs: period_start?.getTime() ?? null,
        },
      ]),
    );
  };
