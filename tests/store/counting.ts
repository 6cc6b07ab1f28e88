/** counting — a database that counts the statements it is sent, and the rows it answers with. */
import type { Database, Query, Row, Statement } from '../../server/db/client.ts';

export type Counted = {
  readonly database: Database;
  /** Since it was opened, or `clear` was called. */
  readonly statements: Statement[];
  rows: number;
  clear(): void;
};

export function counting(database: Database): Counted {
  const counted = {
    statements: [] as Statement[],
    rows: 0,
    clear() {
      this.statements.length = 0;
      this.rows = 0;
    },
  };
  const note = (statements: readonly Statement[], rows: readonly (readonly Row[])[]): void => {
    counted.statements.push(...statements);
    counted.rows += rows.reduce((sum, some) => sum + some.length, 0);
  };
  const noting =
    (query: Query): Query =>
    async <R extends object = Row>(statement: Statement) => {
      const rows = await query<R>(statement);
      note([statement], [rows as Row[]]); // whatever it is known to select, it is rows
      return rows;
    };
  const lane: Database['lane'] = {
    transact: (first, second) =>
      database.lane.transact(first, async (rows, query) => {
        note(first, rows);
        const writes = await second(rows, noting(query));
        note(writes, []);
        return writes;
      }),
    reset: () => database.lane.reset(),
  };
  const query = noting(database.query);
  return Object.assign(counted, {
    database: new Proxy(database, {
      get: (target, name) => (name === 'lane' ? lane : name === 'query' ? query : Reflect.get(target, name)),
    }),
  });
}
