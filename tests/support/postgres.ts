/**
 * postgres — a fresh database for a test file, on the one real Postgres that the run shares.
 *
 * ```ts
 * describePostgres('the store', () => {
 *   const database = createDatabase({ template: migrated }); // once a file, in beforeAll
 * ```
 */
import { createHash, randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { describe, inject } from 'vitest';
import type { PostgresOffer } from './global-setup.ts';
import { onDatabase, withAdmin } from './postgres-run.ts';

export type TestDatabase = AsyncDisposable & {
  readonly name: string;
  /** Of the superuser; add to the search part or change the user as a test needs. */
  readonly url: string;
  /** Removes it, whoever is still connected. At the end of the run this happens by itself. */
  drop(): Promise<void>;
};

/** A database prepared once a run, of which every other is a copy (about 50 ms). */
export type DatabaseTemplate = {
  /** Tells templates apart; the same name always means the same preparation. */
  readonly name: string;
  /** Fills the empty database behind `url`, and leaves no connection open. */
  prepare(url: string): Promise<void>;
};

/** Why there is no Postgres here; undefined where there is one. */
export function postgresMissing(): string | undefined {
  const found = offer();
  return found.available ? undefined : found.reason;
}

/** `describe` for what needs Postgres: counted as skipped, with the reason in its name, where there is none. */
export function describePostgres(name: string, body: () => void): void {
  const reason = postgresMissing();
  if (reason === undefined) describe(name, body);
  else describe.skip(`${name} (skipped, no Postgres: ${reason})`, body);
}

/** A database nobody else uses: empty, or a copy of `template`. */
export async function createDatabase({ template }: { template?: DatabaseTemplate } = {}): Promise<TestDatabase> {
  const { url, run } = server();
  const name = `${run}_${randomBytes(6).toString('hex')}`;
  await withAdmin(url, async (sql) => {
    if (!template) return sql`CREATE DATABASE ${sql(name)}`;
    const source = await prepared(sql, template);
    return sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(source)}`;
  });
  const drop = () => withAdmin(url, async (sql) => void (await sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`));
  return { name, url: onDatabase(url, name), drop, [Symbol.asyncDispose]: drop };
}

/** Test files run in several processes; the advisory lock lets the first prepare and the others wait for it. */
async function prepared(sql: postgres.Sql, template: DatabaseTemplate): Promise<string> {
  const name = `${server().run}_template_${createHash('sha256').update(template.name).digest('hex').slice(0, 12)}`;
  await sql`SELECT pg_advisory_lock(hashtextextended(${name}, 0))`;
  try {
    const [known] = await sql`SELECT 1 FROM pg_database WHERE datname = ${name}`;
    if (!known) await prepareAs(sql, name, template);
  } finally {
    await sql`SELECT pg_advisory_unlock(hashtextextended(${name}, 0))`;
  }
  return name;
}

/** Under another name until it is complete, so that one whose preparation failed is never copied. */
async function prepareAs(sql: postgres.Sql, name: string, template: DatabaseTemplate): Promise<void> {
  const draft = `${name}_draft`;
  await sql`DROP DATABASE IF EXISTS ${sql(draft)} WITH (FORCE)`;
  await sql`CREATE DATABASE ${sql(draft)}`;
  await template.prepare(onDatabase(server().url, draft));
  await sql`ALTER DATABASE ${sql(draft)} WITH ALLOW_CONNECTIONS false`;
  await sql`ALTER DATABASE ${sql(draft)} RENAME TO ${sql(name)}`;
}

function server(): { readonly url: string; readonly run: string } {
  const found = offer();
  if (!found.available) throw new Error(`no Postgres here: ${found.reason}`);
  return found.value;
}

function offer(): PostgresOffer {
  const found: PostgresOffer | undefined = inject('postgres');
  if (!found)
    throw new Error('only tests/store, api, realtime, start, e2e and support have Postgres: move the test there');
  return found;
}
