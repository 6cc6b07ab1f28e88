/** Goal: both engines come empty and migrated, whoever had them before, and apart from each other. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { migrationState } from '../../server/db/migrate.ts';
import { describeEngines, migratedFolder } from './engines.ts';

describeEngines('a database of one’s own', (engine) => {
  it('has every migration, and is nobody else’s', async () => {
    const [one, other] = await Promise.all([engine.open(), engine.open()]);
    const { applied, known } = await migrationState(one);
    expect({ engine: one.engine, applied }).toEqual({ engine: engine.name, applied: known });
    await one.query({ text: 'CREATE TABLE mine AS SELECT 1 AS n', params: [] });
    await expect(other.query({ text: 'SELECT n FROM mine', params: [] })).rejects.toThrow();
  });
});

describeEngines('a database that somebody had', (engine) => {
  /** What a user can leave behind, and where it would be found. */
  const LEFT: readonly (readonly [what: string, statements: readonly string[], found: string])[] = [
    [
      'rows',
      [`INSERT INTO tenants (id, name, mode) VALUES (gen_random_uuid(), 'Acme Apps', 'live')`],
      'SELECT id FROM tenants',
    ],
    [
      'what was learned of rows',
      [`INSERT INTO secrets (name, value) VALUES ('a', 'b'), ('c', 'd')`, 'ANALYZE secrets'],
      `SELECT FROM pg_statistic WHERE starelid = 'secrets'::regclass`,
    ],
    ['a table', ['CREATE TABLE mine (n integer)'], `SELECT FROM pg_tables WHERE tablename = 'mine'`],
    [
      'another column',
      ['ALTER TABLE tenants ADD COLUMN mine integer'],
      `SELECT FROM pg_attribute WHERE attname = 'mine' AND attrelid = 'tenants'::regclass`,
    ],
    [
      'options of a table',
      ['ALTER TABLE rollups SET (autovacuum_enabled = false)'],
      `SELECT FROM pg_class WHERE relname = 'rollups' AND reloptions::text LIKE '%autovacuum_enabled%'`,
    ],
    [
      'a migration',
      [`INSERT INTO metergraph_migrations (hash, position) VALUES ('of the future', 999)`],
      'SELECT FROM metergraph_migrations WHERE position = 999',
    ],
    ['settings', [`SET search_path TO 'elsewhere'`], `SELECT WHERE current_setting('search_path') LIKE '%elsewhere%'`],
  ];

  describe.each(LEFT)('leaves no %s', (_, statements, found) => {
    it('where it was left', async () => {
      const database = await engine.open({ until: 'test' });
      for (const text of statements) await database.query({ text, params: [] });
    });

    it('to the next', async () => {
      const database = await engine.open({ until: 'test' });
      expect(await database.query({ text: found, params: [] })).toEqual([]);
    });
  });
});

it('a migrated folder is a copy that may be written to', async () => {
  const folder = await migratedFolder();
  expect(existsSync(join(folder, 'PG_VERSION'))).toBe(true);
  rmSync(folder, { recursive: true });
});
