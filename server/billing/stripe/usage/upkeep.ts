/**
 * upkeep — messages of long ago are dropped: nobody compares them any more, and Stripe takes nothing of their time.
 *
 * The outbox keeps its rows, which say what was told of a counter: late corrections are told as the difference to that, and
 * without it the whole period would be billed once more.
 */
import type { Query } from '../../../db/client.ts';
import { REPORTED_BACK_MAX_MS } from '../../../domain/usage-report.ts';
import { isoOf } from './outbox.ts';

/** Twice as long as Stripe takes usage back, so that whatever counts in a period that is still compared is there. */
const KEPT_MS = 2 * REPORTED_BACK_MAX_MS;
/** In one statement. */
const DROPPED_MAX = 10_000;

const DROP = `
  DELETE FROM usage_messages WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM usage_messages WHERE state = 'delivered' AND delivered_at < $1::timestamptz
      AND period_end < $1::timestamptz AND counted_at < $1::timestamptz ORDER BY delivered_at LIMIT $2::integer))
  RETURNING 1`;

/** @returns how many messages were dropped. */
export async function dropOldMessages(
  query: Query,
  nowMs: number,
  isStopped: () => boolean = () => false,
): Promise<number> {
  let dropped = 0;
  while (!isStopped()) {
    const rows = await query({ text: DROP, params: [isoOf(nowMs - KEPT_MS), DROPPED_MAX] });
    dropped += rows.length;
    if (rows.length < DROPPED_MAX) break;
  }
  return dropped;
}
