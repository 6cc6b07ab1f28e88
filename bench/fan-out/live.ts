/** live — everybody follows the whole tenant (`liveUsage`): each consume is a broadcast to all. */
import { setTimeout as sleep } from 'node:timers/promises';
import { API_KEY } from '../catalog.ts';
import { consume } from './load.ts';
import { cpuOf, forgetAll, latencies, leave, measureMemory, note, type Run, repeated, WANTED } from './run.ts';
import type { Watcher } from './said.ts';

const BROADCASTS = 5;
/** Less often than the pace of the feed, so that no two of them are told as one. */
const BETWEEN_BROADCASTS_MS = 600;
const ALL_TOLD_WITHIN_MS = 10_000;

const LIVE = 'subscription Live { liveUsage { at usages { referenceId feature { key } used limit } } }';

export async function measureLive(run: Run): Promise<void> {
  const { url, watchers: count } = run;
  const live = Array.from({ length: count }, (): Watcher => ({ bearer: API_KEY, query: LIVE, hasSnapshot: false }));
  await measureMemory(run, 'liveUsage', live);
  await sleep(1_000);
  await consume(url, [0]); // unmeasured
  await sleep(2_000);
  await forgetAll(run);
  const found = await repeated(() => broadcast(run));
  const of = (read: (of: (typeof found)[number]) => number) => found.map(read);
  note(
    run,
    'broadcasts: told',
    '%',
    of(({ told }) => (100 * told) / (BROADCASTS * count)),
  );
  note(
    run,
    'a push of a broadcast, its consume in it',
    'µs',
    of(({ micros, told }) => micros / told),
    WANTED.broadcastUs,
  );
  note(
    run,
    'a broadcast, commit → each of the clients',
    'p50 ms',
    of(({ waits }) => waits.p50Ms),
  );
  note(
    run,
    'a broadcast, commit → each of the clients',
    'p99 ms',
    of(({ waits }) => waits.p99Ms),
  );
  await leave(run, 'liveUsage');
}

/** A few, until all are told, or for ten seconds more. */
async function broadcast(run: Run) {
  const { gateway, url, watcherProcess, watchers } = run;
  let told = 0;
  const { micros } = await cpuOf(gateway, async () => {
    for (let i = 0; i < BROADCASTS; i += 1) {
      await consume(url, [i]);
      await sleep(BETWEEN_BROADCASTS_MS);
    }
    const untilMs = performance.now() + ALL_TOLD_WITHIN_MS;
    while (told < BROADCASTS * watchers && performance.now() < untilMs) {
      told += await watcherProcess.ask<number>({ ask: 'received' });
      await sleep(20);
    }
  });
  return { told, micros, waits: await latencies(run) };
}
