/** digests — all that is stored, table by table: equal before and after means that nothing was written. */
import { expect } from 'vitest';
import type { Database } from '../../server/db/client.ts';

const TABLES = `
  SELECT table_name AS name FROM information_schema.tables
  WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name`;

/** Each table with its number of rows, and a digest of them. */
export async function digests({ query }: Database): Promise<Readonly<Record<string, string>>> {
  const tables = await query<{ name: string }>({ text: TABLES, params: [] });
  const digestOf = ({ name }: { name: string }) =>
    `SELECT '${name}' AS name, count(*) || ' ' || md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) AS digest FROM ${name} t`;
  const rows = await query<{ name: string; digest: string }>({
    text: tables.map(digestOf).join(' UNION ALL '),
    params: [],
  });
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}

/** Runs what should write nothing, and shows that it didn't. */
export async function writingNothing<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const before = await digests(database);
  const result = await work();
  expect(await digests(database)).toEqual(before);
  return result;
}
