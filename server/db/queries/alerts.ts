/** alerts — rows of alerts in, domain values out: for lists, for streams that go on after a position, and for replays. */
import { and, desc, eq, inArray, lt, or, sql } from 'drizzle-orm';
import { type Alert, type AlertPosition, parseMark } from '../../domain/alert.ts';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Db, Query } from '../client.ts';
import { alerts, customers } from '../tables/index.ts';

/** An alert by its customer and its position in the tenant's alerts. */
export type AlertKey = { readonly customerId: string; readonly sequence: bigint };

export type AlertFilter = {
  /** Null for all the tenant's customers. */
  readonly customerId: string | null;
  /** Null for all. */
  readonly featureKeys: readonly string[] | null;
};

/** Newest first. A position is an alert's sequence. */
export async function alertsPage(
  db: Db,
  tenantId: string,
  { customerId, featureKeys }: AlertFilter,
  request: PageRequest<bigint>,
): Promise<Page<Alert>> {
  const rows = await selectAlerts(db)
    .where(
      and(
        eq(alerts.tenantId, tenantId),
        customerId === null ? undefined : eq(alerts.customerId, customerId),
        featureKeys === null ? undefined : inArray(alerts.featureKey, [...featureKeys]),
        request.after === null ? undefined : lt(alerts.sequence, request.after),
      ),
    )
    .orderBy(desc(alerts.sequence))
    .limit(rowsFor(request));
  return pageOf(rows.map(alertFromRow), request);
}

export async function alertsByKey(db: Db, tenantId: string, keys: readonly AlertKey[]): Promise<readonly Alert[]> {
  const rows = await selectAlerts(db).where(and(eq(alerts.tenantId, tenantId), or(...keys.map(isAlert))));
  return rows.map(alertFromRow);
}

/** Marks an alert as seen; the first time stands. Null when the tenant has no such alert. */
export async function acknowledge(db: Db, tenantId: string, key: AlertKey, at: Date): Promise<Alert | null> {
  const updated = await db
    .update(alerts)
    .set({ acknowledgedAt: sql`coalesce(${alerts.acknowledgedAt}, ${at.toISOString()}::timestamptz)` })
    .where(and(eq(alerts.tenantId, tenantId), isAlert(key)))
    .returning({ sequence: alerts.sequence });
  if (updated.length === 0) return null;
  const [alert] = await alertsByKey(db, tenantId, [key]);
  return alert ?? null;
}

const isAlert = ({ customerId, sequence }: AlertKey) =>
  and(eq(alerts.customerId, customerId), eq(alerts.sequence, sequence));

/** Named as the columns are, so that these rows and those of statements are read alike. */
const selectAlerts = (db: Db) =>
  db
    .select({
      tenant_id: alerts.tenantId,
      customer_id: alerts.customerId,
      reference_id: customers.referenceId,
      feature_key: alerts.featureKey,
      period_start: alerts.periodStart,
      period_end: alerts.periodEnd,
      threshold_key: alerts.thresholdKey,
      used: alerts.used,
      limit: alerts.limit,
      raised_at: alerts.raisedAt,
      muted_at: alerts.mutedAt,
      acknowledged_at: alerts.acknowledgedAt,
      sequence: alerts.sequence,
    })
    .from(alerts)
    .innerJoin(customers, eq(customers.id, alerts.customerId));

const READ_ALERTS = `
  SELECT a.tenant_id, a.customer_id, c.reference_id, a.feature_key, a.period_start, a.period_end, a.threshold_key, a.used,
    a."limit", a.raised_at, a.muted_at, a.acknowledged_at, a.sequence
  FROM alerts a JOIN customers c ON c.id = a.customer_id`;

const TOLD_OF_TENANT = `${READ_ALERTS}
  WHERE a.tenant_id = $1 AND a.sequence > $2::bigint AND a.muted_at IS NULL ORDER BY a.sequence LIMIT $3`;

const TOLD_OF_CUSTOMER = `${READ_ALERTS}
  WHERE a.customer_id = $1 AND a.tenant_id = $2 AND a.sequence > $3::bigint AND a.event_sequence > $4::bigint
    AND a.muted_at IS NULL ORDER BY a.sequence LIMIT $5`;

/** At most `limit` alerts after a position, in order; those that were muted are told to nobody, so they are left out. */
export async function alertsAfter(query: Query, after: AlertPosition, limit: number): Promise<readonly Alert[]> {
  const { tenantId, customerId, sequence, eventSequence } = after;
  const statement =
    customerId === null
      ? { text: TOLD_OF_TENANT, params: [tenantId, String(sequence), limit] }
      : { text: TOLD_OF_CUSTOMER, params: [customerId, tenantId, String(sequence), String(eventSequence), limit] };
  return (await query<AlertRow>(statement)).map(alertFromRow);
}

/** Events of a customer, by their sequences: from the first to the last. */
export type EventRange = { readonly customerId: string; readonly first: string; readonly last: string };

const OF_EVENTS = `
  SELECT range.position, a.* FROM
    unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS range (customer_id, first, last, position)
    CROSS JOIN LATERAL (${READ_ALERTS}
      WHERE a.customer_id = range.customer_id AND a.event_sequence BETWEEN range.first AND range.last) AS a
  ORDER BY range.position, a.sequence`;

/**
 * The alerts that earlier calls raised, muted ones too: their callers are answered what they were answered then.
 *
 * @returns those of each range, in the order of the ranges.
 */
export async function alertsOfEvents(query: Query, ranges: readonly EventRange[]): Promise<readonly Alert[][]> {
  const found = ranges.map((): Alert[] => []);
  if (ranges.length === 0) return found;
  const params = [ranges.map((r) => r.customerId), ranges.map((r) => r.first), ranges.map((r) => r.last)];
  for (const row of await query<AlertRow & { position: string }>({ text: OF_EVENTS, params })) {
    found[Number(row.position) - 1]?.push(alertFromRow(row));
  }
  return found;
}

/** Inside a transaction one driver reads instants as text. */
type Instant = Date | string;

const msOf = (at: Instant): number => new Date(at).getTime();
const msOrNull = (at: Instant | null): number | null => (at === null ? null : msOf(at));

type AlertRow = {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly reference_id: string;
  readonly feature_key: string;
  readonly period_start: Instant;
  readonly period_end: Instant | null;
  readonly threshold_key: string;
  readonly used: string;
  readonly limit: string | null;
  readonly raised_at: Instant;
  readonly muted_at: Instant | null;
  readonly acknowledged_at: Instant | null;
  /** Text, where a statement was written by hand. */
  readonly sequence: string | bigint;
};

const alertFromRow = (row: AlertRow): Alert => ({
  tenantId: row.tenant_id,
  customerId: row.customer_id,
  referenceId: row.reference_id,
  featureKey: row.feature_key,
  period: { startMs: msOf(row.period_start), endMs: msOrNull(row.period_end) },
  threshold: parseMark(row.threshold_key),
  mark: row.threshold_key,
  used: unitsOf(row.used),
  limit: row.limit === null ? null : unitsOf(row.limit),
  raisedAtMs: msOf(row.raised_at),
  mutedAtMs: msOrNull(row.muted_at),
  acknowledgedAtMs: msOrNull(row.acknowledged_at),
  sequence: BigInt(row.sequence),
});
