/**
 * open-loop — requests come due at a fixed rate, as those of many customers do who know nothing of each other: what they
 * wait for. The wait begins when a request is due, so one that finds every connection busy counts its time in the queue,
 * and a server that stops for a second is late for all who came meanwhile, not for one a connection.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Arrivals } from './arrivals.ts';
import type { NextBody } from './bodies.ts';
import type { Connection } from './connection.ts';
import type { Tally } from './tally.ts';

/** How often we look, at least; a request is sent up to that much after it is due, which counts as part of its wait. */
const LOOK_MS = 1;

/** @returns once the tally has ended and every request that was due is answered. */
export async function callWhenDue(
  connections: readonly Connection[],
  nextBody: NextBody,
  tally: Tally,
  perSecond: number,
): Promise<void> {
  const arrivals = new Arrivals(performance.now(), perSecond);
  const idle = [...connections];
  const waiting: number[] = [];
  let firstWaiting = 0;
  const sendWhatIsDue = () => {
    if (!tally.hasEnded) waiting.push(...arrivals.take(performance.now()));
    for (let connection = idle.at(-1); connection && firstWaiting < waiting.length; connection = idle.at(-1)) {
      const dueAtMs = waiting[firstWaiting] ?? 0;
      firstWaiting += 1;
      idle.pop();
      connection.send(nextBody(), answered(connection, dueAtMs));
    }
  };
  const answered = (connection: Connection, dueAtMs: number) => (reply: string) => {
    tally.count(reply, dueAtMs);
    idle.push(connection);
    sendWhatIsDue();
  };
  while (!tally.hasEnded || firstWaiting < waiting.length || idle.length < connections.length) {
    sendWhatIsDue();
    await sleep(LOOK_MS);
  }
}
