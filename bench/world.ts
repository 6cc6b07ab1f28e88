/** world — everything a run measures, started once: a real Postgres, and the servers that its rows need. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { reachableTempFolder, unprivilegedUser } from '../tests/support/postgres-binaries.ts';
import { startPostgresCluster } from '../tests/support/postgres-cluster.ts';
import { withAdmin } from '../tests/support/postgres-run.ts';
import type { Checkout } from './against/checkout.ts';
import { type Child, startProgram } from './children.ts';
import { Databases } from './databases.ts';
import type { ServerName } from './rows.ts';
import { type Place, STARTS, type Started } from './servers.ts';

export type Postgres = {
  readonly version: string;
  /** Of the process whose children do the work. */
  readonly pid: number;
  /** Settings that decide what a commit costs, as the server has them. */
  readonly settings: Readonly<Record<string, string>>;
};

export type World = {
  readonly folder: string;
  readonly postgres: Postgres;
  readonly servers: ReadonlyMap<ServerName, Started>;
  /** Servers that cannot be had on this machine, and why. */
  readonly missing: ReadonlyMap<ServerName, string>;
  readonly load: Child;
  /** Ends the servers, so that an embedded database may be opened by others. */
  endServers(): Promise<void>;
  /** Ends and removes everything. */
  close(): Promise<void>;
};

type NodeOptions = (folder: string) => readonly string[];

const SETTINGS = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers'] as const;

/** @param nodeOptions For the gateway of this checkout, by the folder of the run. */
export async function createWorld(
  names: ReadonlySet<ServerName>,
  checkouts: readonly Checkout[],
  nodeOptions: NodeOptions = () => [],
): Promise<World> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    return await build(names, checkouts, nodeOptions, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(
  names: ReadonlySet<ServerName>,
  checkouts: readonly Checkout[],
  nodeOptions: NodeOptions,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<World> {
  const folder = mkdtempSync(join(reachableTempFolder(unprivilegedUser()), 'metergraph-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove); // also when the run is interrupted
  closers.push(remove);
  const cluster = await startPostgresCluster();
  closers.push(() => cluster.stop());

  const running: Child[] = [];
  const endServers = async () => void (await Promise.all(running.splice(0).map((child) => child.end())));
  closers.push(endServers);
  const kept = async <T extends Child>(starting: T | Promise<T>): Promise<T> => {
    const child = await starting;
    running.push(child);
    return child;
  };
  const place: Place = {
    folder,
    databases: new Databases(cluster.url),
    checkouts,
    nodeOptions: nodeOptions(folder),
    kept,
  };
  const servers = new Map<ServerName, Started>();
  const missing = new Map<ServerName, string>();
  for (const name of names) {
    const started = await STARTS[name](place);
    if ('missing' in started) missing.set(name, started.missing);
    else servers.set(name, started);
  }
  return {
    folder,
    postgres: await describePostgres(cluster.url),
    servers,
    missing,
    load: await kept(startProgram('load', folder)),
    endServers,
    close,
  };
}

/** @throws for a server that no row of the run needs. */
export function startedOf({ servers }: Pick<World, 'servers'>, name: ServerName): Started {
  const started = servers.get(name);
  if (!started) throw new Error(`the server "${name}" was not started`);
  return started;
}

const describePostgres = (clusterUrl: string): Promise<Postgres> =>
  withAdmin(clusterUrl, async (sql) => {
    const [server] = await sql<{ version: string; pid: string }[]>`
      SELECT current_setting('server_version') AS version, split_part(pg_read_file('postmaster.pid'), E'\n', 1) AS pid`;
    const settings = await sql<{ name: string; setting: string }[]>`
      SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name IN ${sql([...SETTINGS])}`;
    if (!server) throw new Error('Postgres does not say which version it is');
    return {
      version: server.version,
      pid: Number(server.pid),
      settings: Object.fromEntries(settings.map(({ name, setting }) => [name, setting])),
    };
  });
