/** emptied — a database as it was before anybody used it, for a tenth of what a new one takes. */
import type { Database } from '../../server/db/client.ts';

const TABLES = `SELECT string_agg(format('%I', tablename), ', ') AS names FROM pg_tables
  WHERE schemaname = 'public' AND tablename <> 'metergraph_migrations'`;

/** What was learned of rows that are gone, which a plan would go by. */
const STATISTICS = `DELETE FROM pg_statistic
  WHERE starelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)`;

/** Nothing may use it meanwhile; the gateway of the test before is closed by then. */
export async function emptied(database: Database): Promise<Database> {
  const [tables] = await database.query<{ names: string }>({ text: TABLES, params: [] });
  await database.query({ text: `TRUNCATE ${tables?.names}`, params: [] });
  await database.query({ text: STATISTICS, params: [] });
  return database;
}

/**
 * Every table, column, constraint, policy, trigger and function, each with the transaction that made it what it is; the
 * options and rights of tables; and which migrations are told. `TRUNCATE` changes none of it.
 */
const SHAPE = `SELECT md5(string_agg(thing, E'\\n' ORDER BY thing)) AS shape FROM (
  SELECT concat_ws(' ', oid, relname, relkind, reloptions, relacl, relowner, relrowsecurity, relforcerowsecurity) AS thing
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', a.attrelid, a.attnum, a.xmin) FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_policy
  UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_trigger
  UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_attrdef
  UNION ALL SELECT hash FROM metergraph_migrations
) AS things`;

/** Equal for as long as nobody changes more than rows; not to be compared with that of another database. */
export async function shapeOf(database: Database): Promise<string> {
  const [found] = await database.query<{ shape: string }>({ text: SHAPE, params: [] });
  if (!found) throw new Error('the database has no shape to tell');
  return found.shape;
}
