/** load-wallets — the money of customers, and what they have asked their biller for. */
import { unitsOf } from '../../domain/units.ts';
import type { AskedTopUp, StoredWallet } from '../state.ts';
import { type Look, msOf, rowsAs, unique } from './look.ts';

type WalletRow = {
  readonly customer_id: string;
  readonly currency: string;
  readonly balance: string | null;
  readonly floor: string | null;
  readonly spent: string;
  readonly spent_since: Date;
  readonly top_ups: number;
  readonly top_up_asked_at: Date | null;
  /** Of what was asked for then. */
  readonly top_up_sequence: string | null;
  readonly top_up_amount: string | null;
  readonly top_up_failed_at: Date | null;
  readonly sequence: string;
};

const walletFromRow = (row: WalletRow): StoredWallet => ({
  currency: row.currency,
  balance: row.balance === null ? null : unitsOf(row.balance),
  floor: row.floor === null ? null : unitsOf(row.floor),
  spent: unitsOf(row.spent),
  spentSinceMs: row.spent_since.getTime(),
  topUps: row.top_ups,
  topUp: askedTopUpOf(row),
  topUpFailedAtMs: msOf(row.top_up_failed_at),
  sequence: BigInt(row.sequence),
});

const askedTopUpOf = (row: WalletRow): AskedTopUp | null =>
  row.top_up_asked_at === null || row.top_up_sequence === null || row.top_up_amount === null
    ? null
    : {
        sequence: BigInt(row.top_up_sequence),
        amount: unitsOf(row.top_up_amount),
        askedAtMs: row.top_up_asked_at.getTime(),
      };

const WALLETS = `
  SELECT w.customer_id, w.currency, w.balance, w.floor, w.spent, w.spent_since, w.top_ups, w.top_up_asked_at, w.top_up_failed_at, w.sequence,
    a.sequence AS top_up_sequence, a.amount AS top_up_amount
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (SELECT * FROM wallets WHERE customer_id = k.customer_id::uuid OFFSET 0) w
  LEFT JOIN LATERAL (
    SELECT sequence, amount FROM (
      SELECT * FROM top_up_requests
      WHERE w.top_up_asked_at IS NOT NULL AND customer_id = w.customer_id AND currency = w.currency OFFSET 0
    ) r WHERE state = 'asked' ORDER BY sequence DESC LIMIT 1
  ) a ON true`;

export const lookAtWallets = (customerIds: readonly string[]): Look => ({
  statement: { text: WALLETS, params: [unique(customerIds)] },
  read(rows, customers) {
    for (const row of rowsAs<WalletRow>(rows))
      customers.get(row.customer_id)?.wallets.set(row.currency, walletFromRow(row));
  },
});
