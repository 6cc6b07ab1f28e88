/** open-database — the database that the settings name, reachable and ours alone, or a sentence why not. */
import { mkdirSync } from 'node:fs';
import type { Settings } from './config.ts';
import type { Database } from './db/client.ts';
import { acquireFolderLock } from './db/folder-lock.ts';
import { openPglite } from './db/pglite.ts';
import { openPostgres } from './db/postgres.ts';
import { StartError } from './start-error.ts';

const REACHED_WITHIN_MS = 8_000;
const POOL_SIZE = 10;
const STATEMENT_TIMEOUT_MS = 10_000;

export type OpenDatabase = {
  readonly database: Database;
  /** Where the data is, as people are told: never with a password. */
  readonly place: string;
  /** Tells others who want the same data folder where this process listens. */
  publishUrl(url: string): void;
  close(): Promise<void>;
};

/**
 * @param reachedWithinMs How long a server may take to answer at all.
 * @throws {StartError} when Postgres can't be reached. There is no falling back to the embedded database: data would
 *   silently go elsewhere.
 * @throws {DataFolderInUseError} when another process has the data folder.
 */
export const openDatabase = (
  { databaseUrl, dataDir }: Settings,
  reachedWithinMs = REACHED_WITHIN_MS,
): Promise<OpenDatabase> => (databaseUrl === null ? openFolder(dataDir) : openServer(databaseUrl, reachedWithinMs));

async function openFolder(dataDir: string): Promise<OpenDatabase> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 }); // it holds everybody's data, and the secret that signs tokens
  const lock = await acquireFolderLock(dataDir);
  try {
    const database = await openPglite(dataDir);
    return {
      database,
      place: `the embedded database in ${dataDir}`,
      publishUrl: (url) => lock.publishUrl(url),
      async close() {
        await database.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openServer(url: string, reachedWithinMs: number): Promise<OpenDatabase> {
  const { hostname, port, pathname } = new URL(url);
  const place = `Postgres at ${hostname}:${port || 5432}, database "${decodeURIComponent(pathname.slice(1))}"`;
  const database = openPostgres({ url, poolSize: POOL_SIZE, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    await within(reachedWithinMs, database.query({ text: 'SELECT 1', params: [] }));
  } catch (error) {
    // A server that doesn't answer doesn't say goodbye either; the process ends anyway.
    void database.close().catch(() => {});
    const reason = error instanceof Error ? error.message || error.name : String(error);
    throw new StartError(`${place}, can't be reached: ${reason}. Check DATABASE_URL, and that the server is up.`);
  }
  return { database, place, publishUrl: () => {}, close: () => database.close() };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
