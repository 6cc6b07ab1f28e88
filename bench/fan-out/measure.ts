/**
 * measure — what a subscriber costs, and how late an update reaches it.
 *
 * A Postgres of its own, the gateway in one process, all watchers in another, a socket each, on loopback; the load comes
 * from this one. What the figures mean: `docs/performance.md`.
 */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPostgres } from '../../server/db/postgres.ts';
import { startPostgresCluster } from '../../tests/support/postgres-cluster.ts';
import { onDatabase, withAdmin } from '../../tests/support/postgres-run.ts';
import { API_KEY, referenceOf } from '../catalog.ts';
import { seed } from '../seed.ts';
import { consume, consumeSteadily } from './load.ts';
import { buildPrograms, type Process, startProcess } from './processes.ts';
import type { Commit, GatewayQuestion, Latencies, Memory, Watcher, WatchersQuestion } from './said.ts';

export type FanOutOptions = {
  /** Sockets, each with one subscription. */
  readonly watchers: number;
  /** Whom they watch: so many of them watch each. */
  readonly customers: number;
  /** False: executed for each subscriber, for comparison. */
  readonly isShared: boolean;
};

export const FAN_OUT_DEFAULTS: FanOutOptions = { watchers: 10_000, customers: 1_000, isShared: true };

const PER_SECOND = 1_000;
const STEADY_MS = 6_000;
const WARM_UP_MS = 2_000;
const PUSHES_TO_ONE = 80;
/** Less often than the pace of a customer's meters, so that nothing waits for it; the same for broadcasts. */
const BETWEEN_PUSHES_MS = 130;
const BROADCASTS = 10;
const BETWEEN_BROADCASTS_MS = 600;
const ALL_TOLD_WITHIN_MS = 10_000;

const USAGE = `subscription Meter {
  usageChanged {
    __typename
    ... on UsageSnapshot { usages { ...Shown } cursor }
    ... on UsageDelta { usage { ...Shown } cursor }
    ... on CursorExpired { message }
  }
}
fragment Shown on Usage {
  referenceId
  feature { key displayName unit }
  planKey used reserved limit remaining
  period { start end }
}`;
const LIVE = 'subscription Live { liveUsage { at usages { referenceId feature { key } used limit } } }';

type Run = FanOutOptions & {
  readonly say: (line: string) => void;
  readonly url: string;
  readonly gateway: Process<GatewayQuestion>;
  readonly watcherProcess: Process<WatchersQuestion>;
  readonly rows: [what: string, figure: string][];
};

/** @returns a table of figures. */
export async function measureFanOut(options: FanOutOptions, say: (line: string) => void): Promise<string> {
  await buildPrograms();
  const cluster = await startPostgresCluster();
  const processes: Process<never>[] = [];
  try {
    await withAdmin(cluster.url, async (sql) => void (await sql`CREATE DATABASE fan_out`));
    const databaseUrl = onDatabase(cluster.url, 'fan_out');
    const database = openPostgres({ url: databaseUrl, poolSize: 1, statementTimeoutMs: 60_000 });
    await seed(database, options.customers + 1).finally(() => database.close());
    const shared = options.isShared ? '1' : '0';
    const gateway = startProcess<GatewayQuestion>('gateway', { DATABASE_URL: databaseUrl, FAN_OUT_SHARED: shared });
    const watchers = startProcess<WatchersQuestion>('watchers');
    processes.push(gateway, watchers);
    const { url } = await gateway.started<{ url: string }>();
    const run: Run = { ...options, say, url, gateway, watcherProcess: watchers, rows: [] };
    note(run, 'watchers, a socket each', `${options.watchers}, ${options.watchers / options.customers} of a customer`);
    note(run, 'shared', options.isShared ? 'yes' : 'no');
    note(run, 'load average before', loadavg()[0]?.toFixed(2) ?? '');
    await measureUsage(run);
    await measureLive(run);
    note(run, 'load average after', loadavg()[0]?.toFixed(2) ?? '');
    return run.rows.map(([what, figure]) => `| ${what.padEnd(58)} | ${figure} |`).join('\n');
  } finally {
    await Promise.all(processes.map((process) => process.end()));
    await cluster.stop();
  }
}

async function measureUsage(run: Run): Promise<void> {
  const { gateway, url, watcherProcess, watchers: count, customers } = run;
  const steadily = (forMs: number) => consumeSteadily(url, { perSecond: PER_SECOND, forMs, customers });
  await steadily(WARM_UP_MS);
  const alone = await cpuOf(gateway, () => steadily(STEADY_MS / 2));
  const aloneMicros = alone.micros / alone.result.consumes;
  note(run, 'CPU a consume, nobody listening', us(aloneMicros));

  const references = Array.from({ length: count }, (_, i) => referenceOf(i % customers));
  const [bearer = '', ...bearers] = await gateway.ask<string[]>({
    ask: 'tokens',
    references: [referenceOf(customers), ...references],
  });
  const watcherOf = (bearer: string): Watcher => ({ bearer, query: USAGE, hasSnapshot: true });
  await measureMemory(run, 'usageChanged', bearers.map(watcherOf));

  await watcherProcess.ask({ ask: 'open', url, watchers: [watcherOf(bearer)] });
  await forgetAll(run);
  for (let i = 0; i < PUSHES_TO_ONE; i++) {
    await consume(url, [customers]);
    await sleep(BETWEEN_PUSHES_MS);
    if (i === 19) await forgetAll(run);
  }
  note(run, 'push to one of them, commit → client', spell(await latencies(run)));

  await steadily(WARM_UP_MS);
  await forgetAll(run);
  const { micros, result } = await cpuOf(gateway, () => steadily(STEADY_MS));
  await sleep(300);
  const received = await watcherProcess.ask<number>({ ask: 'received' });
  note(
    run,
    'consumes a second',
    `${((result.consumes / result.tookMs) * 1_000).toFixed(0)} of ${PER_SECOND} asked for`,
  );
  note(run, 'pushes a second', ((received / result.tookMs) * 1_000).toFixed(0));
  note(run, 'CPU of the gateway', `${(micros / result.tookMs / 10).toFixed(0)} % of a core`);
  note(run, 'CPU a push, the consumes taken off', us((micros - aloneMicros * result.consumes) / received));
  note(run, 'commit → client', spell(await latencies(run)));
  await leave(run, 'usageChanged');
}

async function measureLive(run: Run): Promise<void> {
  const { gateway, url, watcherProcess, watchers: count } = run;
  const live = Array.from({ length: count }, (): Watcher => ({ bearer: API_KEY, query: LIVE, hasSnapshot: false }));
  await measureMemory(run, 'liveUsage', live);
  await sleep(1_000);
  await consume(url, [0]); // unmeasured
  await sleep(2_000);
  await forgetAll(run);
  let told = 0;
  const { micros } = await cpuOf(gateway, async () => {
    for (let i = 0; i < BROADCASTS; i++) {
      await consume(url, [i]);
      await sleep(BETWEEN_BROADCASTS_MS);
    }
    const untilMs = performance.now() + ALL_TOLD_WITHIN_MS;
    while (told < BROADCASTS * count && performance.now() < untilMs) {
      told += await watcherProcess.ask<number>({ ask: 'received' });
      await sleep(20);
    }
  });
  note(run, 'broadcasts told', `${told} of ${BROADCASTS * count}`);
  note(run, 'CPU a push of a broadcast, its consume in it', us(micros / told));
  note(run, 'commit → each of the clients of a broadcast', spell(await latencies(run)));
  await leave(run, 'liveUsage');
}

/** Connects them all, and notes what that takes. */
async function measureMemory(run: Run, what: string, all: readonly Watcher[]): Promise<void> {
  const { gateway, url, watcherProcess } = run;
  await watcherProcess.ask({ ask: 'open', url, watchers: all.slice(0, 200) }); // code and caches are there from here on
  await sleep(500);
  const before = await gateway.ask<Memory>({ ask: 'memory' });
  const rest = all.slice(200);
  const beganMs = performance.now();
  const { micros } = await cpuOf(gateway, () => watcherProcess.ask({ ask: 'open', url, watchers: rest }));
  note(
    run,
    `${what}: to connect`,
    `${((performance.now() - beganMs) / 1_000).toFixed(1)} s, ${us(micros / rest.length)} each`,
  );
  await sleep(1_500);
  const after = await gateway.ask<Memory>({ ask: 'memory' });
  const kib = (bytes: number) => `${(bytes / rest.length / 1_024).toFixed(1)} KiB`;
  const heap = after.heapBytes - before.heapBytes;
  const outside = after.outsideBytes - before.outsideBytes;
  const figures = `${kib(after.rssBytes - before.rssBytes)} (heap ${kib(heap)}, outside of it ${kib(outside)})`;
  note(run, `${what}: memory each, RSS after gc`, figures);
}

async function leave(run: Run, what: string): Promise<void> {
  await run.watcherProcess.ask({ ask: 'close' });
  await sleep(1_500);
  const text = await run.gateway.ask<string>({ ask: 'metrics' });
  const kept = [
    ...text.matchAll(/^metergraph_(open_subscriptions|open_sockets|subscription_audiences|watched_topics) .*$/gm),
  ];
  note(run, `${what}: when all have left`, kept.map(([line]) => line.replace('metergraph_', '')).join(', '));
}

async function latencies({ gateway, watcherProcess }: Run): Promise<Latencies> {
  const commits = await gateway.ask<Commit[]>({ ask: 'commits' });
  return watcherProcess.ask({ ask: 'latencies', commits });
}

/** What was told so far is not measured. */
async function forgetAll(run: Run): Promise<void> {
  await latencies(run);
  await run.watcherProcess.ask({ ask: 'received' });
}

async function cpuOf<T>(
  gateway: Process<GatewayQuestion>,
  work: () => Promise<T>,
): Promise<{ micros: number; result: T }> {
  const before = await gateway.ask<number>({ ask: 'cpu' });
  const result = await work();
  return { micros: (await gateway.ask<number>({ ask: 'cpu' })) - before, result };
}

function note({ rows, say }: Run, what: string, figure: string): void {
  say(`${what}: ${figure}`);
  rows.push([what, figure]);
}

const us = (micros: number): string => `${micros.toFixed(1)} µs`;
const spell = ({ count, p50Ms, p99Ms, maxMs }: Latencies): string =>
  `p50 ${p50Ms.toFixed(2)}, p99 ${p99Ms.toFixed(2)}, max ${maxMs.toFixed(1)} ms (${count})`;
