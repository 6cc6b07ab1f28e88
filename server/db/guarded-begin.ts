/**
 * guarded-begin — transactions of the driver's pool, of which a lost connection ends no process.
 *
 * Where the work of a transaction fails the driver says ROLLBACK. Said on a connection that the server has ended, that throws
 * out of a timer, where nobody can catch it. So work that failed because of the connection is left pending: the driver fails
 * the transaction by itself as soon as it notices.
 */
import type { Sql, TransactionSql } from 'postgres';

type Work = (tx: TransactionSql) => unknown;

/** Changes the pool. */
export function guardBegin(pool: Sql): void {
  const begin = pool.begin.bind(pool) as (work: Work) => Promise<unknown>;
  const guarded = (work: Work) =>
    begin(async (tx) => {
      try {
        return await work(tx);
      } catch (error) {
        if (isConnectionLost(error)) return new Promise<never>(() => {});
        throw error;
      }
    });
  pool.begin = guarded as typeof pool.begin; // drizzle calls it in this form alone
}

const LOST = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED', 'ECONNRESET', 'EPIPE']);

/** The server ends the connection after what it calls fatal; a query that was merely cancelled leaves it open. */
function isConnectionLost(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('severity' in cause && (cause.severity === 'FATAL' || cause.severity === 'PANIC')) return true;
    if ('code' in cause && LOST.has(String(cause.code))) return true;
  }
  return false;
}
