/**
 * engines — the same tests on both databases: PGlite in a folder, and a real Postgres.
 *
 * ```ts
 * describeEngines('the store', (engine) => {
 *   it('remembers', async () => {
 *     const database = await engine.open(); // empty and migrated; goes by itself
 * ```
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, inject } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { migrate } from '../../server/db/migrate.ts';
import { openPglite } from '../../server/db/pglite.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { afterFile, afterUse } from './after-use.ts';
import { type Home, lender } from './lending.ts';
import { createDatabase, type DatabaseTemplate, postgresMissing } from './postgres.ts';
import { scratchFolder } from './scratch.ts';

export type Engine = {
  readonly name: 'pglite' | 'postgres';
  /**
   * A database of one's own, empty and with every migration applied (0.1 s; 0.5 s where none is idle). It goes by
   * itself when the file ends, so that tests may share it; or with the test that opened it, which spares memory where
   * each test opens its own: a PGlite takes 170 MB.
   */
  open(options?: { readonly until?: 'file' | 'test' }): Promise<Database>;
};

/** `createDatabase({ template: migrated })`: a Postgres database to point a gateway, or several, at. */
export const migrated: DatabaseTemplate = {
  name: 'migrated',
  async prepare(url) {
    const database = openPostgres({ url, poolSize: 1, statementTimeoutMs: 30_000 });
    try {
      await migrate(database);
    } finally {
      await database.close();
    }
  },
};

/** `describe`, once for each engine; on Postgres counted as skipped, with the reason, where there is none. */
export function describeEngines(name: string, body: (engine: Engine) => void): void {
  describe(`${name} on PGlite`, () => body(tidyEngine('pglite')));
  const missing = postgresMissing();
  const title = `${name} on Postgres`;
  const onPostgres = () => body(tidyEngine('postgres'));
  if (missing === undefined) describe(title, onPostgres);
  else describe.skip(`${title} (skipped, no Postgres: ${missing})`, onPostgres);
}

const borrow = { pglite: lender(newPglite), postgres: lender(newPostgres) };

const tidyEngine = (name: Engine['name']): Engine => ({
  name,
  async open({ until = 'file' } = {}) {
    const { database, giveBack } = await borrow[name]();
    (until === 'test' ? afterUse : afterFile)(giveBack);
    return database;
  },
});

/** A PGlite, as `Engine.open` gives it; until the test ends that opens it, or the file where a hook does. */
export async function openEmbedded(): Promise<Database> {
  const { database, giveBack } = await borrow.pglite();
  afterUse(giveBack);
  return database;
}

/** It stays open while it is idle, for most of its cost is to open it. The run removes its folder. */
async function newPglite(): Promise<Home> {
  const folder = await migratedFolder(inject('databases'));
  const database = await openPglite(folder);
  return {
    open: async () => database,
    leave: () => database.query({ text: 'DISCARD ALL', params: [] }), // it has one session, whoever uses it
    alone: (work) => work(database),
    async remove() {
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const END_THE_OTHERS = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()`;

async function newPostgres(): Promise<Home> {
  const { url, drop } = await createDatabase({ template: migrated });
  const open = (poolSize: number) => openPostgres({ url, poolSize, statementTimeoutMs: 10_000 });
  return {
    open: async () => open(4),
    leave: (database) => database.close(),
    async alone(work) {
      const database = open(1);
      try {
        await database.query({ text: END_THE_OTHERS, params: [] });
        return await work(database);
      } finally {
        await database.close();
      }
    },
    remove: drop,
  };
}

/**
 * A new folder with a migrated PGlite in it, for a gateway of its own (as `METERGRAPH_DATA_DIR` wants it, or below).
 * PGlite needs 3 s to make a database and 0.2 s to open one, so each is a copy of one that was made before.
 */
export async function migratedFolder(within?: string): Promise<string> {
  const template = await templateFolder();
  const folder = scratchFolder('pglite', within);
  cpSync(template, folder, { recursive: true });
  return folder;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache/metergraph');

/** Kept between runs under the hash of all that goes into it, and put there whole, by a rename. */
async function templateFolder(): Promise<string> {
  const template = join(CACHE, `pglite-${ingredients()}`);
  if (existsSync(template)) return template;
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, 'pglite-draft-'));
  const database = await openPglite(draft);
  await migrate(database);
  await database.close();
  try {
    renameSync(draft, template);
    removeOthers(template);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(template)) throw error; // otherwise another process was quicker
  }
  return template;
}

/** Templates of earlier migrations; 40 MB each. */
function removeOthers(template: string): void {
  const folders = readdirSync(CACHE).filter((name) => /^pglite-[0-9a-f]+$/.test(name));
  for (const folder of folders.map((name) => join(CACHE, name))) {
    if (folder !== template) rmSync(folder, { recursive: true, force: true });
  }
}

function ingredients(): string {
  const hash = createHash('sha256');
  const migrations = readdirSync(join(ROOT, 'drizzle'), { recursive: true, withFileTypes: true });
  const files = migrations.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const code = ['server/db/migrate.ts', 'server/db/pglite.ts', 'server/package.json'].map((file) => join(ROOT, file));
  for (const file of [...files.sort(), ...code]) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
