/** run — one fan-out run: its processes, what it has found out, and how memory, processor time and waits are looked at. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../target.ts';
import { type FanOutOptions, type Figure, figureOf, spellFigure } from './figures.ts';
import type { Process } from './processes.ts';
import type { Commit, GatewayQuestion, Latencies, Memory, Watcher, WatchersQuestion } from './said.ts';

export const FAN_OUT_DEFAULTS: FanOutOptions = { watchers: 10_000, customers: 1_000, isShared: true };

/** What we want to reach, with as many watchers as that. */
export const WANTED = {
  memoryKiB: { atMost: 20 },
  pushToOneP50Ms: { below: 0.5 },
  /** Of 1,000 asked for: otherwise the wait is one at another load. */
  consumesPerSecond: { atLeast: 950 },
  commitToClientP99Ms: { below: 25 },
  broadcastUs: { atMost: 30 },
} as const satisfies Record<string, Target>;

/** Of what takes seconds, so that it is told how far they lie apart. */
const REPEATS = 5;

export type Run = FanOutOptions & {
  readonly say: (line: string) => void;
  readonly url: string;
  readonly gateway: Process<GatewayQuestion>;
  readonly watcherProcess: Process<WatchersQuestion>;
  readonly figures: Figure[];
};

/** @param values One, or one of each repeat. */
export function note(
  { figures, say, watchers }: Run,
  what: string,
  unit: string,
  values: readonly number[],
  target: Target | null = null,
): void {
  const noted = figureOf(what, unit, values, watchers < FAN_OUT_DEFAULTS.watchers ? null : target);
  say(spellFigure(noted));
  figures.push(noted);
}

/** Work, again and again. */
export async function repeated<T>(work: () => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  for (let i = 0; i < REPEATS; i += 1) results.push(await work());
  return results;
}

/** Connects them all, and notes what that takes. */
export async function measureMemory(run: Run, what: string, all: readonly Watcher[]): Promise<void> {
  const { gateway, url, watcherProcess } = run;
  await watcherProcess.ask({ ask: 'open', url, watchers: all.slice(0, 200) }); // code and caches are there from here on
  await sleep(500);
  const before = await gateway.ask<Memory>({ ask: 'memory' });
  const rest = all.slice(200);
  const beganMs = performance.now();
  const { micros } = await cpuOf(gateway, () => watcherProcess.ask({ ask: 'open', url, watchers: rest }));
  note(run, `${what}: to connect all`, 's', [(performance.now() - beganMs) / 1_000]);
  note(run, `${what}: to connect one`, 'µs', [micros / rest.length]);
  await sleep(1_500);
  const after = await gateway.ask<Memory>({ ask: 'memory' });
  const kib = (of: keyof Memory) => [(after[of] - before[of]) / rest.length / 1_024];
  note(run, `${what}: memory each, after a collection`, 'KiB', kib('rssBytes'), WANTED.memoryKiB);
  note(run, `${what}: of it heap`, 'KiB', kib('heapBytes'));
  note(run, `${what}: outside of the heap`, 'KiB', kib('outsideBytes'));
}

const GAUGE = /^metergraph_(?:open_subscriptions|open_sockets|subscription_audiences|watched_topics)\b.* (\d+)$/gm;

/** Disconnects them all, and notes how many sockets, subscriptions, audiences and topics the gateway still holds. */
export async function leave(run: Run, what: string): Promise<void> {
  await run.watcherProcess.ask({ ask: 'close' });
  await sleep(1_500);
  const text = await run.gateway.ask<string>({ ask: 'metrics' });
  const left = [...text.matchAll(GAUGE)].reduce((sum, [, count]) => sum + Number(count), 0);
  note(run, `${what}: still held when all have left`, 'in all', [left]);
}

/** Since the last time; what came of nothing was waited for in vain. */
export async function latencies({ gateway, watcherProcess }: Run): Promise<Latencies> {
  const commits = await gateway.ask<Commit[]>({ ask: 'commits' });
  const found = await watcherProcess.ask<Latencies>({ ask: 'latencies', commits });
  const never = Number.POSITIVE_INFINITY;
  return found.count > 0 ? found : { count: 0, p50Ms: never, p99Ms: never, maxMs: never };
}

/** What was told so far is not measured. */
export async function forgetAll(run: Run): Promise<void> {
  await latencies(run);
  await run.watcherProcess.ask({ ask: 'received' });
}

export async function cpuOf<T>(
  gateway: Process<GatewayQuestion>,
  work: () => Promise<T>,
): Promise<{ micros: number; result: T }> {
  const before = await gateway.ask<number>({ ask: 'cpu' });
  const result = await work();
  return { micros: (await gateway.ask<number>({ ask: 'cpu' })) - before, result };
}
