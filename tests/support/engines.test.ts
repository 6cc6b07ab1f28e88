/** Goal: both engines come fresh and migrated, and apart from each other. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { migrationState } from '../../server/db/migrate.ts';
import { describeEngines, migratedFolder } from './engines.ts';

describeEngines('a fresh database', (engine) => {
  it('has every migration, and is nobody else’s', async () => {
    const [one, other] = await Promise.all([engine.open(), engine.open()]);
    const { applied, known } = await migrationState(one);
    expect({ engine: one.engine, applied }).toEqual({ engine: engine.name, applied: known });
    await one.query({ text: 'CREATE TABLE mine AS SELECT 1 AS n', params: [] });
    await expect(other.query({ text: 'SELECT n FROM mine', params: [] })).rejects.toThrow();
  });
});

it('a migrated folder is a copy that may be written to', async () => {
  const folder = await migratedFolder();
  expect(existsSync(join(folder, 'PG_VERSION'))).toBe(true);
  rmSync(folder, { recursive: true });
});
