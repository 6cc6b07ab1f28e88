/** postgres-run — the names of one run's databases, and their removal from a server that outlives the run. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';

/** Short, so that what is made of it stays within Postgres's 63 bytes. */
export const newRunName = (): string => `metergraph_test_${randomBytes(4).toString('hex')}`;

export async function withAdmin<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

export function dropDatabasesOfRun(url: string, run: string): Promise<void> {
  return withAdmin(url, async (sql) => {
    const databases = await sql<{ datname: string }[]>`
      SELECT datname FROM pg_database WHERE starts_with(datname, ${`${run}_`})`;
    for (const { datname } of databases) await sql`DROP DATABASE IF EXISTS ${sql(datname)} WITH (FORCE)`;
  });
}

/** The same server and user, another database. */
export function onDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}
