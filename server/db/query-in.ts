/** query-in — a `Query` that runs inside a transaction, so that hand-written statements can be read there, too. */
import { sql } from 'drizzle-orm';
import { withoutArrays } from './array-text.ts';
import type { Db, Query, Statement } from './client.ts';

export function queryIn(tx: Db): Query {
  return async <R extends object>({ text, params }: Statement) => {
    // Drizzle numbers parameters itself: the text is cut at each `$n` and its value put in between.
    const parts = text
      .split(/\$(\d+)/)
      .map((part, i) =>
        i % 2 === 0 ? sql.raw(part) : sql`${sql.param(withoutArrays(params[Number(part) - 1] ?? null))}`,
      );
    return rowsOf<R>(await tx.execute(sql.join(parts)));
  };
}

/** One driver answers with the rows, the other with an object that has them. */
function rowsOf<R extends object>(result: unknown): R[] {
  if (Array.isArray(result)) return result;
  if (typeof result === 'object' && result !== null && 'rows' in result && Array.isArray(result.rows)) {
    return result.rows;
  }
  throw new TypeError('a driver answered with something other than rows');
}
