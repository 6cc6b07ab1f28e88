/** databases — those of a run, on one cluster: made when a server first needs one. */
import type { Database } from '../server/db/client.ts';
import { openPglite } from '../server/db/pglite.ts';
import { openPostgres } from '../server/db/postgres.ts';
import { onDatabase, withAdmin } from '../tests/support/postgres-run.ts';
import { CUSTOMERS } from './rows.ts';
import { seed } from './seed.ts';

/** Copied, and never served. */
const SEEDED = 'seeded';

export class Databases {
  readonly #clusterUrl: string;
  readonly #made = new Map<string, Promise<string>>();

  constructor(clusterUrl: string) {
    this.#clusterUrl = clusterUrl;
  }

  /** One with our tables, catalog and customers. Asked for again by the same name, it is the same. @returns its URL. */
  seeded(name: string): Promise<string> {
    return this.#once(name, async () => {
      await this.#once(SEEDED, async () => {
        const url = await this.#create(SEEDED);
        await withDatabase(openForReading(url), (database) => seed(database, CUSTOMERS));
        return url;
      });
      return this.#create(name, SEEDED);
    });
  }

  /** A new one with nothing in it. @returns its URL. */
  empty(name: string): Promise<string> {
    return this.#once(name, () => this.#create(name));
  }

  #once(name: string, make: () => Promise<string>): Promise<string> {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made;
  }

  #create(name: string, template = 'template1'): Promise<string> {
    return withAdmin(this.#clusterUrl, async (sql) => {
      await sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(template)}`;
      await sql`CHECKPOINT`;
      return onDatabase(this.#clusterUrl, name);
    });
  }
}

export const openForReading = (url: string): Database => openPostgres({ url, poolSize: 1, statementTimeoutMs: 60_000 });

export async function seedPglite(dataDir: string): Promise<void> {
  await withDatabase(await openPglite(dataDir), (database) => seed(database, CUSTOMERS));
}

/** @param select Of one column of whole numbers, far below 2⁵³ in all. */
export const sumOf = (url: string, select: string): Promise<number> =>
  withDatabase(openForReading(url), async ({ query }) => {
    const text = `SELECT coalesce(sum(number), 0)::float8 AS sum FROM (${select}) AS numbers (number)`;
    const [row] = await query<{ sum: number }>({ text, params: [] });
    return row?.sum ?? Number.NaN;
  });

/** Closes the database, whatever comes of the work. */
export async function withDatabase<T>(database: Database, work: (database: Database) => Promise<T>): Promise<T> {
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
