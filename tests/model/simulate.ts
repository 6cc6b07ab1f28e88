/**
 * simulate — lives of the real engine beside the model, as many and as long as one likes:
 *
 * ```
 * npm run simulate -- --runs 10000 --commands 200 --seed 7
 * ```
 *
 * Each worker is a process with a database of its own, and a seed of its own: the one that is given, and those after it. A
 * disagreement is printed as the shortest script that shows it, with the seed and the `--path` that lead back to it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { migrate } from '../../server/db/migrate.ts';
import { openPglite } from '../../server/db/pglite.ts';
import { liveManyTimes, type Progress } from './runs.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    commands: { type: 'string', default: '100' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    path: { type: 'string' },
  },
});
const { path } = values;
const runs = wholeNumber('runs', values.runs);
const commands = wholeNumber('commands', values.commands);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', values.seed);
const workers = path === undefined ? Math.min(wholeNumber('workers', values.workers), runs) : 1;

process.exitCode = workers === 1 ? await simulate() : await simulateBeside();

/** @returns the exit code: 1 where engine and model disagree. */
async function simulate(): Promise<number> {
  const startedMs = performance.now();
  let shownMs = startedMs;
  const show = ({ lives, steps }: Progress): void => {
    const seconds = (performance.now() - startedMs) / 1_000;
    const perStep = ((seconds * 1_000) / Math.max(steps, 1)).toFixed(1);
    console.log(
      `seed ${seed}: ${lives} of ${runs} lives, ${steps} steps, ${seconds.toFixed(0)} s, ${perStep} ms a step`,
    );
    shownMs = performance.now();
  };
  const onProgress = (progress: Progress): void => {
    if (performance.now() - shownMs >= 5_000) show(progress);
  };
  const database = await openPglite();
  await migrate(database);
  const report = await liveManyTimes(database, {
    runs,
    commands,
    seed,
    onProgress,
    ...(path !== undefined && { path }),
  });
  await database.close();
  show(report);
  if (report.failure === null) return 0;
  console.error(`\n${report.failure}`);
  return 1;
}

/** Shares the lives out. @returns the exit code. */
async function simulateBeside(): Promise<number> {
  const shares = Array.from({ length: workers }, (_, i) => Math.floor((runs + i) / workers));
  const codes = shares.map(async (share, i) => {
    const args = ['--runs', share, '--commands', commands, '--seed', seed + i, '--workers', 1].map(String);
    const [code] = await once(fork(fileURLToPath(import.meta.url), args), 'exit');
    return code === 0 ? 0 : 1; // also where a signal has ended it
  });
  return Math.max(...(await Promise.all(codes)));
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`--${name} is "${text}"; write a whole number above 0`);
  process.exit(2);
}
