/** postgres — a Postgres server, by URL: a pool for ordinary queries and one connection for the engine's lane. */
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import type { Database, Lane, Parameter, Query, Row, Statement } from './client.ts';

export type PostgresOptions = {
  readonly url: string;
  /** Connections for ordinary queries; the lane and the listener have one each beside them. */
  readonly poolSize: number;
  /** The server ends a statement of the lane that runs longer, and a transaction that idles longer. */
  readonly statementTimeoutMs: number;
};

type Client = ReturnType<typeof postgres>;

export function openPostgres({ url, poolSize, statementTimeoutMs }: PostgresOptions): Database {
  const common = { onnotice: () => {}, connect_timeout: 10 };
  const pool = postgres(url, { ...common, max: poolSize, connection: { application_name: 'metergraph' } });
  const connectLane = () =>
    postgres(url, {
      ...common,
      max: 1,
      connection: {
        application_name: 'metergraph-engine',
        statement_timeout: statementTimeoutMs,
        idle_in_transaction_session_timeout: statementTimeoutMs,
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

/** The type's number in Postgres' catalog. */
const TIMESTAMPTZ = 1184;

const queryOn =
  (client: Client): Query =>
  <R extends object>({ text, params }: Statement) =>
    // The driver's own parameter type leaves out arrays of text, which it sends well.
    client.unsafe<R[]>(text, [...params] as Exclude<Parameter, readonly unknown[]>[], { prepare: true });

const BEGIN: Statement = { text: 'BEGIN', params: [] };
const COMMIT: Statement = { text: 'COMMIT', params: [] };
const ROLLBACK: Statement = { text: 'ROLLBACK', params: [] };

/**
 * One connection, and one transaction at a time on it: the engine runs one batch after the other.
 *
 * Should the connection be lost between the flights, the second runs on a new one, outside any transaction. The engine
 * makes its writes one guarded statement for that reason: alone, too, it is all or nothing.
 */
function postgresLane(connect: () => Client): Lane & { close(): Promise<void> } {
  let client = connect();
  return {
    async transact(first, second) {
      const query = queryOn(client);
      try {
        const [, ...rows] = await flight(query, [BEGIN, ...first]);
        const statements = await second(rows, query);
        return (await flight(query, [...statements, COMMIT])).slice(0, -1);
      } catch (error) {
        await query(ROLLBACK).catch(() => {}); // the first error is the one that says what happened
        throw error;
      }
    },
    reset() {
      const broken = client;
      client = connect();
      void broken.end({ timeout: 0 });
    },
    close: () => client.end({ timeout: 5 }),
  };
}

/** Sends all, then waits for all: an early failure must not leave later answers unheard. */
async function flight(query: Query, statements: readonly Statement[]): Promise<Row[][]> {
  const settled = await Promise.allSettled(statements.map((statement) => query(statement)));
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : []));
}
