/**
 * client — one way to talk to two databases: PGlite, embedded, and Postgres, by `DATABASE_URL`.
 *
 * Both run the same SQL. What differs is kept here: how a transaction is pipelined, and how other gateways are heard.
 */
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

/** A row as both drivers give it: numerics, bigints and uuids are strings, timestamps `Date`s, JSON parsed. */
export type Row = Readonly<Record<string, unknown>>;

/** SQL text with `$1` parameters. The text is constant, so the server plans it once. */
export type Statement = { readonly text: string; readonly params: readonly Parameter[] };
/** Arrays are of text; the statement casts them. Both drivers write text arrays alike. */
export type Parameter = string | number | boolean | null | readonly (string | null)[];

/** Ordinary queries, by drizzle; inside a transaction or not. */
export type Db = PgDatabase<PgQueryResultHKT>;

/**
 * The engine's own way in: transactions of one flight or two. The statements of a flight are sent without waiting for each
 * other, BEGIN with the first and COMMIT with the last, so a transaction costs two round trips at most, however many there are.
 *
 * A transaction of two flights has the way for itself until it ends. Those of one may be begun while others are on their
 * way: they happen in the order in which they were begun.
 */
export interface Lane {
  /**
   * @param first  Sent at once, in order. Without any, the second flight is the only one, and what it asks for is read outside.
   * @param second What to do with the rows of the first; may ask for more rows before it answers.
   * @returns the rows of the second flight, after COMMIT.
   * @throws whatever either flight or `second` throws, after ROLLBACK.
   */
  transact(
    first: readonly Statement[],
    second: (rows: readonly Row[][], query: Query) => Promise<readonly Statement[]>,
  ): Promise<readonly Row[][]>;
  /** Gives up a connection that does not answer; the next transaction has a new one. */
  reset(): void;
}

/** @typeParam R What the statement is known to select; nothing checks it. */
export type Query = <R extends object = Row>(statement: Statement) => Promise<R[]>;

export interface Database {
  readonly engine: 'pglite' | 'postgres';
  /** As the owner of the tables: migrations and the gateway's own work. */
  readonly db: Db;
  readonly lane: Lane;
  /** One statement, as the owner. */
  readonly query: Query;
  /** Several reads of one tenant under row level security. */
  readAs<T>(tenantId: string, work: (db: Db) => Promise<T>): Promise<T>;
  /** Hears what other gateways notify; null where there are no others. */
  readonly listen:
    | ((channel: string, onPayload: (payload: string) => void, onReady: () => void) => Promise<void>)
    | null;
  close(): Promise<void>;
}

/** SQLSTATE of a database error, e.g. `23505`, as both drivers carry it; through drizzle's wrapper too. */
export function sqlStateOf(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(cause.code))
      return cause.code;
  }
  return null;
}

/** Classes of SQLSTATE that mean the server can't serve: connection, out of resources, operator, system. */
const UNREACHABLE_CLASSES: ReadonlySet<string> = new Set(['08', '53', '57', '58']);
/** Codes of the driver's and the system's own: `CONNECTION_CLOSED`, `CONNECT_TIMEOUT`, `ECONNREFUSED`, `EPIPE` … */
const UNREACHABLE_CODE = /^(CONNECT|ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_|EHOST|ENET)/;

/** Whether a query failed because the database is not there, and not for a reason of its own. */
export function isUnreachable(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null) return UNREACHABLE_CLASSES.has(state.slice(0, 2));
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && UNREACHABLE_CODE.test(cause.code)) return true;
  }
  return false;
}
