/**
 * event-months — the partitions of `events`: one for each month (UTC) in which they were recorded. They are made ahead,
 * and those that nobody has to keep any more are dropped; both by any gateway, also by several at once.
 *
 * There is no partition for what fits nowhere: none would be noticed that fills up, and with one in place Postgres could
 * drop others only under a lock that stops all writing. Where a month is missing all the same, because nobody made it in
 * time or a clock stands elsewhere, the write fails whole, the month is made, and the batch runs again: see `Ledger`.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type Database, type Query, sqlStateOf } from './client.ts';
import { queryIn } from './query-in.ts';

/** Half-open, like all periods: what was recorded from the one instant on and before the other. */
export type EventMonth = {
  /** With its schema, quoted as SQL wants it. */
  readonly name: string;
  /** Null for the one that has everything from before there were months. */
  readonly fromMs: number | null;
  readonly untilMs: number;
  /** Whether somebody began to take it out, and did not get to the end. */
  readonly isLeaving: boolean;
};

/** Beside the present month so many are there before they are needed: nobody has to run at the turn of one. */
const MONTHS_AHEAD = 2;

/**
 * One gateway after the other, and each beside whoever writes. It is the lock that attaching takes anyway; asked for by a function
 * in place of this statement, a snapshot would be held meanwhile, for whose end a gateway waits that takes months out.
 */
const ONE_AT_A_TIME = sql`LOCK TABLE events IN SHARE UPDATE EXCLUSIVE MODE`;

/** What a partition says that is to be dropped: one that an operator took out is not ours to drop. */
const DROPPED = 'Older than METERGRAPH_EVENTS_KEPT_DAYS: dropped by Metergraph.';

/** Bounds are read in the session that writes them, so its time zone and style of dates don't matter. */
const MONTHS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name, i.inhdetachpending AS is_leaving,
    (extract(epoch FROM b.first) * 1000)::bigint::text AS from_ms, (extract(epoch FROM b.until) * 1000)::bigint::text AS until_ms
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS said) bound
  CROSS JOIN LATERAL (
    SELECT substring(said FROM 'FROM \\(''(.*?)''\\)')::timestamptz AS first, substring(said FROM 'TO \\(''(.*?)''\\)')::timestamptz AS until
  ) b
  WHERE i.inhparent = 'events'::regclass ORDER BY b.first NULLS FIRST`;

type MonthRow = {
  readonly name: string;
  readonly is_leaving: boolean;
  readonly from_ms: string | null;
  readonly until_ms: string;
};

/** Oldest first. */
export async function eventMonths(query: Query): Promise<readonly EventMonth[]> {
  const rows = await query<MonthRow>({ text: MONTHS, params: [] });
  return rows.map((row) => ({
    name: row.name,
    fromMs: row.from_ms === null ? null : Number(row.from_ms),
    untilMs: Number(row.until_ms),
    isLeaving: row.is_leaving,
  }));
}

/**
 * Sees to it that the present month and the next ones are there. Nobody who writes waits for it.
 *
 * @returns the names of those it made; most often none, for one look.
 */
export async function makeEventMonths(database: Database, nowMs: number): Promise<readonly string[]> {
  if (missingMonths(await eventMonths(database.query), nowMs).length === 0) return [];
  for (let triesLeft = MAKING_TRIES; ; triesLeft -= 1) {
    try {
      return await makeMissing(database, nowMs);
    } catch (error) {
      if (sqlStateOf(error) !== DEADLOCK || triesLeft === 0) throw error; // with one who takes a month out, and is done now
    }
  }
}

const MAKING_TRIES = 3;
/** SQLSTATE of whom Postgres chose to fail, of those who wait for each other. */
const DEADLOCK = '40P01';

const makeMissing = ({ db }: Database, nowMs: number): Promise<readonly string[]> =>
  db.transaction(async (tx) => {
    await tx.execute(ONE_AT_A_TIME);
    const missing = missingMonths(await eventMonths(queryIn(tx)), nowMs); // somebody else may have been first
    const home = await homeOfMonths(queryIn(tx));
    const names = missing.map((startMs) => `${home}.${nameOf(startMs)}`);
    for (const [i, startMs] of missing.entries()) {
      for (const statement of makingOf(names[i] ?? '', startMs)) await tx.execute(statement);
    }
    return names;
  });

/** First instants of the months that should be there and are not. */
function missingMonths(months: readonly EventMonth[], nowMs: number): readonly number[] {
  const wanted = Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) => monthStartMs(nowMs, ahead));
  return wanted.filter((startMs) => !months.some((m) => (m.fromMs ?? -Infinity) <= startMs && startMs < m.untilMs));
}

function monthStartMs(atMs: number, ahead: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead);
}

const nameOf = (startMs: number): string => `events_${iso(startMs).slice(0, 7).replace('-', '_')}`;

/** Where the migration could make no schema for partitions, they are beside the tables. */
const HOME = `
  SELECT quote_ident(coalesce(apart.nspname, own.nspname)) AS home
  FROM pg_class c JOIN pg_namespace own ON own.oid = c.relnamespace
  LEFT JOIN pg_namespace apart ON apart.nspname = own.nspname || '_partitions' AND has_schema_privilege(apart.oid, 'CREATE')
  WHERE c.oid = 'events'::regclass`;

async function homeOfMonths(query: Query): Promise<string> {
  const [row] = await query<{ home: string }>({ text: HOME, params: [] });
  if (!row) throw new Error('the table "events" is not there');
  return row.home;
}

/**
 * Made first and attached then, which blocks no one; `PARTITION OF` would wait for every transaction that reads or writes
 * events, and all others for it. The other indexes come with being attached: after the primary key, so that a planner to
 * whom an empty month's indexes look alike takes that one. A sequence is unique within its month; over all of them, the customer's row keeps it so.
 */
const makingOf = (name: string, startMs: number): readonly SQL[] => [
  sql.raw(`CREATE TABLE ${name} (LIKE events INCLUDING ALL EXCLUDING INDEXES, PRIMARY KEY (customer_id, sequence))`),
  sql.raw(
    `ALTER TABLE events ATTACH PARTITION ${name} FOR VALUES FROM ('${iso(startMs)}') TO ('${iso(monthStartMs(startMs, 1))}')`,
  ),
];

/**
 * Drops the months that ended so long ago. Whoever writes goes on; who reads is waited for. What one process leaves
 * half-way, the next one ends.
 *
 * @param keptMs How long events are kept after they were recorded, in milliseconds.
 * @returns the names of those it dropped.
 */
export async function dropEventMonths(database: Database, keptMs: number, nowMs: number): Promise<readonly string[]> {
  const months = await eventMonths(database.query);
  for (const month of months.filter(({ untilMs }) => untilMs <= nowMs - keptMs)) await takeOut(database, month);
  const dropped: string[] = [];
  for (const name of await takenOut(database.query)) {
    await run(database, `DROP TABLE IF EXISTS ${name}`);
    dropped.push(name);
  }
  return dropped;
}

/**
 * Another process takes months out: this one is out already, or on its way, or each would wait for the other. What is left is
 * for the next run.
 */
const BY_ANOTHER: ReadonlySet<string> = new Set(['42P01', '55000', DEADLOCK]);

async function takeOut(database: Database, { name, isLeaving }: EventMonth): Promise<void> {
  // Embedded there is one connection, so there is nobody to be let pass.
  const gently = database.engine === 'pglite' ? '' : isLeaving ? ' FINALIZE' : ' CONCURRENTLY';
  try {
    await run(database, `COMMENT ON TABLE ${name} IS '${DROPPED}'`);
    await run(database, `ALTER TABLE events DETACH PARTITION ${name}${gently}`);
  } catch (error) {
    if (!BY_ANOTHER.has(sqlStateOf(error) ?? '')) throw error;
  }
}

const TAKEN_OUT = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_description d JOIN pg_class c ON c.oid = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE d.classoid = 'pg_class'::regclass AND d.objsubid = 0 AND d.description = $1 AND c.relkind = 'r' AND NOT c.relispartition
    AND n.nspname IN (current_schema(), current_schema() || '_partitions')
  ORDER BY 1`;

async function takenOut(query: Query): Promise<readonly string[]> {
  return (await query<{ name: string }>({ text: TAKEN_OUT, params: [DROPPED] })).map(({ name }) => name);
}

const run = ({ query }: Database, text: string) => query({ text, params: [] });

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** SQLSTATE of a row that breaks a rule of its table. */
const CHECK_VIOLATION = '23514';

/** Whether an event could not be written because its month is not there. A broken rule would have a name. */
export function lacksEventMonth(error: unknown): boolean {
  if (sqlStateOf(error) !== CHECK_VIOLATION) return false;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('constraint_name' in cause && cause.constraint_name !== undefined) return false;
    if ('constraint' in cause && cause.constraint !== undefined) return false;
  }
  return true;
}
