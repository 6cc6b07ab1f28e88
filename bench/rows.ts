/** rows — what is measured, what is compared with what, and what we want to reach. A new row or ratio is a line here. */
import type { Target } from './target.ts';

/** Each is a process of its own; see `servers.ts`. */
export const SERVERS = [
  'hello',
  'compiled',
  'yoga',
  'constant',
  'unmetered',
  'postgres',
  'pglite',
  'one-by-one',
  'single-statement',
  'statement',
  'flexible-pg',
  'flexible-redis',
  'no-webhooks',
] as const;
/** Gateways of other checkouts, by `--against`, in the order of the command line. */
export const BEFORE = ['before', 'before-2'] as const;
export type BeforeName = (typeof BEFORE)[number];
export type ServerName = (typeof SERVERS)[number] | BeforeName;

export type Row = {
  /** Unique; what `--only` looks at. */
  readonly name: string;
  readonly server: ServerName;
  readonly connections: number;
  readonly customers: number;
  /** Calls in one request: one is `consume`, more are `consumeMany`. */
  readonly callsPerRequest: number;
  /** Share of the calls that are sent again, as by whoever has not heard the answer: a key that is known. */
  readonly replayShare: number;
  /** Null: each connection sends its next request when the last one is answered. */
  readonly pace: Pace | null;
  /** Whether somebody asks for the server's health meanwhile; null: nobody does. */
  readonly health: HealthBeside | null;
};

/** How long those who ask for health should wait, at the 99th percentile; null where it is only told. */
export type HealthBeside = { readonly p99Ms: Target | null };

/** An open loop: so many requests a second, or a share of the calls that another row reached in the same round. */
export type Pace = { readonly perSecond: number } | { readonly share: number; readonly of: string };

export const CUSTOMERS = 10_000;

export const row = (server: ServerName, connections: number, customers?: 'hot' | 'spread'): Row => ({
  name: [server, ...(customers ? [customers] : []), connections].join(' '),
  server,
  connections,
  customers: customers === 'hot' ? 1 : CUSTOMERS,
  callsPerRequest: 1,
  replayShare: 0,
  pace: null,
  health: null,
});

/** The rows with the longest batches: how long they keep the event loop from everything else. */
const withHealth = (of: Row, p99AtMostMs: number | null = null): Row => {
  return { ...of, health: { p99Ms: p99AtMostMs === null ? null : { atMost: p99AtMostMs } } };
};

/** What keys that are delivered again cost all who come with them. */
const withReplays = (of: Row): Row => ({ ...of, name: `${of.name} with replays`, replayShare: 0.02 });

/** What a call waits for at a load that leaves room: half of what the gateway can do, and one that a small app may have. */
const OPEN_ROWS: readonly Row[] = [
  { ...row('postgres', 64, 'hot'), name: 'postgres hot open 64, half', pace: { share: 0.5, of: 'postgres hot 64' } },
  {
    ...row('postgres', 64, 'spread'),
    name: 'postgres spread open 64, half',
    pace: { share: 0.5, of: 'postgres spread 64' },
  },
  { ...row('postgres', 64, 'spread'), name: 'postgres spread open 64, 500/s', pace: { perSecond: 500 } },
];

/** Many calls in a request, and the statement alone that saves as many: what is left of it behind the door. */
const MANY_ROWS: readonly Row[] = [
  { ...row('postgres', 16, 'spread'), name: 'postgres many 100, 16', callsPerRequest: 100 },
  { ...row('postgres', 4, 'spread'), name: 'postgres many 1,000, 4', callsPerRequest: 1_000 },
  { ...row('statement', 1, 'spread'), name: 'statement alone 1,000', callsPerRequest: 1_000 },
];

/** What a user might take instead, from npm: see `programs/` for how each is set up. */
const PEER_ROWS: readonly Row[] = [
  row('flexible-pg', 64, 'hot'),
  row('flexible-pg', 64, 'spread'),
  row('flexible-redis', 64, 'hot'),
  row('flexible-redis', 64, 'spread'),
  row('no-webhooks', 64, 'hot'),
  row('no-webhooks', 64, 'spread'),
];

export const ROWS: readonly Row[] = [
  row('hello', 64),
  row('compiled', 64),
  row('yoga', 64),
  row('constant', 1),
  row('constant', 64),
  row('constant', 256),
  row('unmetered', 64),
  row('postgres', 1, 'hot'),
  row('postgres', 16, 'hot'),
  row('postgres', 64, 'hot'),
  row('postgres', 256, 'hot'),
  row('postgres', 1, 'spread'),
  row('postgres', 16, 'spread'),
  row('postgres', 64, 'spread'),
  withReplays(row('postgres', 64, 'spread')),
  withHealth(row('postgres', 256, 'spread')),
  ...OPEN_ROWS,
  ...MANY_ROWS,
  row('pglite', 64, 'spread'),
  withHealth(row('pglite', 256, 'spread'), 50),
  row('one-by-one', 64, 'hot'),
  row('one-by-one', 64, 'spread'),
  row('single-statement', 1, 'hot'),
  row('single-statement', 64, 'hot'),
  row('single-statement', 64, 'spread'),
  ...PEER_ROWS,
];

/** Of one row over another in the same round. */
export type Ratio = {
  readonly says: string;
  readonly of: string;
  readonly over: string;
  readonly measure: Measure;
  /** What we want to reach; null where the ratio only explains. */
  readonly target: Target | null;
  /** Whether even the quickest run tells it. */
  readonly isKey: boolean;
};

/** Calls a second; the processor time of a call, the server's and Postgres' together; the wait that half stay below. */
export type Measure = 'calls' | 'cpu' | 'p50';

const ratio = (says: string, of: string, over: string, atLeast: number | null = null): Ratio => {
  return { says, of, over, measure: 'calls', target: atLeast === null ? null : { atLeast }, isKey: false };
};
/** Of waits, which should be short. */
const waits = (says: string, of: string, over: string, atMost: number): Ratio => {
  return { ...ratio(says, of, over), measure: 'p50', target: { atMost } };
};
const key = (of: Ratio): Ratio => ({ ...of, isKey: true });

export const RATIOS: readonly Ratio[] = [
  key(ratio('one hot customer, of the constant resolver', 'postgres hot 64', 'constant 64', 0.45)),
  ratio('one hot customer, of the constant resolver', 'postgres hot 256', 'constant 256', 0.65),
  key(ratio('10,000 customers, of the constant resolver', 'postgres spread 64', 'constant 64', 0.45)),
  ratio('10,000 customers, of the constant resolver', 'postgres spread 256', 'constant 256', 0.65),
  key(ratio('one hot customer, of one transaction per request', 'postgres hot 64', 'one-by-one hot 64', 18)),
  ratio('10,000 customers, of one transaction per request', 'postgres spread 64', 'one-by-one spread 64', 5),
  ratio('one hot customer, of a bare UPSERT per request', 'postgres hot 64', 'single-statement hot 64'),
  waits('one client, p50, of a bare UPSERT per request', 'postgres hot 1', 'single-statement hot 1', 1.3),
  ratio('10,000 customers, of a bare UPSERT per request', 'postgres spread 64', 'single-statement spread 64'),
  ratio('one hot customer, of rate-limiter-flexible on Postgres', 'postgres hot 64', 'flexible-pg hot 64'),
  ratio('10,000 customers, of rate-limiter-flexible on Postgres', 'postgres spread 64', 'flexible-pg spread 64'),
  key(ratio('one hot customer, of rate-limiter-flexible on Redis', 'postgres hot 64', 'flexible-redis hot 64', 1)),
  ratio('10,000 customers, of rate-limiter-flexible on Redis', 'postgres spread 64', 'flexible-redis spread 64', 1),
  ratio('one hot customer, of stripe-no-webhooks', 'postgres hot 64', 'no-webhooks hot 64'),
  ratio('10,000 customers, of stripe-no-webhooks', 'postgres spread 64', 'no-webhooks spread 64'),
  key(ratio('one hot customer, of 10,000', 'postgres hot 64', 'postgres spread 64', 0.9)),
  ratio('2 % of the keys sent again, of none', 'postgres spread 64 with replays', 'postgres spread 64'),
  ratio('embedded, of Postgres', 'pglite spread 256', 'postgres spread 256', 0.35),
  key(
    ratio('1,000 calls in a request, of the statement alone', 'postgres many 1,000, 4', 'statement alone 1,000', 0.9),
  ),
  ratio('1,000 calls in a request, of one in each', 'postgres many 1,000, 4', 'postgres spread 64'),
  ratio('our resolvers, of the constant one', 'unmetered 64', 'constant 64'),
  ratio('with metering, of without', 'postgres spread 64', 'unmetered 64'),
  ratio('the door, of plain yoga with the same resolver', 'constant 64', 'yoga 64', 4),
  ratio('the door, of node:http with the document compiled', 'constant 64', 'compiled 64', 0.6),
  ratio('the constant resolver, of a bare node:http', 'constant 64', 'hello 64'),
];
