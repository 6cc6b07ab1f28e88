/**
 * columns — rows on their way into the database: an array of text a column. Both drivers write those alike, and Postgres
 * casts faster than drivers do.
 */
import type { Parameter, Statement } from '../../db/client.ts';
import { formatUnits, type Units } from '../../domain/units.ts';

/** One column of a statement's arrays: its name, the type it is cast to, and its values. */
export type Column<T> = readonly [name: string, type: string, value: (entry: T) => string | null];

/** Text of an INSERT of rows that come as one array a column; `rest` names columns that come of others. */
export function insertOf<T>(
  table: string,
  columns: readonly Column<T>[],
  param: (i: number) => string,
  rest: readonly (readonly [name: string, sql: string])[] = [],
): string {
  const names = columns.map(([name]) => name);
  const arrays = columns.map((_, i) => `${param(i)}::text[]`);
  const values = columns.map(([name, type]) =>
    type === 'marks' ? `string_to_array(v.${name}, ' ')` : `v.${name}::${type}`,
  );
  return `INSERT INTO ${table} (${[...names, ...rest.map(([name]) => name)].join(', ')})
    SELECT ${[...values, ...rest.map(([, sql]) => sql)].join(', ')}
    FROM unnest(${arrays.join(', ')}) AS v (${names.join(', ')})`;
}

/**
 * Holds in a transaction that has written something before, and in no other.
 *
 * Of a flight whose connection is lost on its way, the driver may send the rest on a new connection, outside any
 * transaction. The first statement of a batch guards itself; the others say this, and then write nothing there.
 */
export const WITHIN_BATCH = 'pg_current_xact_id_if_assigned() IS NOT NULL';

/** Writes rows of one table, after the batch's first statement; with `key`, those that are there are replaced. */
export function writeStatement<T>(
  table: string,
  entries: readonly T[],
  columns: readonly Column<T>[],
  key?: string,
): Statement {
  const names = columns.map(([name]) => name);
  const updates = names.filter((name) => !key?.split(', ').includes(name)).map((name) => `${name} = excluded.${name}`);
  const conflict = key === undefined ? '' : ` ON CONFLICT (${key}) DO UPDATE SET ${updates.join(', ')}`;
  return {
    text: `${insertOf(table, columns, (i) => `$${i + 1}`)} WHERE ${WITHIN_BATCH}${conflict}`,
    params: columns.map(([, , value]) => entries.map(value)) satisfies Parameter[],
  };
}

export const unitsOrNull = (units: Units | null): string | null => (units === null ? null : formatUnits(units));

/** An instant as Postgres takes it. A batch names few of them many times: its own, and where periods begin and end. */
export function iso(atMs: number): string {
  const known = isoTexts.get(atMs);
  if (known !== undefined) return known;
  if (isoTexts.size >= ISO_TEXTS_MAX) isoTexts.clear();
  const text = new Date(atMs).toISOString();
  isoTexts.set(atMs, text);
  return text;
}

const ISO_TEXTS_MAX = 100;
const isoTexts = new Map<number, string>();
export const isoOrNull = (atMs: number | null): string | null => (atMs === null ? null : iso(atMs));
