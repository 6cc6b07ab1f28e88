/** migrate — brings a database to this version's tables; safe to run twice, and by two processes at once. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import type { Database, Db } from './client.ts';

/** Beside the sources, or beside the build. */
const FOLDERS = ['../../drizzle', './drizzle', '../drizzle'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** Which migrations have run. Made by hand below, since it must be there before the first of them. */
const migrationsTable = pgTable('metergraph_migrations', {
  hash: text('hash').primaryKey(),
  position: integer('position').notNull(),
});

/** Any constant will do, as long as nobody else takes it: processes that migrate wait for each other on it. */
const LOCK_KEY = 4_637_821_905;

export class NewerDatabaseError extends Error {
  override readonly name = 'NewerDatabaseError';
}

export type MigrationState = { readonly applied: number; readonly known: number };

/**
 * Applies what is missing, all in one transaction.
 *
 * @throws {NewerDatabaseError} when the database has migrations that this version doesn't know.
 */
export async function migrate({ db }: Database): Promise<void> {
  const migrations = migrationsOfThisVersion();
  await db.transaction(async (tx) => {
    await tx.execute(sql`SET LOCAL statement_timeout = 0`); // a large table takes what it takes
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${sql.raw(String(LOCK_KEY))})`);
    await tx.execute(
      sql`CREATE TABLE IF NOT EXISTS metergraph_migrations (hash text PRIMARY KEY, position integer NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const applied = await appliedHashes(tx);
    refuseNewer(applied, new Set(migrations.map(({ hash }) => hash)));
    for (const [position, { hash, sql: statements }] of migrations.entries()) {
      if (applied.has(hash)) continue;
      for (const statement of statements) await tx.execute(sql.raw(statement));
      await tx.insert(migrationsTable).values({ hash, position });
    }
  });
}

/** Whether the database stands where this version expects it. */
export async function migrationState({ db }: Database): Promise<MigrationState> {
  const known = migrationsOfThisVersion();
  const applied = await appliedHashes(db);
  return { applied: known.filter(({ hash }) => applied.has(hash)).length, known: known.length };
}

const appliedHashes = async (db: Db): Promise<Set<string>> =>
  new Set((await db.select({ hash: migrationsTable.hash }).from(migrationsTable)).map(({ hash }) => hash));

function refuseNewer(applied: ReadonlySet<string>, known: ReadonlySet<string>): void {
  const unknown = [...applied].filter((hash) => !known.has(hash)).length;
  if (unknown === 0) return;
  throw new NewerDatabaseError(
    `The database has ${unknown} migration(s) that this version of Metergraph doesn't know: a newer version has run on it. Start that version or a later one.`,
  );
}

let read: readonly MigrationMeta[] | null = null;

/** Read and hashed once: the files don't change under a running process, and every look at its readiness asks. */
function migrationsOfThisVersion(): readonly MigrationMeta[] {
  read ??= readMigrationFiles({ migrationsFolder: migrationsFolder() });
  return read;
}

function migrationsFolder(): string {
  const folder = FOLDERS.find((candidate) => existsSync(candidate));
  if (!folder)
    throw new Error('The migrations folder "drizzle" is missing from this installation; install the package again.');
  return folder;
}
