/**
 * profile — `npm run bench -- --profile <folder>`: where the time of one consume goes, from the door to the commit.
 *
 * The built gateway runs under V8's own sampling profiler, and is called as in one row of the bench. What each function
 * took itself is summed by room and by folder; what Node's own code took counts for whoever called it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureRow } from '../measure/row.ts';
import type { Options, Profiling } from '../options.ts';
import { type Row, row } from '../rows.ts';
import type { Say } from '../run.ts';
import { createWorld } from '../world.ts';
import { profiled } from './call-tree.ts';
import { nowUs, readCpuProfile } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { sourceReader } from './source-of.ts';
import { tables } from './tables.ts';

/** Has most of the gateway's code compiled in a few seconds; a single connection would take a minute. */
const WARMING = row('postgres', 64, 'hot');
const WARM_MS = 6_000;
const PROFILE_MS = 8_000;
const QUICK_SHARE = 0.25;
/** Of a sample. At V8's own 1,000 a short function is seldom seen; much below, sampling itself shows. */
const INTERVAL_US = 400;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Writes `consume.svg` and `consume.cpuprofile` into the folder. @returns the tables. */
export async function profile(
  { folder, row: profiledRow }: Profiling,
  { keyOnly }: Pick<Options, 'keyOnly'>,
  say: Say,
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const share = keyOnly ? QUICK_SHARE : 1;
  say('starting Postgres and the gateway');
  const world = await createWorld(new Set([profiledRow.server]), [], (runFolder) => [
    '--cpu-prof',
    `--cpu-prof-dir=${join(runFolder, 'profile')}`,
    `--cpu-prof-interval=${INTERVAL_US}`,
  ]);
  try {
    say('warming up');
    const measure = (row: Row, forMs: number, keyPrefix: string) =>
      measureRow(world, row, { warmUpMs: 0, requestsPerSecond: null, measureMs: forMs * share }, keyPrefix);
    await measure(WARMING, WARM_MS, 'warm');
    if (profiledRow.name !== WARMING.name) await measure(profiledRow, WARM_MS, 'warm-too');
    say(`profiling ${profiledRow.name}`);
    const fromUs = nowUs();
    const sample = await measure({ ...profiledRow, health: null }, PROFILE_MS, 'profile'); // nothing but calls
    const toUs = nowUs();
    await world.endServers(); // the profile is written as the gateway exits
    const cpuProfile = readCpuProfile(join(world.folder, 'profile'));
    const found = profiled(cpuProfile, fromUs, toUs, sourceReader(ROOT));
    const title = `One consume: ${profiledRow.name} connections, ${sample.calls} calls`;
    writeFileSync(join(folder, 'consume.cpuprofile'), JSON.stringify(cpuProfile));
    // A sample tells who was at work, not whether the system let it: on a busy machine it may have waited meanwhile. So of
    // what was sampled only the shares are taken, and the time of a call is what the kernel has counted.
    const perCallUs = sample.serverCpuUs ?? found.busyUs / sample.calls;
    writeFileSync(join(folder, 'consume.svg'), flameGraph(found.tree, title, found.busyUs / perCallUs));
    return tables(found, sample, perCallUs);
  } finally {
    await world.close();
  }
}
