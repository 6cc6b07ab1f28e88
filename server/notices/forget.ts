/** forget — deletes deliveries and events that have been kept long enough, a part at a time. */
import type { Query } from '../db/client.ts';
import { NOTICE_KEPT_MS } from '../domain/notice.ts';

const BATCH_MAX = 1_000;

/** Whatever became of it: so long after its last try was possible, nobody tries it. */
const DELIVERIES = `
  WITH gone AS (
    DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM webhook_deliveries WHERE retry_until < $1::timestamptz
      ORDER BY retry_until LIMIT ${BATCH_MAX} FOR UPDATE SKIP LOCKED
    )) RETURNING 1
  )
  SELECT count(*)::integer AS count FROM gone`;

/** An event goes after its deliveries. */
const EVENTS = `
  WITH gone AS (
    DELETE FROM outgoing_events WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM outgoing_events n WHERE kept_until < $1::timestamptz
        AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.event_id = n.id)
      ORDER BY kept_until LIMIT ${BATCH_MAX} FOR UPDATE SKIP LOCKED
    )) RETURNING 1
  )
  SELECT count(*)::integer AS count FROM gone`;

export async function forgetNotices(query: Query, nowMs: number, isStopped: () => boolean): Promise<void> {
  await forgetAll(query, DELIVERIES, nowMs - NOTICE_KEPT_MS, isStopped);
  await forgetAll(query, EVENTS, nowMs, isStopped);
}

async function forgetAll(query: Query, text: string, beforeMs: number, isStopped: () => boolean): Promise<void> {
  for (let count = BATCH_MAX; count === BATCH_MAX && !isStopped(); ) {
    const [row] = await query<{ count: number }>({ text, params: [new Date(beforeMs).toISOString()] });
    count = row?.count ?? 0;
    await new Promise(setImmediate); // whoever waits for an embedded database goes first
  }
}
