/** alerts — rows of alerts in, domain values out. */
import { and, desc, eq, inArray, lt, or, sql } from 'drizzle-orm';
import type { Alert } from '../../domain/alert.ts';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import { parseThresholdKey } from '../../domain/threshold.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Db } from '../client.ts';
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

const selectAlerts = (db: Db) =>
  db
    .select({ alert: alerts, referenceId: customers.referenceId })
    .from(alerts)
    .innerJoin(customers, eq(customers.id, alerts.customerId));

type AlertRow = { readonly alert: typeof alerts.$inferSelect; readonly referenceId: string };

const alertFromRow = ({ alert, referenceId }: AlertRow): Alert => ({
  tenantId: alert.tenantId,
  customerId: alert.customerId,
  referenceId,
  featureKey: alert.featureKey,
  period: { startMs: alert.periodStart.getTime(), endMs: alert.periodEnd?.getTime() ?? null },
  threshold: parseThresholdKey(alert.thresholdKey),
  used: unitsOf(alert.used),
  limit: alert.limit === null ? null : unitsOf(alert.limit),
  raisedAtMs: alert.raisedAt.getTime(),
  acknowledgedAtMs: alert.acknowledgedAt?.getTime() ?? null,
  sequence: alert.sequence,
});
