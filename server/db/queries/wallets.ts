/** wallets — rows of wallets in, domain values out. */
import { type Units, unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';

/** A wallet as it is stored, and the top-up that it waits for. */
export type WalletRecord = {
  readonly customerId: string;
  readonly currency: string;
  /** Null until money was put in. */
  readonly balance: Units | null;
  /** The customer's own; null: the plan's. */
  readonly floor: Units | null;
  /** What was asked of the biller and neither paid nor failed; null where nothing was. */
  readonly pendingTopUp: { readonly amount: Units; readonly askedAtMs: number } | null;
  /** When a top-up failed last; null where none did, or one was paid since. */
  readonly topUpFailedAtMs: number | null;
};

const READ_WALLETS = `
  SELECT w.customer_id, w.currency, w.balance::text AS balance, w.floor::text AS floor, w.top_up_failed_at,
    w.top_up_asked_at, asked.amount::text AS asked_amount
  FROM wallets w LEFT JOIN LATERAL (
    SELECT r.amount FROM top_up_requests r
    WHERE w.top_up_asked_at IS NOT NULL AND r.customer_id = w.customer_id AND r.currency = w.currency
      AND r.tenant_id = w.tenant_id AND r.state = 'asked'
    ORDER BY r.sequence DESC LIMIT 1
  ) asked ON true
  WHERE w.tenant_id = $1::uuid AND w.customer_id = ANY($2::text[]::uuid[])
  ORDER BY w.customer_id, w.currency`;

/** By currency; a customer without any is missing. */
export async function walletsOf(
  query: Query,
  tenantId: string,
  customerIds: readonly string[],
): Promise<readonly WalletRecord[]> {
  const rows = await query<WalletRow>({ text: READ_WALLETS, params: [tenantId, `{${customerIds.join()}}`] }); // ids as text: in a transaction the drivers differ in how they write an array
  return rows.map((row) => ({
    customerId: row.customer_id,
    currency: row.currency,
    balance: row.balance === null ? null : unitsOf(row.balance),
    floor: row.floor === null ? null : unitsOf(row.floor),
    pendingTopUp:
      row.top_up_asked_at === null || row.asked_amount === null
        ? null
        : { amount: unitsOf(row.asked_amount), askedAtMs: new Date(row.top_up_asked_at).getTime() },
    topUpFailedAtMs: row.top_up_failed_at === null ? null : new Date(row.top_up_failed_at).getTime(),
  }));
}

type WalletRow = {
  readonly customer_id: string;
  readonly currency: string;
  readonly balance: string | null;
  readonly floor: string | null;
  /** One driver reads instants, the other their text. */
  readonly top_up_asked_at: Date | string | null;
  readonly top_up_failed_at: Date | string | null;
  readonly asked_amount: string | null;
};
