/**
 * collector — closes windows: what a counter has to tell becomes a message, one for each customer, meter and window.
 *
 * Several gateways may collect at once. A row is moved on by one of them, and what was moved is a message: there is
 * nothing in between.
 */
import type { Query } from '../../../db/client.ts';
import type { Clock } from '../../../domain/clock.ts';
import { reportOf, windowCloses } from '../../../domain/usage-report.ts';
import { dueRows, moveIntoMessages } from './outbox.ts';

export type CollectorDeps = { readonly query: Query; readonly clock: Clock; readonly windowMs: number };

/** Rows in one statement: it locks them for as long as it takes, and their customers' calls wait for it. */
const ROWS_MAX = 200;

/** Makes messages until no window is left that has closed. @returns how many it made. */
export async function collect(
  { query, clock, windowMs }: CollectorDeps,
  isStopped: () => boolean = () => false,
): Promise<number> {
  let made = 0;
  while (!isStopped()) {
    const nowMs = clock.now();
    const rows = await dueRows(query, nowMs, ROWS_MAX);
    if (rows.length === 0) break;
    const told = rows.map((row) => ({
      row,
      report: reportOf(row, nowMs),
      nextDueAtMs: windowCloses(nowMs, row.periodEndMs, windowMs),
    }));
    const moved = await moveIntoMessages(query, told, nowMs);
    made += moved.made;
    if (moved.moved < rows.length) break; // somebody else is at the others: the next run finds what is left
  }
  return made;
}
