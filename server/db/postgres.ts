/** postgres — a Postgres server, by URL: a pool for ordinary queries and one connection for the engine's lane. */
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import type { Database, Lane, Parameter, Query, Row, Statement } from './client.ts';

export type PostgresOptions = {
  readonly url: string;
  /** Connections for ordinary queries; the lane and the listener have one each beside them. */
  readonly poolSize: number;
  /** The server ends a statement that runs longer, and a transaction that idles longer: no lock is held for ever. */
  readonly statementTimeoutMs: number;
  /** How long the engine waits for a customer that somebody else holds; well under its own deadline. */
  readonly lockTimeoutMs?: number;
};

type Client = ReturnType<typeof postgres>;

export function openPostgres(options: PostgresOptions): Database {
  const { url, poolSize, statementTimeoutMs, lockTimeoutMs = LOCK_TIMEOUT_MS } = options;
  const timeouts = {
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
  };
  // Asked for array types, the driver looks them up as it connects, and a connection lost just then ends the process.
  const common = { onnotice: () => {}, connect_timeout: 10, fetch_types: false };
  const pool = postgres(url, { ...common, max: poolSize, connection: { application_name: 'metergraph', ...timeouts } });
  const connectLane = (onclose: () => void) =>
    postgres(url, {
      ...common,
      max: 1,
      onclose,
      connection: {
        application_name: 'metergraph-engine',
        ...timeouts,
        lock_timeout: lockTimeoutMs,
        // The engine looks everything up by key. A plan that was made while a table was small must not read it whole
        // once it has grown, and a prepared statement keeps its plan.
        enable_seqscan: 'off',
        // Every look-up is pinned by its text, so that no value makes a better plan; planning anew takes longer than most batches.
        plan_cache_mode: 'force_generic_plan',
      },
    });
  const lane = postgresLane(connectLane);
  const db = drizzle(pool);
  // Drizzle has the pool give timestamps as text; it takes `Date`s as well, and hand-written statements are promised them.
  pool.options.parsers[TIMESTAMPTZ] = (text: string) => new Date(text);
  return {
    engine: 'postgres',
    db,
    lane,
    query: queryOn(pool),
    readAs: (tenantId, work) =>
      db.transaction(async (tx) => {
        await tx.execute(sql`SET LOCAL ROLE metergraph_reader`);
        await tx.execute(sql`SELECT set_config('app.tenant', ${tenantId}, true)`);
        return work(tx);
      }),
    listen: async (channel, onPayload, onReady) => {
      await pool.listen(channel, onPayload, onReady);
    },
    close: async () => {
      await Promise.all([pool.end({ timeout: 5 }), lane.close()]);
    },
  };
}

const LOCK_TIMEOUT_MS = 1_000;

/** The type's number in Postgres' catalog. */
const TIMESTAMPTZ = 1184;

const queryOn =
  (client: Client): Query =>
  <R extends object>({ text, params }: Statement) =>
    client.unsafe<R[]>(text, params.map(withoutArrays), { prepare: true });

/** Arrays as Postgres writes them, since the driver does not know their types. */
const withoutArrays = (param: Parameter) => (isArray(param) ? `{${param.map(element).join()}}` : param);

function element(text: string | null): string {
  if (text === null) return 'NULL';
  if (PLAIN.test(text) && !NULL_WORD.test(text)) return text; // ids, numbers, instants: nearly all there is
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** What needs no quotes in an array, unless it spells NULL. */
const PLAIN = /^[\w.:+-]+$/;
const NULL_WORD = /^null$/i;

/** As `Array.isArray`, which does not tell read-only arrays from the rest. */
const isArray = (param: Parameter): param is readonly (string | null)[] => Array.isArray(param);

const BEGIN: Statement = { text: 'BEGIN', params: [] };
const COMMIT: Statement = { text: 'COMMIT', params: [] };
const ROLLBACK: Statement = { text: 'ROLLBACK', params: [] };

/**
 * One connection, and one transaction at a time on it: the engine runs one batch after the other.
 *
 * A transaction whose connection is lost fails at once; left to itself the driver may keep a query of it unanswered. A
 * second flight that is on its way just then may run on a new connection, outside any transaction. The engine makes its
 * writes one guarded statement for that reason: alone, too, it is all or nothing.
 */
function postgresLane(connect: (onClose: () => void) => Client): Lane & { close(): Promise<void> } {
  let { client, whileOpen } = openLink(connect);
  return {
    transact: (first, second) =>
      whileOpen(async (throwIfLost) => {
        const query = queryOn(client);
        try {
          if (first.length === 0) return await onlyFlight(query, await second([], query));
          const [, ...rows] = await flight(query, [BEGIN, ...first]);
          const statements = await second(rows, query);
          throwIfLost();
          return (await flight(query, [...statements, COMMIT])).slice(0, -1);
        } catch (error) {
          throwIfLost();
          await query(ROLLBACK).catch(() => {}); // the first error is the one that says what happened
          throw error;
        }
      }),
    reset() {
      const broken = client;
      ({ client, whileOpen } = openLink(connect));
      void broken.end({ timeout: 0 });
    },
    close: () => client.end({ timeout: 5 }),
  };
}

/** A connection that tells the work on it when it is gone. */
function openLink(connect: (onClose: () => void) => Client) {
  let tellLost = (): void => {};
  const client = connect(() => tellLost());
  const whileOpen = <T>(work: (throwIfLost: () => void) => Promise<T>): Promise<T> => {
    const lost = new AbortController();
    tellLost = () => lost.abort(new ConnectionLostError('The connection to the database was lost.'));
    const closed = new Promise<never>((_, reject) => {
      lost.signal.addEventListener('abort', () => reject(lost.signal.reason), { once: true });
    });
    return Promise.race([work(() => lost.signal.throwIfAborted()), closed]);
  };
  return { client, whileOpen };
}

class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  /** As the driver's own errors have it. */
  readonly code = 'CONNECTION_CLOSED';
}

/** A whole transaction in one. */
const onlyFlight = async (query: Query, statements: readonly Statement[]): Promise<Row[][]> =>
  (await flight(query, [BEGIN, ...statements, COMMIT])).slice(1, -1);

/** Sends all, then waits for all: an early failure must not leave later answers unheard. */
async function flight(query: Query, statements: readonly Statement[]): Promise<Row[][]> {
  const settled = await Promise.allSettled(statements.map((statement) => query(statement)));
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : []));
}
