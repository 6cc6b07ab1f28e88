/**
 * simulate — lives of the real engine beside the model, as many and as long as one likes:
 *
 * ```
 * npm run simulate -- --runs 10000 --commands 200 --seed 7
 * ```
 *
 * A disagreement is printed as the shortest script that shows it, with the seed and `--path` that lead back to it.
 */
import { parseArgs } from 'node:util';
import { migrate } from '../../server/db/migrate.ts';
import { openPglite } from '../../server/db/pglite.ts';
import { liveManyTimes, type Progress } from './runs.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    commands: { type: 'string', default: '100' },
    seed: { type: 'string' },
    path: { type: 'string' },
  },
});
const runs = wholeNumber('runs', values.runs);
const commands = wholeNumber('commands', values.commands);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', values.seed);

const startedMs = performance.now();
let shownMs = startedMs;
const database = await openPglite();
await migrate(database);
const { path } = values;
const report = await liveManyTimes(database, { runs, commands, seed, onProgress, ...(path !== undefined && { path }) });
await database.close();
show(report);
if (report.failure !== null) console.error(`\n${report.failure}`);
process.exitCode = report.failure === null ? 0 : 1;

function onProgress(progress: Progress): void {
  if (performance.now() - shownMs < 5_000) return;
  shownMs = performance.now();
  show(progress);
}

function show({ lives, steps }: Progress): void {
  const seconds = (performance.now() - startedMs) / 1_000;
  const perStep = ((seconds * 1_000) / Math.max(steps, 1)).toFixed(1);
  console.log(`seed ${seed}: ${lives} of ${runs} lives, ${steps} steps, ${seconds.toFixed(0)} s, ${perStep} ms a step`);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`--${name} is "${text}"; write a whole number above 0`);
  process.exit(2);
}
