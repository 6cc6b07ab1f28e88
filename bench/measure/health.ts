/**
 * health — what somebody waits for who asks a server for its health while it is under load: as long as its event loop
 * keeps anybody waiting, subscribers too. Asked from outside, for a loop that stands still can't count for how long.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Arrivals } from '../load/arrivals.ts';
import { percentileOf } from '../statistics.ts';

export type HealthWaits = { readonly p50Ms: number; readonly p99Ms: number };

const ASKS_PER_SECOND = 100;
const ANSWER_WITHIN_MS = 15_000;

/**
 * Asks until the work is done, from its `afterMs` on. The wait of each begins when it was due: those who would have come
 * while one waits are answered with it.
 *
 * @throws what the work throws, and where the server is not well or does not answer.
 */
export async function askingHealth<T>(url: string, afterMs: number, work: Promise<T>): Promise<[T, HealthWaits]> {
  const done = new AbortController();
  const [result, waits] = await Promise.all([
    work.finally(() => done.abort()),
    waitsUntil(done.signal, performance.now() + afterMs, `${url}/healthz`),
  ]);
  return [result, { p50Ms: percentileOf(waits, 50), p99Ms: percentileOf(waits, 99) }];
}

async function waitsUntil(done: AbortSignal, fromMs: number, url: string): Promise<readonly number[]> {
  const waits: number[] = [];
  const due = new Arrivals(fromMs, ASKS_PER_SECOND);
  for (;;) {
    await sleep(Math.max(0, due.nextAtMs - performance.now()), undefined, { signal: done }).catch(() => {}); // it is done
    if (done.aborted) return waits;
    await ask(url);
    const answeredAtMs = performance.now();
    for (const atMs of due.take(answeredAtMs)) waits.push(answeredAtMs - atMs);
  }
}

/** Connections are kept, and no other request of this process goes there meanwhile. */
async function ask(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}
