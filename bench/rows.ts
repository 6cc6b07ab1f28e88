/** rows — what is measured, what is compared with what, and what we want to reach. A new row or ratio is a line here. */

/** Each is a process of its own; see `world.ts`. */
export const SERVERS = [
  'hello',
  'compiled',
  'yoga',
  'constant',
  'unmetered',
  'postgres',
  'pglite',
  'one-by-one',
] as const;
export type ServerName = (typeof SERVERS)[number];

export type Row = {
  /** Unique; what `--only` looks at. */
  readonly name: string;
  readonly server: ServerName;
  readonly connections: number;
  readonly customers: number;
};

export const CUSTOMERS = 10_000;

const row = (server: ServerName, connections: number, customers?: 'hot' | 'spread'): Row => ({
  name: [server, ...(customers ? [customers] : []), connections].join(' '),
  server,
  connections,
  customers: customers === 'hot' ? 1 : CUSTOMERS,
});

export const ROWS: readonly Row[] = [
  row('hello', 64),
  row('compiled', 64),
  row('yoga', 64),
  row('constant', 1),
  row('constant', 64),
  row('constant', 256),
  row('unmetered', 64),
  row('postgres', 1, 'hot'),
  row('postgres', 64, 'hot'),
  row('postgres', 256, 'hot'),
  row('postgres', 1, 'spread'),
  row('postgres', 64, 'spread'),
  row('postgres', 256, 'spread'),
  row('pglite', 64, 'spread'),
  row('pglite', 256, 'spread'),
  row('one-by-one', 64, 'hot'),
  row('one-by-one', 64, 'spread'),
];

/** Calls a second of one row over those of another in the same round. */
export type Ratio = {
  readonly says: string;
  readonly of: string;
  readonly over: string;
  /** What we want to reach; null where the ratio only explains. */
  readonly target: number | null;
};

const ratio = (says: string, of: string, over: string, target: number | null = null): Ratio => {
  return { says, of, over, target };
};

export const RATIOS: readonly Ratio[] = [
  ratio('one hot customer, of the constant resolver', 'postgres hot 64', 'constant 64', 0.45),
  ratio('one hot customer, of the constant resolver', 'postgres hot 256', 'constant 256', 0.65),
  ratio('10,000 customers, of the constant resolver', 'postgres spread 64', 'constant 64', 0.45),
  ratio('10,000 customers, of the constant resolver', 'postgres spread 256', 'constant 256', 0.65),
  ratio('one hot customer, of one transaction per request', 'postgres hot 64', 'one-by-one hot 64', 18),
  ratio('10,000 customers, of one transaction per request', 'postgres spread 64', 'one-by-one spread 64', 5),
  ratio('one hot customer, of 10,000', 'postgres hot 64', 'postgres spread 64', 0.9),
  ratio('embedded, of Postgres', 'pglite spread 256', 'postgres spread 256', 0.35),
  ratio('our resolvers, of the constant one', 'unmetered 64', 'constant 64'),
  ratio('with metering, of without', 'postgres spread 64', 'unmetered 64'),
  ratio('the door, of plain yoga with the same resolver', 'constant 64', 'yoga 64', 4),
  ratio('the door, of node:http with the document compiled', 'constant 64', 'compiled 64', 0.6),
  ratio('the constant resolver, of a bare node:http', 'constant 64', 'hello 64'),
];
