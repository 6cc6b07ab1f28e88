/** gateway-process — the gateway as people run it: a process of its own, with an environment, a banner and an exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterUse } from './after-use.ts';
import './built.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type GatewayProcess = {
  readonly pid: number;
  /** What it has printed so far, and what it has logged. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Settles when the banner is there; rejects with all that was said if the process ends before. */
  readonly listening: Promise<{ readonly url: string; readonly key: string | null }>;
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
};

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs the command `metergraph` (`start`, unless `args` say otherwise) as it is built, with these variables and no others.
 * It is killed after the test.
 *
 * @param env `PORT` is any free one unless it is named here.
 */
export function spawnGateway(env: Readonly<Record<string, string>>, args: readonly string[] = []): GatewayProcess {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const child = spawn(process.execPath, ['server/dist/cli.js', ...args], {
    cwd: ROOT,
    env: { PATH, HOME, TMPDIR, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const exited = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }));
  afterUse(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    pid: child.pid ?? 0,
    stdout,
    stderr,
    listening: bannerOf(child, stdout, stderr),
    exited,
    kill: (signal) => void child.kill(signal),
  };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return () => text;
}

function bannerOf(child: ChildProcess, stdout: () => string, stderr: () => string) {
  const listening = new Promise<{ url: string; key: string | null }>((resolve, reject) => {
    child.stdout?.on('data', () => {
      // The banner is written in one piece; the call to try is the last of it.
      const url = /Live page +(http:\/\/\S+)\/\n/.exec(stdout())?.[1];
      const key = /mg_(?:live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}/.exec(stdout())?.[0] ?? null;
      if (url && stdout().endsWith('\n\n')) resolve({ url, key });
    });
    child.once('close', () => reject(new Error(`the gateway ended before it listened:\n${stdout()}${stderr()}`)));
  });
  listening.catch(() => {}); // a test may be about the refusal instead
  return listening;
}
