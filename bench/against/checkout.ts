/** checkout — another built checkout of this project, of which we use only what a checkout has had from the beginning. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Books } from '../books.ts';
import { UsageError } from '../options.ts';

export type Checkout = {
  /** Its gateway, built. */
  readonly main: string;
  readonly commit: string;
  /** Fills a fresh database, with its own code. */
  seed(databaseUrl: string, customers: number): Promise<void>;
  /** Whether a database holds what its callers were told, by its own reading. */
  readBooks(databaseUrl: string, accepted: number): Promise<Books>;
};

/** What must be there, and what to do where it is not. */
const PARTS = [
  ['bench/seed.ts', 'it is no checkout of this project'],
  ['node_modules', 'run "npm ci" in it'],
  ['server/dist/main.js', 'run "npm run build" in it'],
] as const;

const IN_CHECKOUT = fileURLToPath(new URL('./in-checkout.mjs', import.meta.url));
const WITHIN_MS = 60_000;

/** @throws {UsageError} where the folder holds no built checkout. */
export function openCheckout(path: string): Checkout {
  const folder = resolve(path);
  for (const [part, advice] of PARTS) {
    if (!existsSync(join(folder, part))) throw new UsageError(`--against is "${path}", without ${part}: ${advice}.`);
  }
  const inside = (verb: 'seed' | 'books', databaseUrl: string, count: number) =>
    runIn(folder, [verb, databaseUrl, String(count)]);
  return {
    main: join(folder, 'server/dist/main.js'),
    commit: commitOf(folder),
    seed: async (databaseUrl, customers) => void (await inside('seed', databaseUrl, customers)),
    readBooks: async (databaseUrl, accepted) => (await inside('books', databaseUrl, accepted)) as Books, // its own, of the same shape
  };
}

async function runIn(folder: string, args: readonly string[]): Promise<unknown> {
  const tsx = createRequire(join(folder, 'package.json')).resolve('tsx');
  const { PATH = '' } = process.env;
  const command = ['--import', pathToFileURL(tsx).href, IN_CHECKOUT, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    cwd: folder,
    env: { PATH },
    timeout: WITHIN_MS,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

function commitOf(folder: string): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'server') === '' ? '' : '+'}`;
  } catch {
    return 'unknown'; // copied without its history
  }
}
