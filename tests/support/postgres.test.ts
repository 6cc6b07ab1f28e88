/** Goal: the Postgres that other tests stand on is a real one, durable, quick to copy and gone afterwards. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { createDatabase, type DatabaseTemplate, describePostgres } from './postgres.ts';
import { startPostgresCluster } from './postgres-cluster.ts';

const connect = (url: string) => postgres(url, { max: 1, onnotice: () => {} });

describePostgres('the shared Postgres', () => {
  it('keeps what it has acknowledged, and sorts by language where nobody says otherwise', async () => {
    await using database = await createDatabase();
    const sql = connect(database.url);
    const [settings] = await sql`
      SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
             current_setting('timezone') AS zone, 'a' < 'B' AS linguistic`;
    expect(settings).toEqual({ fsync: 'on', commit: 'on', zone: 'UTC', linguistic: true });
    await sql.end();
  });

  it('prepares a template once, however many ask at once, and gives each a copy of their own', async () => {
    let preparations = 0;
    const template: DatabaseTemplate = {
      name: 'one table, one row',
      prepare: async (url) => {
        preparations += 1;
        const sql = connect(url);
        await sql`CREATE TABLE kept AS SELECT 1 AS n`;
        await sql.end();
      },
    };
    const databases = await Promise.all([1, 2, 3].map(() => createDatabase({ template })));
    const counts = await Promise.all(
      databases.map(async ({ url }) => {
        const sql = connect(url);
        await sql`INSERT INTO kept VALUES (2)`;
        const [row] = await sql`SELECT count(*)::int AS rows FROM kept`;
        await sql.end();
        return row?.rows;
      }),
    );
    expect({ preparations, counts }).toEqual({ preparations: 1, counts: [2, 2, 2] });
    await Promise.all(databases.map((database) => database.drop()));
  });

  it('does not copy a template whose preparation failed', async () => {
    let attempts = 0;
    const prepare = async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('half way');
    };
    const template = { name: 'fails at first', prepare };
    await expect(createDatabase({ template })).rejects.toThrow('half way');
    await using database = await createDatabase({ template });
    expect({ attempts, name: database.name }).toEqual({
      attempts: 2,
      name: expect.stringMatching(/^metergraph_test_/),
    });
  });
});

describePostgres('a cluster of its own', () => {
  it('loses no committed row in a crash, and comes back on the same port', async () => {
    const cluster = await startPostgresCluster();
    try {
      const before = connect(cluster.url);
      await before`CREATE TABLE ledger AS SELECT 7 AS n`;
      await cluster.crash();
      await expect(before`SELECT 1`).rejects.toThrow();
      await before.end();
      await cluster.restart();
      const after = connect(cluster.url);
      expect([...(await after`SELECT n FROM ledger`)]).toEqual([{ n: 7 }]);
      await after.end();
    } finally {
      await cluster.stop();
    }
  });

  it('is removed with its folder when its owner is killed', async () => {
    const owner = fork(fileURLToPath(new URL('./postgres-owner.process.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
    });
    const [{ url, folder }] = await once(owner, 'message');
    expect(existsSync(folder)).toBe(true);
    owner.kill('SIGKILL');
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
    await expect(connect(url)`SELECT 1`).rejects.toThrow('ECONNREFUSED');
  });
});
