/** payers — who pays for customers, as Stripe knows them, and for which period. */
import type { Query } from '../../../db/client.ts';
import type { ApiKeyMode } from '../../../domain/api-key.ts';
import { isRunning, type SubscriptionStatus } from '../../../domain/subscription.ts';
import type { Payer } from '../../../domain/usage-report.ts';
import type { PayersOf } from './sender.ts';

const PAYERS = `
  SELECT a.customer_id, a.stripe_customer_id, a.status, a.anchor_at, a.period_start, a.period_end, a.ended_at, t.stripe_account
  FROM billing_accounts a JOIN tenants t ON t.id = a.tenant_id
  WHERE a.customer_id = ANY ($1::text[]::uuid[]) AND ($2::text IS NULL OR t.mode = $2::text)`;

type PayerRow = {
  readonly customer_id: string;
  readonly stripe_customer_id: string;
  readonly status: string | null;
  readonly anchor_at: Date | null;
  readonly period_start: Date | null;
  readonly period_end: Date | null;
  readonly ended_at: Date | null;
  readonly stripe_account: string | null;
};

/** @param mode Of the key: it bills tenants of the other mode nothing. Left out: any. */
export const payersIn =
  (query: Query, mode: ApiKeyMode | null = null): PayersOf =>
  async (customerIds) => {
    const rows = await query<PayerRow>({ text: PAYERS, params: [customerIds, mode] });
    return new Map(rows.map((row) => [row.customer_id, payerOf(row)]));
  };

function payerOf(row: PayerRow): Payer {
  const of = { stripeCustomerId: row.stripe_customer_id, stripeAccount: row.stripe_account };
  const { status, anchor_at: anchor, period_start: from, period_end: until, ended_at: ended } = row;
  if (from === null || status === null || !(isRunning({ status: status as SubscriptionStatus }) || hasEnded(row))) {
    return { ...of, billedFromMs: null, billedUntilMs: null, isFirstPeriod: false, endedAtMs: null };
  }
  return {
    ...of,
    billedFromMs: from.getTime(),
    billedUntilMs: until?.getTime() ?? null,
    isFirstPeriod: from.getTime() === anchor?.getTime(),
    endedAtMs: ended?.getTime() ?? null,
  };
}

/** Its last invoice may still be open. */
const hasEnded = ({ status, ended_at }: PayerRow): boolean => status === 'canceled' && ended_at !== null;
