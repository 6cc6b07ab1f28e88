/** expired-answers — idempotency keys that nobody may count on any more, and what they were answered. */
import { sql } from 'drizzle-orm';
import type { Database, Db, Query } from './client.ts';
import { queryIn } from './query-in.ts';

const DAY_MS = 24 * 3_600_000;
/** Their 35 days, and an hour: gateways' clocks differ, and a key is kept for at least so long by each of them. */
const KEPT_MS = 35 * DAY_MS + 3_600_000;

/** At once: few enough that an embedded database answers calls in between. */
const BATCH_MAX = 1_000;

/**
 * The oldest of them in order of age, which the index has; each is then found by its place in the table. Two processes
 * take different ones.
 */
const FORGET = `
  WITH gone AS (
    DELETE FROM answers WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM answers WHERE answered_at < $1::timestamptz ORDER BY answered_at LIMIT $2::integer FOR UPDATE SKIP LOCKED
    )) RETURNING 1
  )
  SELECT count(*)::integer AS count FROM gone`;

/**
 * Forgets what has expired, a part at a time.
 *
 * @param isStopped Asked in between.
 * @returns how many keys.
 */
export async function forgetAnswers({ db }: Database, nowMs: number, isStopped: () => boolean): Promise<number> {
  const before = new Date(nowMs - KEPT_MS).toISOString();
  let forgotten = 0;
  for (let count = BATCH_MAX; count === BATCH_MAX && !isStopped(); forgotten += count) {
    count = await db.transaction((tx) => forgetSome(tx, before, queryIn(tx)));
    await new Promise(setImmediate); // whoever waits for an embedded database goes first
  }
  return forgotten;
}

/** @param query Within the transaction. */
export async function forgetSome(tx: Db, before: string, query: Query): Promise<number> {
  // Whatever the planner believes of the table: what is kept must not be read to find what is not.
  await tx.execute(sql`SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`);
  const [row] = await query<{ count: number }>({ text: FORGET, params: [before, BATCH_MAX] });
  return row?.count ?? 0;
}
