/**
 * managed-mail — the address of the setting ALERT_EMAIL_TO, as an endpoint of every tenant: it has a log, and is retried,
 * like any other. Without the setting it is disabled.
 */
import type { Database } from '../db/client.ts';
import { queryIn } from '../db/query-in.ts';
import { derivedId } from '../domain/derived-id.ts';
import type { NoticeType } from '../domain/notice.ts';

/** What an operator wants to be woken for. */
const MAILED: readonly NoticeType[] = ['usage.threshold_reached', 'balance.low', 'billing.dead_letter'];

const TENANTS = 'SELECT id FROM tenants';

const FOLLOW = `
  WITH cursors AS (
    INSERT INTO alert_cursors (tenant_id, sequence) SELECT id, alert_sequence FROM tenants ON CONFLICT DO NOTHING
  )
  INSERT INTO webhook_endpoints (id, tenant_id, kind, url, event_types, secrets, managed, created_at)
  SELECT v.id::uuid, v.tenant_id::uuid, 'email', $3, string_to_array($4, ' '), '[]', true, $5::timestamptz
  FROM unnest($1::text[], $2::text[]) AS v (id, tenant_id)
  ON CONFLICT (id) DO UPDATE SET url = excluded.url, event_types = excluded.event_types,
    disabled_at = NULL, disabled_reason = NULL, failing_since = NULL`;

const UNSET = 'ALERT_EMAIL_TO is not set.';

/** What was on its way has failed. */
const DISABLE = `
  WITH off AS (
    UPDATE webhook_endpoints SET disabled_at = $1::timestamptz, disabled_reason = '${UNSET}'
    WHERE managed AND disabled_at IS NULL RETURNING id
  )
  UPDATE webhook_deliveries SET state = 'failed', next_attempt_at = NULL, last_error = coalesce(last_error, '${UNSET}')
  WHERE endpoint_id IN (SELECT id FROM off) AND state = 'pending'`;

/** @param to Null where it is not set. */
export async function followAlertMail({ db }: Pick<Database, 'db'>, to: string | null, nowMs: number): Promise<void> {
  const now = new Date(nowMs).toISOString();
  await db.transaction(async (tx) => {
    const query = queryIn(tx);
    if (to === null) return void (await query({ text: DISABLE, params: [now] }));
    const tenants = (await query<{ id: string }>({ text: TENANTS, params: [] })).map(({ id }) => id);
    const ids = tenants.map((tenantId) => derivedId(tenantId, 'ALERT_EMAIL_TO'));
    await query({ text: FOLLOW, params: [ids, tenants, `mailto:${to}`, MAILED.join(' '), now] });
  });
}
