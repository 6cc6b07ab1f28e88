/**
 * reconcile — our ledger against Stripe's sums, for each customer, meter and period: a difference is 0, or has a name.
 *
 * From the counter to Stripe's sum every step is an equation, so the named parts always add up to the whole difference.
 */
import type { Query } from '../../../db/client.ts';
import type { Clock } from '../../../domain/clock.ts';
import { type Units, unitsOf } from '../../../domain/units.ts';
import { type Payer, SETTLING_MS } from '../../../domain/usage-report.ts';
import { meterEventName } from '../names.ts';
import { type Difference, type DifferenceName, type Differences, named } from './differences.ts';
import { countedDifferences, type Expected, ledgerDifferences, type Span, spanOf } from './equations.ts';
import type { MeterPeriod } from './identifier.ts';
import { type LedgerRow, ledgerPages, type ReconcileRange } from './ledger-rows.ts';
import type { Meters } from './meters.ts';
import { isoOf } from './outbox.ts';
import type { PayersOf } from './sender.ts';

export type Reconciled = MeterPeriod & {
  readonly tenantId: string;
  readonly referenceId: string;
  readonly periodEndMs: number | null;
  /** What the counter says is billed at the period's end, or was used without a price. */
  readonly overage: Units;
  /** What Stripe counts; null where it knows no customer or meter, or could not be asked. */
  readonly counted: Units | null;
  /** They add up to `overage - counted`. Those that are 0 are left out. */
  readonly differences: Differences;
};

export type ReconcileDeps = {
  readonly query: Query;
  readonly clock: Clock;
  readonly meters: Pick<Meters, 'idOf' | 'sumOf'>;
  readonly payersOf: PayersOf;
  /** Told why Stripe could not be asked of one; the others are compared all the same. */
  readonly onUnread?: (error: unknown) => void;
};

/** One row for each counter of the outbox, in the order of its key. */
export async function* reconcile(deps: ReconcileDeps, range: ReconcileRange): AsyncGenerator<Reconciled> {
  for await (const rows of ledgerPages(deps.query, range)) {
    const payers = await deps.payersOf([...new Set(rows.map(({ customerId }) => customerId))]);
    for (const row of rows) yield reconciledOf(row, await countedOf(deps, row, payers.get(row.customerId) ?? null));
  }
}

/** What Stripe counts, and what that differs by from what has arrived. */
type Counted = { readonly counted: Units | null; readonly differences: readonly Difference[] };

const reconciledOf = (row: LedgerRow, { counted, differences }: Counted): Reconciled => ({
  tenantId: row.tenantId,
  customerId: row.customerId,
  referenceId: row.referenceId,
  featureKey: row.featureKey,
  periodStartMs: row.periodStartMs,
  periodEndMs: row.periodEndMs,
  overage: row.counterOverage,
  counted,
  differences: named([...ledgerDifferences(row), ...differences]),
});

async function countedOf(deps: ReconcileDeps, row: LedgerRow, payer: Payer | null): Promise<Counted> {
  try {
    return payer === null ? notCounted('no_customer', row) : await askStripe(deps, row, payer);
  } catch (error) {
    deps.onUnread?.(error);
    return notCounted('unread', row);
  }
}

const notCounted = (name: DifferenceName, { delivered }: LedgerRow): Counted => ({
  counted: null,
  differences: [[name, delivered]],
});

async function askStripe(deps: ReconcileDeps, row: LedgerRow, payer: Payer): Promise<Counted> {
  const { meters, clock } = deps;
  const meterId = await meters.idOf(payer.stripeAccount, meterEventName(row.tenantId, row.featureKey));
  if (meterId === null) return notCounted('no_meter', row);
  const span = spanOf(row, clock.now());
  const counted = await meters.sumOf({ ...payer, meterId }, span);
  if (counted === null) return notCounted('deleted_customer', row);
  const expected = await expectedIn(deps, { ...row, ...payer }, span);
  return { counted, differences: countedDifferences(row.delivered, expected, counted) };
}

const EXPECTED = `
  SELECT coalesce(sum(quantity) FILTER (WHERE state = 'delivered'), 0)::text AS delivered,
    coalesce(sum(quantity) FILTER (WHERE state = 'delivered' AND delivered_at > $6::timestamptz), 0)::text AS lately,
    coalesce(sum(quantity) FILTER (WHERE state <> 'delivered' AND unknown_since IS NOT NULL), 0)::text AS unknown
  FROM usage_messages WHERE customer_id = $1::uuid AND feature_key = $2 AND stripe_customer_id = $3
    AND counted_at >= $4::timestamptz AND counted_at < $5::timestamptz`;

async function expectedIn({ query, clock }: ReconcileDeps, of: MeterPeriod & Payer, span: Span): Promise<Expected> {
  const { customerId, featureKey, stripeCustomerId } = of;
  const times = [span.startMs, span.endMs, clock.now() - SETTLING_MS].map(isoOf);
  type Row = { readonly delivered: string; readonly lately: string; readonly unknown: string };
  const [row] = await query<Row>({ text: EXPECTED, params: [customerId, featureKey, stripeCustomerId, ...times] });
  return {
    delivered: unitsOf(row?.delivered ?? '0'),
    lately: unitsOf(row?.lately ?? '0'),
    unknown: unitsOf(row?.unknown ?? '0'),
  };
}
