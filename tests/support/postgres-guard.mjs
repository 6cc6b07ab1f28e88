/**
 * postgres-guard — owns one Postgres server on behalf of a test run, and outlives the run just long enough to
 * clean up: when its parent ends, however it ends (SIGKILL included), the channel between them closes, the server
 * is stopped and its folder removed.
 *
 * Started by `postgres-cluster.ts` with `fork`; plain JavaScript, because it must start without a loader.
 * Hears `start` and `crash`; says `{ type: 'ready' }` and `{ type: 'exited', log }`.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

/** @type {{ command: string, args: string[], env: Record<string, string>, ids: { uid?: number, gid?: number }, folder: string }} */
const { command, args, env, ids, folder } = JSON.parse(process.argv[2] ?? '{}');
const READY = 'database system is ready to accept connections';
const LOG_CHARACTERS_KEPT = 8_000;

/** @type {import('node:child_process').ChildProcess | undefined} */
let server;

/** @param {{ type: 'ready' } | { type: 'exited', log: string }} message */
function tell(message) {
  if (process.connected) process.send?.(message);
}

function start() {
  let log = '';
  let ready = false;
  const child = spawn(command, args, { ...ids, env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  server = child;
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    log = (log + chunk).slice(-LOG_CHARACTERS_KEPT);
    if (ready || !log.includes(READY)) return;
    ready = true;
    tell({ type: 'ready' });
  });
  child.once('error', (error) => {
    log += String(error);
  });
  child.once('close', () => {
    if (server === child) server = undefined;
    tell({ type: 'exited', log });
  });
}

/** An immediate shutdown: no checkpoint, as if the power had gone; what is committed is in the log. */
function stop(then = () => {}) {
  if (!server) return then();
  server.once('close', then);
  server.kill('SIGQUIT');
}

function leave() {
  stop(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    process.exit(0);
  });
}

process.on('message', (message) => {
  if (message === 'start') start();
  if (message === 'crash') stop();
});
process.once('disconnect', leave);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.once(signal, leave);
