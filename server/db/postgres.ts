/** postgres — a Postgres server, by URL: a pool for ordinary queries and one connection for the engine's lane. */
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { withoutArrays } from './array-text.ts';
import type { Database, Lane, Query, Row, Statement } from './client.ts';
import { guardBegin } from './guarded-begin.ts';

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
      max_lifetime: null, // the driver would end it within the hour, with whatever is on its way
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
  guardBegin(pool);
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

const BEGIN: Statement = { text: 'BEGIN', params: [] };
const COMMIT: Statement = { text: 'COMMIT', params: [] };
const ROLLBACK: Statement = { text: 'ROLLBACK', params: [] };

/**
 * One connection. A transaction of two flights has it for itself; those of one follow each other closely, each sent whole
 * while the ones before are still at work, and come back in that order.
 *
 * A transaction whose connection is lost fails at once; left to itself the driver may keep a query of it unanswered. A
 * second flight that is on its way just then may run on a new connection, outside any transaction. The engine makes its
 * writes one guarded statement for that reason: alone, too, it is all or nothing.
 */
function postgresLane(connect: (onClose: () => void) => Client): Lane & { close(): Promise<void> } {
  let link = openLink(connect);
  let open: Promise<unknown> | null = null;
  const twoFlights = ({ client, whileOpen }: Link, first: readonly Statement[], second: Second) =>
    whileOpen(async (throwIfLost) => {
      const query = queryOn(client);
      try {
        const [, ...rows] = await flight(query, [BEGIN, ...first]);
        throwIfLost();
        const statements = await second(rows, query);
        throwIfLost();
        return (await flight(query, [...statements, COMMIT])).slice(0, -1);
      } catch (error) {
        throwIfLost();
        await query(ROLLBACK).catch(() => {}); // the first error is the one that says what happened
        throw error;
      }
    });
  return {
    async transact(first, second) {
      while (open !== null) await open.catch(() => {});
      const { client, whileOpen } = link;
      if (first.length === 0)
        return whileOpen(async () => onlyFlight(queryOn(client), await second([], queryOn(client))));
      const transaction = twoFlights(link, first, second);
      open = transaction;
      try {
        return await transaction;
      } finally {
        if (open === transaction) open = null;
      }
    },
    reset() {
      const broken = link;
      link = openLink(connect);
      open = null;
      broken.tellLost(); // to all that is on its way, before anything is sent on the new one
      void broken.client.end({ timeout: 0 });
    },
    close: () => link.client.end({ timeout: 5 }),
  };
}

type Second = Parameters<Lane['transact']>[1];

type Link = {
  readonly client: Client;
  /** Fails when the connection is lost, whatever becomes of the work. */
  readonly whileOpen: <T>(work: (throwIfLost: () => void) => Promise<T>) => Promise<T>;
  readonly tellLost: () => void;
};

/** A connection that tells the work on it when it is gone. */
function openLink(connect: (onClose: () => void) => Client): Link {
  const atWork = new Set<(lost: Error) => void>();
  const tellLost = () => {
    for (const reject of atWork) reject(new ConnectionLostError());
    atWork.clear();
  };
  return {
    client: connect(tellLost),
    tellLost,
    whileOpen: (work) =>
      new Promise((resolve, reject) => {
        atWork.add(reject);
        const throwIfLost = () => {
          if (!atWork.has(reject)) throw new ConnectionLostError();
        };
        work(throwIfLost)
          .then(resolve, reject)
          .finally(() => atWork.delete(reject));
      }),
  };
}

class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  override readonly message = 'The connection to the database was lost.';
  /** As the driver's own errors have it. */
  readonly code = 'CONNECTION_CLOSED';
}

/** A whole transaction in one; a statement alone is one by itself. COMMIT also ends one that has failed. */
async function onlyFlight(query: Query, statements: readonly Statement[]): Promise<Row[][]> {
  const isAlone = statements.length === 1;
  const rows = await flight(query, isAlone ? statements : [BEGIN, ...statements, COMMIT]);
  return isAlone ? rows : rows.slice(1, -1);
}

/** Sends all, then waits for all: an early failure must not leave later answers unheard. */
async function flight(query: Query, statements: readonly Statement[]): Promise<Row[][]> {
  const settled = await Promise.allSettled(statements.map((statement) => query(statement)));
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : []));
}
