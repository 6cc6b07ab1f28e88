/** children — the processes of a run: started on loopback, and ended whatever happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Program, programFile } from './build.ts';

export type Child = {
  readonly pid: number;
  readonly process: ChildProcess;
  /** @throws with what the process has said, once it has ended by itself. */
  assertAlive(): void;
  /** Asks it to end, and sees to it that it does. */
  end(): Promise<void>;
};
export type Server = Child & { readonly url: string };

type Environment = Readonly<Record<string, string>>;

/** The gateway of this checkout. */
export const BUILT_MAIN = fileURLToPath(new URL('../server/dist/main.js', import.meta.url));
const STARTS_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 12_000;
const SAID_CHARACTERS_KEPT = 4_000;

/**
 * A built gateway, as `node server/dist/main.js`, on a port that is free now.
 *
 * @param main    The file to start, of this checkout or another.
 * @param options For Node itself.
 */
export async function startGateway(
  main: string,
  cwd: string,
  env: Environment,
  options: readonly string[] = [],
): Promise<Server> {
  const port = await freePort();
  const args = [...options, '--import', programFile('leash'), main];
  const child = launch('the gateway', args, cwd, { ...env, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'warn' });
  const url = `http://127.0.0.1:${port}`;
  await startedOrEnded(child, async (signal) => {
    while (!(await isReady(url, signal))) await sleep(50, undefined, { signal });
  });
  return { ...child, url };
}

/** One of our own programs; it says itself where it listens. */
export async function startServer(program: Program, cwd: string, env: Environment = {}): Promise<Server> {
  const child = startProgram(program, cwd, env);
  const { url } = await startedOrEnded(child, () => messageOf<{ url: string }>(child));
  return { ...child, url };
}

/** @param args For the program itself. */
export const startProgram = (
  program: Program,
  cwd: string,
  env: Environment = {},
  args: readonly string[] = [],
): Child => launch([program, ...args.slice(0, 1)].join(' '), [programFile(program), ...args], cwd, env);

/** The next thing the child says over its channel. The programs are ours, and say nothing else than `T`. */
export const messageOf = <T>({ process: child }: Child): Promise<T> =>
  new Promise((resolve) => child.once('message', (message) => resolve(message as T)));

/** @throws with what the process has said, if it ends before `until` settles, or that takes too long. */
export async function startedOrEnded<T>(
  child: Child,
  until: (signal: AbortSignal) => Promise<T>,
  withinMs = STARTS_WITHIN_MS,
): Promise<T> {
  const stop = new AbortController();
  const watch = async (): Promise<never> => {
    for (const endsAtMs = performance.now() + withinMs; performance.now() < endsAtMs; ) {
      await sleep(50, undefined, { signal: stop.signal });
      child.assertAlive();
    }
    throw new Error(`a process of the bench did not answer within ${withinMs / 1_000} s`);
  };
  try {
    return await Promise.race([until(stop.signal), watch()]);
  } finally {
    stop.abort();
  }
}

function launch(name: string, args: readonly string[], cwd: string, env: Environment): Child {
  const { PATH = '', TMPDIR } = process.env;
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH, ...(TMPDIR && { TMPDIR }), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-SAID_CHARACTERS_KEPT);
    });
  }
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  return {
    pid: child.pid ?? 0,
    process: child,
    assertAlive() {
      if (hasEnded()) throw new Error(`${name} ended with ${child.signalCode ?? child.exitCode}: ${said.trim()}`);
    },
    async end() {
      if (hasEnded()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function isReady(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal })).ok;
  } catch {
    return false; // it does not listen yet
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
