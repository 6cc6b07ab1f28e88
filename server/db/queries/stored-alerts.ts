/** stored-alerts — alerts after a position, and those of one event: for streams and replays. */
import type { Alert, AlertPosition } from '../../domain/alert.ts';
import { parseThresholdKey } from '../../domain/threshold.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';

const ALERT_COLUMNS = `
  a.tenant_id, a.customer_id, c.reference_id, a.feature_key, a.period_start, a.period_end, a.threshold_key, a.used, a."limit",
  a.raised_at, a.acknowledged_at, a.sequence`;

const OF_TENANT = `
  SELECT ${ALERT_COLUMNS} FROM alerts a JOIN customers c ON c.id = a.customer_id
  WHERE a.tenant_id = $1 AND a.sequence > $2::bigint ORDER BY a.sequence LIMIT $3`;

const OF_CUSTOMER = `
  SELECT ${ALERT_COLUMNS} FROM alerts a JOIN customers c ON c.id = a.customer_id
  WHERE a.customer_id = $1 AND a.tenant_id = $2 AND a.sequence > $3::bigint AND a.event_sequence > $4::bigint
  ORDER BY a.sequence LIMIT $5`;

/** At most `limit` alerts after a position, in order. */
export async function alertsAfter(query: Query, after: AlertPosition, limit: number): Promise<readonly Alert[]> {
  const { tenantId, customerId, sequence, eventSequence } = after;
  const statement =
    customerId === null
      ? { text: OF_TENANT, params: [tenantId, String(sequence), limit] }
      : { text: OF_CUSTOMER, params: [customerId, tenantId, String(sequence), String(eventSequence), limit] };
  return (await query<AlertRow>(statement)).map(alertFromRow);
}

const OF_EVENT = `
  SELECT ${ALERT_COLUMNS} FROM alerts a JOIN customers c ON c.id = a.customer_id
  WHERE a.customer_id = $1 AND a.event_sequence = $2::bigint ORDER BY a.sequence`;

/** The alerts that an earlier call raised. */
export async function alertsOfEvent(query: Query, customerId: string, sequence: string): Promise<readonly Alert[]> {
  return (await query<AlertRow>({ text: OF_EVENT, params: [customerId, sequence] })).map(alertFromRow);
}

type AlertRow = {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly reference_id: string;
  readonly feature_key: string;
  readonly period_start: Date;
  readonly period_end: Date | null;
  readonly threshold_key: string;
  readonly used: string;
  readonly limit: string | null;
  readonly raised_at: Date;
  readonly acknowledged_at: Date | null;
  readonly sequence: string;
};

const alertFromRow = (row: AlertRow): Alert => ({
  tenantId: row.tenant_id,
  customerId: row.customer_id,
  referenceId: row.reference_id,
  featureKey: row.feature_key,
  period: { startMs: row.period_start.getTime(), endMs: row.period_end?.getTime() ?? null },
  threshold: parseThresholdKey(row.threshold_key),
  used: unitsOf(row.used),
  limit: row.limit === null ? null : unitsOf(row.limit),
  raisedAtMs: row.raised_at.getTime(),
  acknowledgedAtMs: row.acknowledged_at?.getTime() ?? null,
  sequence: BigInt(row.sequence),
});
