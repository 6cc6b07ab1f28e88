/**
 * fan-out — `npm run bench:fan-out`: what a subscriber costs, and how late an update reaches it.
 *
 * A Postgres of its own, the gateway in one process, all watchers in another, a socket each, on loopback; the load comes
 * from this one. What the figures mean: `docs/performance.md`.
 */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openPostgres } from '../server/db/postgres.ts';
import { startPostgresCluster } from '../tests/support/postgres-cluster.ts';
import { onDatabase, withAdmin } from '../tests/support/postgres-run.ts';
import { API_KEY, referenceOf } from './catalog.ts';
import { consume, consumeSteadily } from './fan-out/load.ts';
import { buildPrograms, type Process, startProcess } from './fan-out/processes.ts';
import type { Commit, GatewayQuestion, Latencies, Memory, Watcher, WatchersQuestion } from './fan-out/said.ts';
import { seed } from './seed.ts';

const { values } = parseArgs({
  options: {
    /** Sockets, each with one subscription. */
    watchers: { type: 'string', default: '10000' },
    /** Whom they watch: so many of them watch each. */
    customers: { type: 'string', default: '1000' },
    /** Executed for each subscriber, for comparison. */
    unshared: { type: 'boolean', default: false },
  },
});
const WATCHERS = Number(values.watchers);
const CUSTOMERS = Number(values.customers);
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

/** On stderr, so that the table on stdout can be kept as it is. */
const say = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

type Run = {
  readonly url: string;
  readonly gateway: Process<GatewayQuestion>;
  readonly watchers: Process<WatchersQuestion>;
  readonly rows: [what: string, figure: string][];
};

async function main(): Promise<void> {
  await buildPrograms();
  const cluster = await startPostgresCluster();
  const processes: Process<never>[] = [];
  try {
    await withAdmin(cluster.url, async (sql) => void (await sql`CREATE DATABASE fan_out`));
    const databaseUrl = onDatabase(cluster.url, 'fan_out');
    const database = openPostgres({ url: databaseUrl, poolSize: 1, statementTimeoutMs: 60_000 });
    await seed(database, CUSTOMERS + 1).finally(() => database.close());
    const shared = values.unshared ? '0' : '1';
    const gateway = startProcess<GatewayQuestion>('gateway', { DATABASE_URL: databaseUrl, FAN_OUT_SHARED: shared });
    const watchers = startProcess<WatchersQuestion>('watchers');
    processes.push(gateway, watchers);
    const { url } = await gateway.started<{ url: string }>();
    const run: Run = { url, gateway, watchers, rows: [] };
    note(run, 'watchers, a socket each', `${WATCHERS}, ${WATCHERS / CUSTOMERS} of a customer`);
    note(run, 'shared', values.unshared ? 'no' : 'yes');
    note(run, 'load average before', loadavg()[0]?.toFixed(2) ?? '');
    await measureUsage(run);
    await measureLive(run);
    note(run, 'load average after', loadavg()[0]?.toFixed(2) ?? '');
    console.log(run.rows.map(([what, figure]) => `| ${what.padEnd(58)} | ${figure} |`).join('\n'));
  } finally {
    await Promise.all(processes.map((process) => process.end()));
    await cluster.stop();
  }
}

async function measureUsage(run: Run): Promise<void> {
  const { gateway, url, watchers } = run;
  const steadily = (forMs: number) => consumeSteadily(url, { perSecond: PER_SECOND, forMs, customers: CUSTOMERS });
  await steadily(WARM_UP_MS);
  const alone = await cpuOf(gateway, () => steadily(STEADY_MS / 2));
  const aloneMicros = alone.micros / alone.result.consumes;
  note(run, 'CPU a consume, nobody listening', us(aloneMicros));

  const references = Array.from({ length: WATCHERS }, (_, i) => referenceOf(i % CUSTOMERS));
  const [bearer = '', ...bearers] = await gateway.ask<string[]>({
    ask: 'tokens',
    references: [referenceOf(CUSTOMERS), ...references],
  });
  const watcherOf = (bearer: string): Watcher => ({ bearer, query: USAGE, hasSnapshot: true });
  await measureMemory(run, 'usageChanged', bearers.map(watcherOf));

  await watchers.ask({ ask: 'open', url, watchers: [watcherOf(bearer)] });
  await forgetAll(run);
  for (let i = 0; i < PUSHES_TO_ONE; i++) {
    await consume(url, [CUSTOMERS]);
    await sleep(BETWEEN_PUSHES_MS);
    if (i === 19) await forgetAll(run);
  }
  note(run, 'push to one of them, commit → client', spell(await latencies(run)));

  await steadily(WARM_UP_MS);
  await forgetAll(run);
  const { micros, result } = await cpuOf(gateway, () => steadily(STEADY_MS));
  await sleep(300);
  const received = await watchers.ask<number>({ ask: 'received' });
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
  const { gateway, url, watchers } = run;
  const live = Array.from({ length: WATCHERS }, (): Watcher => ({ bearer: API_KEY, query: LIVE, hasSnapshot: false }));
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
    while (told < BROADCASTS * WATCHERS && performance.now() < untilMs) {
      told += await watchers.ask<number>({ ask: 'received' });
      await sleep(20);
    }
  });
  note(run, 'broadcasts told', `${told} of ${BROADCASTS * WATCHERS}`);
  note(run, 'CPU a push of a broadcast, its consume in it', us(micros / told));
  note(run, 'commit → each of the clients of a broadcast', spell(await latencies(run)));
  await leave(run, 'liveUsage');
}

/** Connects them all, and notes what that takes. */
async function measureMemory(run: Run, what: string, all: readonly Watcher[]): Promise<void> {
  const { gateway, url, watchers } = run;
  await watchers.ask({ ask: 'open', url, watchers: all.slice(0, 200) }); // code and caches are there from here on
  await sleep(500);
  const before = await gateway.ask<Memory>({ ask: 'memory' });
  const rest = all.slice(200);
  const beganMs = performance.now();
  const { micros } = await cpuOf(gateway, () => watchers.ask({ ask: 'open', url, watchers: rest }));
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
  await run.watchers.ask({ ask: 'close' });
  await sleep(1_500);
  const text = await run.gateway.ask<string>({ ask: 'metrics' });
  const kept = [
    ...text.matchAll(/^metergraph_(open_subscriptions|open_sockets|subscription_audiences|watched_topics) .*$/gm),
  ];
  note(run, `${what}: when all have left`, kept.map(([line]) => line.replace('metergraph_', '')).join(', '));
}

async function latencies({ gateway, watchers }: Run): Promise<Latencies> {
  const commits = await gateway.ask<Commit[]>({ ask: 'commits' });
  return watchers.ask({ ask: 'latencies', commits });
}

/** What was told so far is not measured. */
async function forgetAll(run: Run): Promise<void> {
  await latencies(run);
  await run.watchers.ask({ ask: 'received' });
}

async function cpuOf<T>(
  gateway: Process<GatewayQuestion>,
  work: () => Promise<T>,
): Promise<{ micros: number; result: T }> {
  const before = await gateway.ask<number>({ ask: 'cpu' });
  const result = await work();
  return { micros: (await gateway.ask<number>({ ask: 'cpu' })) - before, result };
}

function note({ rows }: Run, what: string, figure: string): void {
  say(`${what}: ${figure}`);
  rows.push([what, figure]);
}

const us = (micros: number): string => `${micros.toFixed(1)} µs`;
const spell = ({ count, p50Ms, p99Ms, maxMs }: Latencies): string =>
  `p50 ${p50Ms.toFixed(2)}, p99 ${p99Ms.toFixed(2)}, max ${maxMs.toFixed(1)} ms (${count})`;

await main();
