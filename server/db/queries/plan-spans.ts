/** plan-spans — the history of customers' plans: written with each change, read for a bill. */
import { sql } from 'drizzle-orm';
import type { PlanSpan } from '../../domain/plan-span.ts';
import type { BillingPeriod } from '../../domain/proration.ts';
import type { Db, Query } from '../client.ts';
import { planSpans } from '../tables/index.ts';
import { lookAtInvoices } from './invoice-positions.ts';

type OfCustomer = { readonly tenantId: string; readonly customerId: string };

/**
 * Adds to the history of a customer whom the transaction has locked, or has made.
 *
 * A clock that is behind the one that wrote the last span must not put the newest plan before it: then the newest takes
 * its place.
 */
export async function savePlanSpan(tx: Db, { tenantId, customerId }: OfCustomer, span: PlanSpan): Promise<void> {
  const { planKey, planVersion, sinceMs } = span;
  const last = sql`SELECT max(${planSpans.since}) FROM ${planSpans} WHERE ${planSpans.customerId} = ${customerId}`;
  const since = sql`greatest(${new Date(sinceMs).toISOString()}::timestamptz, (${last}))`;
  await tx
    .insert(planSpans)
    .values({ customerId, since, tenantId, planKey, planVersion })
    .onConflictDoUpdate({ target: [planSpans.customerId, planSpans.since], set: { planKey, planVersion } });
  await lookAtInvoices(tx, { tenantId, customerId }, sinceMs); // another plan may end a billing period
}

/** Those that begin within a period, and the one before them. */
const READ_SPANS = `
  SELECT since, plan_key, plan_version FROM plan_spans
  WHERE tenant_id = $1::uuid AND customer_id = $2::uuid AND since < $4::timestamptz AND since >= coalesce((
    SELECT max(since) FROM plan_spans WHERE tenant_id = $1::uuid AND customer_id = $2::uuid AND since <= $3::timestamptz
  ), '-infinity')
  ORDER BY since LIMIT $5::integer`;

/** In order of time, at most `max`. */
export async function planSpansIn(
  query: Query,
  { tenantId, customerId }: OfCustomer,
  { startMs, endMs }: BillingPeriod,
  max: number,
): Promise<readonly PlanSpan[]> {
  const params = [tenantId, customerId, new Date(startMs).toISOString(), new Date(endMs).toISOString(), max];
  const rows = await query<SpanRow>({ text: READ_SPANS, params });
  return rows.map((row) => ({
    planKey: row.plan_key,
    planVersion: row.plan_version,
    sinceMs: new Date(row.since).getTime(),
  }));
}

type SpanRow = {
  /** One driver reads instants, the other their text. */
  readonly since: Date | string;
  readonly plan_key: string | null;
  readonly plan_version: number | null;
};
