/**
 * bench — `npm run bench`: how fast a consume is, as ratios of rows measured in turn in one run on one machine.
 *
 * Builds what is stale, then starts a Postgres of its own, the built gateway, and the servers it is compared with, each
 * in its own process, on loopback; ends them all. What the figures mean: `docs/performance.md`.
 */
import { writeFileSync } from 'node:fs';
import { build } from '../scripts/build.mjs';
import { buildPrograms } from './build.ts';
import { fanOutReport } from './fan-out/figures.ts';
import { measureFanOut } from './fan-out/measure.ts';
import { FAN_OUT_DEFAULTS } from './fan-out/run.ts';
import { readOptions, USAGE, UsageError } from './options.ts';
import { profile } from './profile/index.ts';
import { isSound, report } from './report.ts';
import { run } from './run.ts';
import type { Run } from './samples.ts';

/** On stderr, so that the tables on stdout can be kept as they are. */
const say = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

/** As it would be typed. */
const quoted = (word: string): string => (/^[\w./=-]+$/.test(word) ? word : `'${word}'`);

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (!options) return console.log(USAGE);
  if (!options.skipBuild) await build({ say });
  await buildPrograms();
  if (options.profile !== null) return console.log(await profile(options.profile, options, say));
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args.map(quoted)] : [])].join(' ');
  const result = await run(options, command, say);
  console.log(report(result));
  keep(result, options.jsonFile); // whatever becomes of the subscribers, the rounds are not lost
  if (options.withFanOut) {
    const fanOut = await measureFanOut(FAN_OUT_DEFAULTS, say);
    console.log(`\n${fanOutReport(fanOut)}`);
    keep({ ...result, fanOut }, options.jsonFile);
  }
  if (!isSound(result)) process.exitCode = 1;
}

function keep(result: Run, file: string | null): void {
  if (file !== null) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

// The processes of a run end when this one does, however it does; its files are removed as it exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 1;
}
