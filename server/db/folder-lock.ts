/**
 * folder-lock — one process at a time in a data folder. PGlite has no lock of its own: two on one folder lose rows.
 *
 * Each holder has a numbered folder in `<dataDir>/lock/`, and the highest number counts. It is put there whole, by one
 * rename that fails if the number is taken, and it goes only after a higher one is there; so of two processes that
 * follow a dead holder exactly one gets the next number.
 *
 * A holder lives as long as its socket, beside its number, takes connections. That is the kernel's word: a crash ends
 * it, a busy or stopped process does not, and neither a reused process id nor another container is mistaken. Where a
 * file system has no sockets, the process id and its start time decide. Age never does.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';

/** Who holds a folder. */
export type FolderHolder = {
  readonly pid: number;
  /** Where it listens; null until it does. */
  readonly url: string | null;
};

export interface FolderLock {
  /** Tells those who come later where this process listens. */
  publishUrl(url: string): void;
  /** Lets the next one in. Close the database before. A second call does nothing. */
  release(): Promise<void>;
}

export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
  readonly code = 'DATA_FOLDER_IN_USE';
  readonly holder: FolderHolder;

  constructor(dataDir: string, holder: FolderHolder) {
    const where = holder.url === null ? 'which is still starting' : `at ${holder.url}`;
    super(
      `The data folder ${dataDir} is in use by process ${holder.pid}, ${where}. ` +
        'Use that one, stop it first, or choose another folder with METERGRAPH_DATA_DIR.',
    );
    this.holder = holder;
  }
}

/**
 * Takes the folder, which is created if need be. Call it before the database is opened.
 *
 * @throws {DataFolderInUseError} when a live process, this one included, holds it.
 */
export async function acquireFolderLock(dataDir: string): Promise<FolderLock> {
  const locks = lockFolder(dataDir);
  mkdirSync(locks, { recursive: true });
  for (;;) {
    const last = highest(locks);
    const holder = await liveHolderOf(join(locks, String(last)));
    if (holder) throw new DataFolderInUseError(resolve(dataDir), holder);
    const lock = await claim(locks, last + 1);
    if (lock) return lock;
    // Another process was quicker: look again at what it left.
  }
}

/** Who holds the folder now; null when nobody does. For commands that talk to the running gateway. */
export async function folderHolder(dataDir: string): Promise<FolderHolder | null> {
  const locks = lockFolder(dataDir);
  return liveHolderOf(join(locks, String(highest(locks))));
}

/** Inside the data folder, so that it is shared by all who share that, through a link or a container's volume too. */
const lockFolder = (dataDir: string): string => join(resolve(dataDir), 'lock');

/** 0 when there was never a holder. */
function highest(locks: string): number {
  const names = attempt(() => readdirSync(locks), ['ENOENT']) ?? [];
  return Math.max(0, ...names.filter((name) => /^\d+$/.test(name)).map(Number));
}

/** Makes the holder's folder under a name of its own, socket and all, then gives it the number in one step. */
async function claim(locks: string, number: number): Promise<FolderLock | null> {
  const draft = join(locks, `new-${randomBytes(4).toString('hex')}`);
  mkdirSync(draft);
  const { server, socket } = await listen(draft);
  const record: HolderRecord = { pid: process.pid, startedAt: startOf(process.pid), socket, url: null };
  writeRecord(draft, record);
  const place = join(locks, String(number));
  const taken = takeNumber(locks, draft, number);
  // A number can be free again below a higher one; that one counts.
  if (!taken || highest(locks) !== number) {
    await close(server);
    rmSync(taken ? place : draft, { recursive: true, force: true });
    return null;
  }
  removeLower(locks, number);
  return heldLock(place, record, server);
}

/** @returns false when the number, or a higher one, is another's. How a system says so differs. */
function takeNumber(locks: string, draft: string, number: number): boolean {
  try {
    renameSync(draft, join(locks, String(number)));
    return true;
  } catch (error) {
    if (highest(locks) >= number) return false;
    throw error;
  }
}

function heldLock(place: string, record: HolderRecord, server: Server | null): FolderLock {
  let url: string | null = null;
  let released: Promise<void> | undefined;
  return {
    publishUrl(newUrl) {
      url = newUrl;
      if (!released) writeRecord(place, { ...record, url });
    },
    release() {
      released ??= (async () => {
        writeRecord(place, { ...record, url, released: true });
        await close(server);
      })();
      return released;
    },
  };
}

function removeLower(locks: string, number: number): void {
  for (const name of readdirSync(locks)) {
    if (!/^\d+$/.test(name) || Number(name) >= number) continue;
    // A slower process may be giving the number up at this moment; what remains is removed next time.
    attempt(() => rmSync(join(locks, name), { recursive: true, force: true }), ['ENOTEMPTY', 'EPERM', 'EBUSY']);
  }
}

/** What a holder writes about itself. `socket` is a file beside it, or a pipe's full name on Windows. */
type HolderRecord = {
  readonly pid: number;
  readonly startedAt: string | null;
  readonly socket: string | null;
  readonly url: string | null;
  readonly released?: true;
};

const RECORD = 'holder.json';

/** Replaced whole, so that a reader never sees half of it. */
function writeRecord(folder: string, record: HolderRecord): void {
  const draft = join(folder, `${RECORD}.new`);
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(draft, join(folder, RECORD));
}

function readRecord(folder: string): HolderRecord | null {
  const text = attempt(() => readFileSync(join(folder, RECORD), 'utf8'), ['ENOENT']);
  return text === undefined ? null : JSON.parse(text);
}

async function liveHolderOf(folder: string): Promise<FolderHolder | null> {
  const record = readRecord(folder);
  if (!record || record.released) return null;
  const lives = record.socket === null ? processLives(record) : await takesConnections(folder, record.socket);
  return lives ? { pid: record.pid, url: record.url } : null;
}

const SOCKET = 's';
/** A socket's path fits into 104 bytes on macOS and 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 100;

async function listen(folder: string): Promise<{ server: Server | null; socket: string | null }> {
  const socket = process.platform === 'win32' ? `\\\\.\\pipe\\metergraph-${randomBytes(16).toString('hex')}` : SOCKET;
  const path = socketPath(folder, socket);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) return { server: null, socket: null };
  const server = createServer((connection) => connection.destroy());
  const listening = await new Promise<boolean>((done) => {
    server.once('error', () => done(false));
    server.listen(path, () => done(true));
  });
  server.unref();
  return listening ? { server, socket } : { server: null, socket: null };
}

const socketPath = (folder: string, socket: string): string => (socket === SOCKET ? join(folder, SOCKET) : socket);

/** The backlog takes connections even while the holder is busy. Anything but a plain "nobody there" counts as alive. */
function takesConnections(folder: string, socket: string): Promise<boolean> {
  return new Promise((done) => {
    const connection = connect(socketPath(folder, socket));
    connection.once('connect', () => {
      connection.destroy();
      done(true);
    });
    connection.once('error', (error) => done(!isOneOf(error, ['ECONNREFUSED', 'ENOENT'])));
  });
}

function close(server: Server | null): Promise<void> {
  return new Promise((done) => (server ? server.close(() => done()) : done()));
}

function processLives({ pid, startedAt }: HolderRecord): boolean {
  if (startedAt !== null) return startOf(pid) === startedAt;
  return attempt(() => process.kill(pid, 0), ['ESRCH']) ?? false;
}

/** Tells a process from a later one with the same id; null where the system does not say, or there is none. */
function startOf(pid: number): string | null {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), ['ENOENT', 'EACCES']);
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), ['ENOENT', 'ESRCH', 'EACCES']);
  if (boot === undefined || stat === undefined) return null;
  // The name, in parentheses, may hold anything; the start time is the 20th field after it.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${boot.trim()}/${ticks}`;
}

/** Undefined where it fails for one of the expected reasons. */
function attempt<T>(work: () => T, expected: readonly string[]): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isOneOf(error, expected)) return undefined;
    throw error;
  }
}

const isOneOf = (error: unknown, codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
