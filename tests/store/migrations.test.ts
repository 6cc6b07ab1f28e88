/** Goal: tables come about once, whoever asks and how often, and a newer database is left alone. */
import { expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { migrate, migrationState, NewerDatabaseError } from '../../server/db/migrate.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { describeEngines } from '../support/engines.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { query } from './rig.ts';

const tablesOf = async (database: Database) =>
  (
    await query(
      database,
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    )
  ).map(({ name }) => name);

describeEngines('migrations', (engine) => {
  it('run a second time change nothing', async () => {
    const database = await engine.open();
    const before = { tables: await tablesOf(database), state: await migrationState(database) };
    await migrate(database);
    expect({ tables: await tablesOf(database), state: await migrationState(database) }).toEqual(before);
    expect(before.state.applied).toBe(before.state.known);
  });

  it('refuse a database that a newer version has migrated, and leave it as it is', async () => {
    const database = await engine.open();
    await query(database, `INSERT INTO metergraph_migrations (hash, position) VALUES ('of the future', 999)`);
    const before = await query(database, 'SELECT * FROM metergraph_migrations ORDER BY position');
    const error = await migrate(database).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NewerDatabaseError);
    expect(String(error)).toMatch(/1 migration\(s\).*newer version/);
    expect(await query(database, 'SELECT * FROM metergraph_migrations ORDER BY position')).toEqual(before);
  });
});

describePostgres('migrations of an empty Postgres', () => {
  it('by several processes at once: one does the work, the others find it done', async () => {
    await using server = await createDatabase();
    const gateways = Array.from({ length: 4 }, () =>
      openPostgres({ url: server.url, poolSize: 1, statementTimeoutMs: 30_000 }),
    );
    await Promise.all(gateways.map(migrate));
    for (const gateway of gateways) {
      const { applied, known } = await migrationState(gateway);
      expect(applied).toBe(known);
      await gateway.close();
    }
  });

  it('that fail half-way leave nothing behind', async () => {
    await using server = await createDatabase();
    const database = openPostgres({ url: server.url, poolSize: 1, statementTimeoutMs: 30_000 });
    await query(database, 'CREATE TABLE secrets (mine text)'); // in the way of ours
    await expect(migrate(database)).rejects.toThrow();
    expect(await tablesOf(database)).toEqual(['secrets']);
    await query(database, 'DROP TABLE secrets');
    await migrate(database);
    expect(await tablesOf(database)).toContain('events');
    await database.close();
  });
});
