/** servers — how each server of a run is started, and how the books of what it writes are read. */
import { join } from 'node:path';
import { openPglite } from '../server/db/pglite.ts';
import type { Checkout } from './against/checkout.ts';
import { type Books, countedOnly, readBooks } from './books.ts';
import { API_KEY } from './catalog.ts';
import { BUILT_MAIN, type Child, type Server, startGateway, startServer } from './children.ts';
import { type Databases, openForReading, seedPglite, sumOf, withDatabase } from './databases.ts';
import { PEER_STARTS } from './peers/starts.ts';
import { BEFORE, type BeforeName, CUSTOMERS, type ServerName } from './rows.ts';

/** What servers are started with. */
export type Place = {
  readonly folder: string;
  readonly databases: Databases;
  readonly checkouts: readonly Checkout[];
  /** For the Node of the gateway on Postgres. */
  readonly nodeOptions: readonly string[];
  /** Has a child ended with the run. */
  kept<T extends Child>(starting: T | Promise<T>): Promise<T>;
};

export type Ledger = {
  /** @param accepted What the callers were told. */
  read(accepted: number): Promise<Books>;
  /** Whether its server must have ended first: an embedded database belongs to one process. */
  readonly isEmbedded: boolean;
};

export type Started = {
  readonly server: Server;
  /** Null for a server that writes nothing. */
  readonly ledger: Ledger | null;
  /** The process, with its children, that keeps what is counted; left out: Postgres. */
  readonly storePid?: number;
};

/** Why a server cannot be had on this machine; its rows are left out. */
export type Missing = { readonly missing: string };

export type Start = (place: Place) => Promise<Started | Missing>;

const OWN = { METERGRAPH_BOOTSTRAP_KEY: API_KEY, METERGRAPH_DEMO: '0' };

const before =
  (name: BeforeName): Start =>
  async ({ folder, databases, checkouts, kept }) => {
    const checkout = checkouts[BEFORE.indexOf(name)];
    if (!checkout) throw new Error(`there is no checkout for "${name}"`);
    const url = await databases.empty(name);
    await checkout.seed(url, CUSTOMERS);
    const server = await kept(startGateway(checkout.main, folder, { ...OWN, DATABASE_URL: url }));
    return { server, ledger: { read: (accepted) => checkout.readBooks(url, accepted), isEmbedded: false } };
  };

export const STARTS: Readonly<Record<ServerName, Start>> = {
  ...PEER_STARTS,
  hello: async ({ folder, kept }) => ({ server: await kept(startServer('hello', folder)), ledger: null }),
  compiled: async ({ folder, kept }) => ({ server: await kept(startServer('compiled', folder)), ledger: null }),
  yoga: async ({ folder, kept }) => ({ server: await kept(startServer('yoga', folder)), ledger: null }),
  constant: async ({ folder, databases, kept }) => {
    const env = { DATABASE_URL: await databases.seeded('batched') };
    return { server: await kept(startServer('constant', folder, env)), ledger: null };
  },
  unmetered: async ({ folder, databases, kept }) => {
    const env = { DATABASE_URL: await databases.seeded('batched') };
    return { server: await kept(startServer('unmetered', folder, env)), ledger: null };
  },
  postgres: async ({ folder, databases, nodeOptions, kept }) => {
    const url = await databases.seeded('batched');
    const server = await kept(startGateway(BUILT_MAIN, folder, { ...OWN, DATABASE_URL: url }, nodeOptions));
    return { server, ledger: ledgerOf(url) };
  },
  pglite: async ({ folder, kept }) => {
    const dataDir = join(folder, 'pglite');
    await seedPglite(dataDir);
    const server = await kept(startGateway(BUILT_MAIN, folder, { ...OWN, METERGRAPH_DATA_DIR: dataDir }));
    const read = async (accepted: number) =>
      withDatabase(await openPglite(dataDir), (database) => readBooks(database, accepted));
    return { server, ledger: { read, isEmbedded: true } };
  },
  'one-by-one': async ({ folder, databases, kept }) => {
    const url = await databases.seeded('one_by_one');
    return { server: await kept(startServer('one-by-one', folder, { DATABASE_URL: url })), ledger: ledgerOf(url) };
  },
  'single-statement': async ({ folder, databases, kept }) => {
    const url = await databases.seeded('single_statement');
    const server = await kept(startServer('single-statement', folder, { DATABASE_URL: url }));
    const read = async (accepted: number) =>
      countedOnly(accepted, await sumOf(url, 'SELECT used FROM single_counters'));
    return { server, ledger: { read, isEmbedded: false } };
  },
  statement: async ({ folder, databases, kept }) => {
    const url = await databases.seeded('statement');
    return { server: await kept(startServer('statement', folder, { DATABASE_URL: url })), ledger: ledgerOf(url) };
  },
  before: before('before'),
  'before-2': before('before-2'),
};

const ledgerOf = (url: string): Ledger => ({
  read: (accepted) => withDatabase(openForReading(url), (database) => readBooks(database, accepted)),
  isEmbedded: false,
});
