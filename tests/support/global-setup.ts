/** global-setup — what the whole run shares: one Postgres, one browser found, one folder for databases. Each is told to the tests by `inject`. */
import { rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { type BrowserBinary, BrowserUnavailableError, findBrowserBinary } from './browser-binary.ts';
import { PostgresUnavailableError } from './postgres-binaries.ts';
import { startPostgresCluster } from './postgres-cluster.ts';
import { dropDatabasesOfRun, newRunName } from './postgres-run.ts';
import { scratchFolder } from './scratch.ts';

/** What a test can have, or the reason why it cannot have it here. */
export type Offer<T> =
  | { readonly available: true; readonly value: T }
  | { readonly available: false; readonly reason: string };
export type PostgresOffer = Offer<{ readonly url: string; readonly run: string }>;
export type BrowserOffer = Offer<BrowserBinary>;

declare module 'vitest' {
  interface ProvidedContext {
    postgres: PostgresOffer;
    browser: BrowserOffer;
    /** A folder for what lasts until the run ends: its processes are ended without a word, and remove nothing. */
    databases: string;
  }
}

type Shared<T> = { readonly shared: T; readonly end: () => Promise<void> };
type Rooms = Map<string, { users: number; shared: Promise<Shared<unknown>> }>;

/** Every vitest project loads this file anew, so what they share hangs on the process. */
const ROOMS = Symbol.for('metergraph.tests.shared');
const holder = globalThis as typeof globalThis & { [ROOMS]?: Rooms }; // nothing types a symbol on the global object
holder[ROOMS] ??= new Map();
const rooms = holder[ROOMS];

export async function shareOnce<T>(name: string, make: () => Promise<Shared<T>>) {
  const room = rooms.get(name) ?? { users: 0, shared: make() };
  rooms.set(name, room);
  room.users += 1;
  const shared = (await room.shared) as Shared<T>; // what is kept under a name was made by the same function
  const leave = async () => {
    room.users -= 1;
    if (room.users > 0) return;
    rooms.delete(name);
    await shared.end();
  };
  return { shared: shared.shared, leave };
}

/**
 * @throws in CI (`CI=true`) where one of the two is missing: there, a test that cannot run is a failure.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await shareOnce('postgres', offerPostgres);
  project.provide('postgres', postgres.shared);
  const folder = await shareOnce('databases', makeFolder);
  project.provide('databases', folder.shared);
  const leave = async () => {
    await folder.leave();
    await postgres.leave();
  };
  const needsBrowser = project.name === 'e2e';
  if (!needsBrowser) return leave;
  const browser = await shareOnce('browser', offerBrowser);
  project.provide('browser', browser.shared);
  return async () => {
    await browser.leave();
    await leave();
  };
}

async function makeFolder(): Promise<Shared<string>> {
  const folder = scratchFolder('databases');
  return { shared: folder, end: async () => rmSync(folder, { recursive: true, force: true }) };
}

async function offerPostgres(): Promise<Shared<PostgresOffer>> {
  const run = newRunName();
  const preferred = process.env.METERGRAPH_TEST_POSTGRES_URL;
  if (preferred) {
    return {
      shared: { available: true, value: { url: preferred, run } },
      end: () => dropDatabasesOfRun(preferred, run),
    };
  }
  try {
    const cluster = await startPostgresCluster();
    return { shared: { available: true, value: { url: cluster.url, run } }, end: cluster.stop };
  } catch (error) {
    if (!(error instanceof PostgresUnavailableError)) throw error;
    return unavailable('Postgres', error);
  }
}

async function offerBrowser(): Promise<Shared<BrowserOffer>> {
  try {
    return { shared: { available: true, value: await findBrowserBinary() }, end: async () => {} };
  } catch (error) {
    if (!(error instanceof BrowserUnavailableError)) throw error;
    return unavailable('the browser', error);
  }
}

function unavailable(what: string, error: Error): Shared<{ readonly available: false; readonly reason: string }> {
  if (isCI()) throw new Error(`${what} cannot run here, and in CI that is a failure: ${error.message}`);
  process.stderr.write(`\n!!! SKIPPED: every test that needs ${what}. Reason: ${error.message}\n\n`);
  return { shared: { available: false, reason: error.message }, end: async () => {} };
}

const isCI = (): boolean => !['', 'false', '0'].includes(process.env.CI ?? '');
