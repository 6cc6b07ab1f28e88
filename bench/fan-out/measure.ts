/**
 * measure — what a subscriber costs, and how late an update reaches it.
 *
 * A Postgres of its own, the gateway in one process, all watchers in another, a socket each, on loopback; the load comes
 * from this one. What the figures mean: `docs/performance.md`.
 */
import { loadavg } from 'node:os';
import { openPostgres } from '../../server/db/postgres.ts';
import { startPostgresCluster } from '../../tests/support/postgres-cluster.ts';
import { onDatabase, withAdmin } from '../../tests/support/postgres-run.ts';
import { seed } from '../seed.ts';
import type { FanOut, FanOutOptions } from './figures.ts';
import { measureLive } from './live.ts';
import { buildPrograms, type Process, startProcess } from './processes.ts';
import type { Run } from './run.ts';
import type { GatewayQuestion, WatchersQuestion } from './said.ts';
import { measureUsage } from './usage.ts';

/** @throws where a process fails; everything that was started has ended by then. */
export async function measureFanOut(options: FanOutOptions, say: (line: string) => void): Promise<FanOut> {
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
    const run: Run = { ...options, say, url, gateway, watcherProcess: watchers, figures: [] };
    const before = loadAverage();
    await measureUsage(run);
    await measureLive(run);
    return { ...options, loadAverage: { before, after: loadAverage() }, figures: run.figures };
  } finally {
    await Promise.all(processes.map((process) => process.end()));
    await cluster.stop();
  }
}

/** Of the last minute. */
const loadAverage = (): number => loadavg()[0] ?? Number.NaN;
