/** pglite — the embedded database: Postgres in this process, in one folder, on one connection. */
import { PGlite, type Transaction, types } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/pglite';
import type { Database, Lane, Row, Statement } from './client.ts';

/** Bigints as strings, as the other driver gives them. */
const parsers = { [types.INT8]: (text: string) => text };

/** @param dataDir Folder of the data; left out, the database lives in memory. Take the folder's lock first. */
export async function openPglite(dataDir?: string): Promise<Database> {
  return pgliteDatabase(await PGlite.create({ ...(dataDir && { dataDir }), parsers }));
}

export function pgliteDatabase(pg: PGlite): Database {
  const db = drizzle(pg);
  return {
    engine: 'pglite',
    db,
    lane: pgliteLane(pg),
    query: (statement) => run(pg, statement),
    readAs: (tenantId, work) =>
      db.transaction(async (tx) => {
        await tx.execute(sql`SET LOCAL ROLE metergraph_reader`);
        await tx.execute(sql`SELECT set_config('app.tenant', ${tenantId}, true)`);
        return work(tx);
      }),
    listen: null,
    close: () => pg.close(),
  };
}

/** There is no wire, so a flight is its statements one after the other. */
function pgliteLane(pg: PGlite): Lane {
  return {
    transact: (first, second) =>
      pg.transaction(async (tx) => {
        const rows = await runAll(tx, first);
        return runAll(tx, await second(rows, (statement) => run(tx, statement)));
      }),
    reset: () => {},
  };
}

const run = async <R extends object>(on: Pick<Transaction, 'query'>, { text, params }: Statement): Promise<R[]> =>
  (await on.query<R>(text, [...params])).rows;

async function runAll(tx: Transaction, statements: readonly Statement[]): Promise<Row[][]> {
  const results: Row[][] = [];
  for (const statement of statements) results.push(await run(tx, statement));
  return results;
}
