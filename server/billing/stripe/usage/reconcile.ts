/**
 * reconcile — our ledger against Stripe's sums, for each customer, meter and period: a difference is 0, or has a name.
 *
 * From the counter to Stripe's sum every step is an equation, so the named parts always add up to the whole difference.
 */
import type { Query } from '../../../db/client.ts';
import type { Clock } from '../../../domain/clock.ts';
import { ONE, type Units, unitsOf } from '../../../domain/units.ts';
import { billableOf, minuteOf, type Payer, SETTLING_MS } from '../../../domain/usage-report.ts';
import { meterEventName } from '../names.ts';
import type { MeterPeriod } from './identifier.ts';
import type { Meters } from './meters.ts';
import { HELD_OVERAGE, isoOf } from './outbox.ts';
import type { PayersOf } from './sender.ts';

export const DIFFERENCES = {
  not_copied: 'moved by a gateway that bills nobody; told with its next move, or when its period is closed',
  unpriced: 'used while it had no price',
  held: 'held, and not used yet',
  fraction: 'part of a unit that is not whole yet, or was rounded at the end',
  open_window: 'its window has not closed yet',
  waiting: 'in messages that wait',
  in_flight: 'in messages of which nobody knows yet whether they have arrived',
  dead: 'in dead letters',
  elsewhere: 'counted on the next invoice, since its own was closed, or (below 0) the other way round',
  settling: 'accepted by Stripe just now, which has not counted it yet',
  no_customer: 'Stripe knows no customer yet',
  deleted_customer: 'told to a customer that Stripe has deleted: nobody is billed for it',
  no_meter: 'Stripe has no active meter',
  missing_at_stripe: 'accepted by Stripe, which does not count it: look for an error report',
  unknown_at_stripe: 'counted by Stripe, and not told by us',
  unaccounted: 'the messages do not add up to what was told',
} as const;

export type DifferenceName = keyof typeof DIFFERENCES;

/** Those that do not go by themselves. */
export const TROUBLING: ReadonlySet<DifferenceName> = new Set([
  'dead',
  'deleted_customer',
  'no_meter',
  'missing_at_stripe',
  'unknown_at_stripe',
  'unaccounted',
]);

export type Reconciled = MeterPeriod & {
  readonly tenantId: string;
  readonly referenceId: string;
  readonly periodEndMs: number | null;
  /** What the counter says is billed at the period's end, or was used without a price. */
  readonly overage: Units;
  /** What Stripe counts; null where it knows no customer or meter. */
  readonly counted: Units | null;
  /** They add up to `overage - counted`. Those that are 0 are left out. */
  readonly differences: ReadonlyMap<DifferenceName, Units>;
};

export const isSound = ({ differences }: Reconciled): boolean =>
  ![...differences.keys()].some((name) => TROUBLING.has(name));

export type ReconcileDeps = {
  readonly query: Query;
  readonly clock: Clock;
  readonly meters: Pick<Meters, 'idOf' | 'sumOf'>;
  readonly payersOf: PayersOf;
};

export type ReconcileRange = {
  /** Null for all tenants. */
  readonly tenantId: string | null;
  /** Periods that ended before are left out. */
  readonly endedAfterMs: number;
};

const ROWS_AT_ONCE = 200;

/** One row for each counter of the outbox, in the order of its key. */
export async function* reconcile(deps: ReconcileDeps, range: ReconcileRange): AsyncGenerator<Reconciled> {
  let after: LedgerRow | null = null;
  for (;;) {
    const rows: readonly LedgerRow[] = await ledgerRows(deps.query, range, after);
    const payers = await deps.payersOf([...new Set(rows.map(({ customer_id }) => customer_id))]);
    for (const row of rows) yield await reconciledOf(deps, row, payers.get(row.customer_id) ?? null);
    after = rows.at(-1) ?? null;
    if (rows.length < ROWS_AT_ONCE) return;
  }
}

async function reconciledOf(deps: ReconcileDeps, row: LedgerRow, payer: Payer | null): Promise<Reconciled> {
  const of = {
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    referenceId: row.reference_id,
    featureKey: row.feature_key,
    periodStartMs: row.period_start.getTime(),
    periodEndMs: row.period_end?.getTime() ?? null,
  };
  const overage = unitsOf(row.counter_overage);
  const ledger = ledgerDifferences(row);
  const meterId = payer && (await deps.meters.idOf(payer.stripeAccount, meterEventName(of.tenantId, of.featureKey)));
  if (payer === null || meterId === null) {
    const name = payer === null ? 'no_customer' : 'no_meter';
    return { ...of, overage, counted: null, differences: named([...ledger, [name, unitsOf(row.delivered)]]) };
  }
  const span = spanOf(of, deps.clock.now());
  const counted = await deps.meters.sumOf({ ...payer, meterId }, span);
  if (counted === null) {
    const differences = named([...ledger, ['deleted_customer', unitsOf(row.delivered)]]);
    return { ...of, overage, counted, differences };
  }
  const expected = await expectedIn(deps, { ...of, ...payer }, span);
  const differences = named([
    ...ledger,
    ['elsewhere', unitsOf(row.delivered) - expected.delivered],
    [nameOf(expected.delivered - counted, expected), expected.delivered - counted],
  ]);
  return { ...of, overage, counted, differences };
}

/** From the counter to what has arrived of it. */
function ledgerDifferences(row: LedgerRow): readonly (readonly [DifferenceName, Units])[] {
  const overage = unitsOf(row.overage);
  const unpriced = unitsOf(row.unpriced);
  const reported = unitsOf(row.reported);
  const delivered = unitsOf(row.delivered);
  const waiting = unitsOf(row.waiting);
  const sent = unitsOf(row.sent);
  const dead = unitsOf(row.dead);
  const billable = billableOf({ overage, unpriced, held: unitsOf(row.held) });
  const rest = billable - reported;
  return [
    ['not_copied', unitsOf(row.counter_overage) - overage],
    ['unpriced', unpriced],
    ['held', overage - unpriced - billable],
    [rest < ONE && rest > -ONE ? 'fraction' : 'open_window', rest],
    ['waiting', waiting],
    ['in_flight', sent],
    ['dead', dead],
    ['unaccounted', reported - delivered - waiting - sent - dead],
  ];
}

/** Stripe sums up whole minutes; so a period begins with the minute in which it begins. */
function spanOf({ periodStartMs, periodEndMs }: { periodStartMs: number; periodEndMs: number | null }, nowMs: number) {
  const { startMs } = minuteOf(periodStartMs);
  const untilMs = minuteOf(nowMs).endMs;
  const endMs = periodEndMs === null ? untilMs : Math.min(minuteOf(periodEndMs).startMs, untilMs);
  return { startMs, endMs: Math.max(endMs, minuteOf(startMs).endMs) };
}

type Expected = { readonly delivered: Units; readonly lately: Units; readonly unknown: Units };

function nameOf(missing: Units, { lately, unknown }: Expected): DifferenceName {
  if (missing === 0n) return 'settling';
  if (isPartOf(missing, lately)) return 'settling';
  if (isPartOf(-missing, unknown)) return 'in_flight';
  return missing > 0n ? 'missing_at_stripe' : 'unknown_at_stripe';
}

const isPartOf = (part: Units, whole: Units): boolean =>
  whole !== 0n && part > 0n === whole > 0n && (part > 0n ? part <= whole : part >= whole);

const EXPECTED = `
  SELECT coalesce(sum(quantity) FILTER (WHERE state = 'delivered'), 0)::text AS delivered,
    coalesce(sum(quantity) FILTER (WHERE state = 'delivered' AND delivered_at > $6::timestamptz), 0)::text AS lately,
    coalesce(sum(quantity) FILTER (WHERE state <> 'delivered' AND unknown_since IS NOT NULL), 0)::text AS unknown
  FROM usage_messages WHERE customer_id = $1::uuid AND feature_key = $2 AND stripe_customer_id = $3
    AND counted_at >= $4::timestamptz AND counted_at < $5::timestamptz`;

async function expectedIn(
  { query, clock }: ReconcileDeps,
  of: MeterPeriod & Payer,
  span: { readonly startMs: number; readonly endMs: number },
): Promise<Expected> {
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

function named(parts: readonly (readonly [DifferenceName, Units])[]): ReadonlyMap<DifferenceName, Units> {
  const sums = new Map<DifferenceName, Units>();
  for (const [name, units] of parts) sums.set(name, (sums.get(name) ?? 0n) + units);
  return new Map([...sums].filter(([, units]) => units !== 0n));
}

const sumOfState = (state: string): string =>
  `coalesce((SELECT sum(m.quantity) FROM usage_messages m WHERE m.customer_id = o.customer_id AND m.feature_key = o.feature_key
      AND m.period_start = o.period_start AND m.state = '${state}'), 0)::text AS ${state}`;

const LEDGER = `
  SELECT o.customer_id, o.feature_key, o.period_start, o.period_end, o.tenant_id, customers.reference_id, o.overage::text AS overage,
    o.unpriced::text AS unpriced, o.reported::text AS reported, ${HELD_OVERAGE}::text AS held,
    coalesce(c.overage, o.overage)::text AS counter_overage,
    ${['delivered', 'waiting', 'sent', 'dead'].map(sumOfState).join(',\n    ')}
  FROM usage_outbox o JOIN customers ON customers.id = o.customer_id
  LEFT JOIN counters c ON c.customer_id = o.customer_id AND c.feature_key = o.feature_key AND c.entity_id = '' AND c.period_start = o.period_start
  WHERE ($1::uuid IS NULL OR o.tenant_id = $1::uuid) AND (o.period_end IS NULL OR o.period_end > $2::timestamptz)
    AND ($3::uuid IS NULL OR (o.customer_id, o.feature_key, o.period_start) > ($3::uuid, $4, $5::timestamptz))
  ORDER BY o.customer_id, o.feature_key, o.period_start LIMIT $6::integer`;

type LedgerRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly period_start: Date;
  readonly period_end: Date | null;
  readonly tenant_id: string;
  readonly reference_id: string;
  readonly counter_overage: string;
  readonly overage: string;
  readonly unpriced: string;
  readonly held: string;
  readonly reported: string;
  readonly delivered: string;
  readonly waiting: string;
  readonly sent: string;
  readonly dead: string;
};

/** One statement, so that nothing moves between what it reads. */
const ledgerRows = (query: Query, range: ReconcileRange, after: LedgerRow | null): Promise<readonly LedgerRow[]> =>
  query<LedgerRow>({
    text: LEDGER,
    params: [
      range.tenantId,
      isoOf(range.endedAfterMs),
      after?.customer_id ?? null,
      after?.feature_key ?? '',
      after === null ? null : isoOf(after.period_start.getTime()),
      ROWS_AT_ONCE,
    ],
  });
