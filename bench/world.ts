/** world — everything a run measures, started once: a real Postgres, three databases with customers, eight servers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../server/db/client.ts';
import { openPglite } from '../server/db/pglite.ts';
import { openPostgres } from '../server/db/postgres.ts';
import { reachableTempFolder, unprivilegedUser } from '../tests/support/postgres-binaries.ts';
import { startPostgresCluster } from '../tests/support/postgres-cluster.ts';
import { onDatabase, withAdmin } from '../tests/support/postgres-run.ts';
import { API_KEY } from './catalog.ts';
import { type Child, type Server, startGateway, startProgram, startServer } from './children.ts';
import { CUSTOMERS, type ServerName } from './rows.ts';
import { seed } from './seed.ts';

export type Postgres = {
  readonly version: string;
  /** Of the process whose children do the work. */
  readonly pid: number;
  /** Settings that decide what a commit costs, as the server has them. */
  readonly settings: Readonly<Record<string, string>>;
};

/** A database that a server writes to, for checking its books. */
export type Ledger = {
  readonly server: ServerName;
  open(): Promise<Database>;
  /** Whether its server must have ended first: an embedded database belongs to one process. */
  readonly isEmbedded: boolean;
};

export type World = {
  readonly folder: string;
  readonly postgres: Postgres;
  readonly servers: Readonly<Record<ServerName, Server>>;
  readonly load: Child;
  readonly ledgers: readonly Ledger[];
  /** Ends the servers, so that an embedded database may be opened by others. */
  endServers(): Promise<void>;
  /** Ends and removes everything. */
  close(): Promise<void>;
};

const SETTINGS = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers'] as const;

export async function createWorld(): Promise<World> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    return await build(closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(closers: (() => unknown)[], close: () => Promise<void>): Promise<World> {
  const folder = mkdtempSync(join(reachableTempFolder(unprivilegedUser()), 'metergraph-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove); // also when the run is interrupted
  closers.push(remove);
  const cluster = await startPostgresCluster();
  closers.push(() => cluster.stop());

  const batched = await seededDatabase(cluster.url, 'batched');
  const oneByOne = await copiedDatabase(cluster.url, 'batched', 'one_by_one');
  const dataDir = join(folder, 'pglite');
  await seedPglite(dataDir);

  const running: Child[] = [];
  const endServers = async () => void (await Promise.all(running.splice(0).map((child) => child.end())));
  closers.push(endServers);
  const kept = async <T extends Child>(starting: T | Promise<T>): Promise<T> => {
    const child = await starting;
    running.push(child);
    return child;
  };
  const own = { METERGRAPH_BOOTSTRAP_KEY: API_KEY, METERGRAPH_DEMO: '0' };
  const servers = {
    hello: await kept(startServer('hello', folder)),
    compiled: await kept(startServer('compiled', folder)),
    yoga: await kept(startServer('yoga', folder)),
    constant: await kept(startServer('constant', folder, { DATABASE_URL: batched })),
    unmetered: await kept(startServer('unmetered', folder, { DATABASE_URL: batched })),
    postgres: await kept(startGateway(folder, { ...own, DATABASE_URL: batched })),
    pglite: await kept(startGateway(folder, { ...own, METERGRAPH_DATA_DIR: dataDir })),
    'one-by-one': await kept(startServer('one-by-one', folder, { DATABASE_URL: oneByOne })),
  };
  return {
    folder,
    postgres: await describePostgres(cluster.url),
    servers,
    load: await kept(startProgram('load', folder)),
    ledgers: [
      { server: 'postgres', open: async () => openForReading(batched), isEmbedded: false },
      { server: 'one-by-one', open: async () => openForReading(oneByOne), isEmbedded: false },
      { server: 'pglite', open: () => openPglite(dataDir), isEmbedded: true },
    ],
    endServers,
    close,
  };
}

const openForReading = (url: string): Database => openPostgres({ url, poolSize: 1, statementTimeoutMs: 60_000 });

/** @returns the URL of the new database. */
async function seededDatabase(clusterUrl: string, name: string): Promise<string> {
  await withAdmin(clusterUrl, async (sql) => void (await sql`CREATE DATABASE ${sql(name)}`));
  const url = onDatabase(clusterUrl, name);
  const database = openForReading(url);
  try {
    await seed(database, CUSTOMERS);
  } finally {
    await database.close();
  }
  return url;
}

async function copiedDatabase(clusterUrl: string, from: string, name: string): Promise<string> {
  await withAdmin(clusterUrl, async (sql) => {
    await sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(from)}`;
    await sql`CHECKPOINT`;
  });
  return onDatabase(clusterUrl, name);
}

async function seedPglite(dataDir: string): Promise<void> {
  const database = await openPglite(dataDir);
  try {
    await seed(database, CUSTOMERS);
  } finally {
    await database.close();
  }
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
