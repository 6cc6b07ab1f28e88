/** recorded — what the engine has written: of one meter, or all of it. */
import type { Database } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import { query, type Rig } from './rig.ts';

/** What is recorded of one meter. */
export async function recorded(rig: Rig, referenceId: string, featureKey = 'calls') {
  const [row] = await query(
    rig.database,
    `SELECT (SELECT used FROM counters WHERE customer_id = $1 AND feature_key = $2 ORDER BY period_start DESC LIMIT 1) AS used,
      (SELECT count(*)::integer FROM events WHERE customer_id = $1 AND feature_key = $2) AS events,
      (SELECT count(*)::integer FROM alerts WHERE customer_id = $1 AND feature_key = $2) AS alerts,
      (SELECT count(*)::integer FROM answers WHERE customer_id = $1) AS answers`,
    customerIdOf(rig.tenantId, referenceId),
    featureKey,
  );
  return {
    used: Number(unitsOf(String(row?.used ?? '0'))) / Number(ONE),
    events: row?.events,
    alerts: row?.alerts,
    answers: row?.answers,
  };
}

/** All that the engine writes, in one text a table: equal digests are equal tables. */
export async function digestOf(database: Database): Promise<Record<string, unknown>> {
  const parts = WRITTEN.map(
    (table) =>
      `SELECT '${table}' AS name, md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) AS digest FROM ${table} t`,
  );
  return Object.fromEntries(
    (await query(database, parts.join(' UNION ALL '))).map(({ name, digest }) => [name, digest]),
  );
}

const WRITTEN = [
  ...['customers', 'tenants', 'counters', 'events', 'answers', 'alerts', 'rollups', 'unique_values'],
  ...['grants', 'credit_balances', 'wallets', 'top_up_requests', 'reservations', 'postings'],
];
