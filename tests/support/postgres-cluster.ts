/** postgres-cluster — a real Postgres of one's own in a temporary folder, gone when its owner is. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  PostgresUnavailableError,
  postgresBinaries,
  type RunAs,
  reachableTempFolder,
  unprivilegedUser,
} from './postgres-binaries.ts';

export type PostgresCluster = {
  /** Of the superuser, on database `postgres`. Only 127.0.0.1 is listened on. */
  readonly url: string;
  /** Stops the server at once, as a crash would. Its data stays; connections break. */
  crash(): Promise<void>;
  /** Starts a crashed server again, on the same port. */
  restart(): Promise<void>;
  /** Ends the server and removes its folder. Also happens by itself when this process ends, however it ends. */
  stop(): Promise<void>;
};

type GuardMessage = { type: 'ready' } | { type: 'exited'; log: string };

const GUARD = fileURLToPath(new URL('./postgres-guard.mjs', import.meta.url));
const START_ATTEMPTS = 3;

/**
 * Starts a server with Postgres's own defaults for durability (`fsync`, `synchronous_commit` on) and a linguistic
 * default collation, so that an `ORDER BY` which relies on byte order without saying so is found out.
 *
 * @throws PostgresUnavailableError where this platform or user cannot run one.
 */
export async function startPostgresCluster(): Promise<PostgresCluster> {
  const runAs = unprivilegedUser();
  const folder = mkdtempSync(join(reachableTempFolder(runAs), 'metergraph-postgres-'));
  try {
    giveTo(runAs, folder);
    const programs = await postgresBinaries(folder, runAs);
    const password = randomBytes(16).toString('hex');
    await initialise(programs.initdb, folder, password, runAs);
    return await startOnFreePort(programs.postgres, folder, password, runAs);
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    if (cause instanceof PostgresUnavailableError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PostgresUnavailableError(`Postgres did not start: ${reason}`, { cause });
  }
}

function giveTo({ uid, gid }: RunAs, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

async function initialise(initdb: string, folder: string, password: string, runAs: RunAs): Promise<void> {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password);
  chmodSync(passwordFile, 0o600);
  giveTo(runAs, passwordFile);
  const args = [`--pgdata=${join(folder, 'data')}`, '--username=postgres', `--pwfile=${passwordFile}`, '--no-sync'];
  args.push('--auth=scram-sha-256', '--encoding=UTF8', '--locale=C');
  const run = promisify(execFile);
  const options = { ...runAs, env: environment(), cwd: folder };
  try {
    await run(initdb, [...args, '--locale-provider=icu', '--icu-locale=en-US'], options);
  } catch (error) {
    if (!String(error).includes('ICU is not supported')) throw error;
    await run(initdb, args, options);
  }
}

/** Nothing of the caller's own Postgres settings (`PGDATA`, `PGPORT` …) reaches the server. */
function environment(): Record<string, string> {
  const { PATH = '', SystemRoot } = process.env;
  return { PATH, LC_ALL: 'C', TZ: 'UTC', ...(SystemRoot ? { SystemRoot } : {}) };
}

/** Another process may take the port between finding and using it, so a failed start is tried again on another. */
async function startOnFreePort(command: string, folder: string, password: string, runAs: RunAs) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const guard = forkGuard({ command, args: serverArguments(folder, port), env: environment(), ids: runAs, folder });
    try {
      await startServer(guard);
      return clusterBehind(guard, `postgres://postgres:${password}@127.0.0.1:${port}/postgres`);
    } catch (error) {
      const portTaken = String(error).includes('could not bind');
      if (!portTaken || attempt === START_ATTEMPTS) {
        await endGuard(guard);
        throw error;
      }
      guard.kill('SIGKILL'); // it has no server; the folder is still needed
    }
  }
}

function serverArguments(folder: string, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    timezone: 'UTC',
    lc_messages: 'C',
  };
  return [
    '-D',
    join(folder, 'data'),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/** Detached, so that Ctrl-C in the terminal reaches the tests first and the server only through them. */
function forkGuard(plan: object): ChildProcess {
  const guard = fork(GUARD, [JSON.stringify(plan)], { detached: true, execArgv: [], stdio: 'ignore' });
  guard.unref();
  guard.channel?.unref();
  return guard;
}

function clusterBehind(guard: ChildProcess, url: string): PostgresCluster {
  return {
    url,
    crash: async () => {
      const exited = nextMessage(guard);
      guard.send('crash');
      await exited;
    },
    restart: () => startServer(guard),
    stop: () => endGuard(guard),
  };
}

async function startServer(guard: ChildProcess): Promise<void> {
  const answer = nextMessage(guard);
  guard.send('start');
  const message = await answer;
  if (message.type === 'exited') throw new Error(message.log.trim() || 'it ended without a word');
}

function nextMessage(guard: ChildProcess): Promise<GuardMessage> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the process guarding Postgres has ended'));
    guard.once('exit', gone);
    guard.channel?.ref();
    guard.once('message', (message) => {
      guard.off('exit', gone);
      guard.channel?.unref();
      resolve(message as GuardMessage); // the guard is ours and says nothing else
    });
  });
}

function endGuard(guard: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (guard.exitCode !== null || guard.signalCode !== null) return resolve();
    guard.ref();
    guard.once('exit', () => resolve());
    guard.disconnect();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
