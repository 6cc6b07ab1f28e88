/**
 * profile — `npm run bench -- --profile <folder>`: where the time of one consume goes, from the door to the commit.
 *
 * The built gateway runs under V8's own sampling profiler, and is called by 64 connections for one customer. What each
 * function took itself is summed by room and by folder; what Node's own code took counts for whoever called it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureRow } from '../measure/row.ts';
import type { Options } from '../options.ts';
import { row } from '../rows.ts';
import type { Say } from '../run.ts';
import type { Sample } from '../samples.ts';
import { figure, table } from '../table.ts';
import { createWorld } from '../world.ts';
import { type Profiled, profiled } from './call-tree.ts';
import { nowUs, readCpuProfile } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { ROOMS } from './rooms.ts';
import { sourceReader } from './source-of.ts';

const ROW = row('postgres', 64, 'hot');
const WARM_MS = 6_000;
const PROFILE_MS = 8_000;
const QUICK_SHARE = 0.25;
/** Of a sample. At V8's own 1,000 a short function is seldom seen; much below, sampling itself shows. */
const INTERVAL_US = 400;
const FOLDERS_SHOWN = 25;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Writes `consume.svg` and `consume.cpuprofile` into the folder. @returns the tables. */
export async function profile({ keyOnly }: Pick<Options, 'keyOnly'>, folder: string, say: Say): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const share = keyOnly ? QUICK_SHARE : 1;
  say('starting Postgres and the gateway');
  const world = await createWorld(new Set([ROW.server]), [], (runFolder) => [
    '--cpu-prof',
    `--cpu-prof-dir=${join(runFolder, 'profile')}`,
    `--cpu-prof-interval=${INTERVAL_US}`,
  ]);
  try {
    say('warming up');
    const closed = { warmUpMs: 0, requestsPerSecond: null };
    await measureRow(world, ROW, { ...closed, measureMs: WARM_MS * share }, 'warm');
    say('profiling');
    const fromUs = nowUs();
    const sample = await measureRow(world, ROW, { ...closed, measureMs: PROFILE_MS * share }, 'profile');
    const toUs = nowUs();
    await world.endServers(); // the profile is written as the gateway exits
    const cpuProfile = readCpuProfile(join(world.folder, 'profile'));
    const found = profiled(cpuProfile, fromUs, toUs, sourceReader(ROOT));
    const title = `One consume: ${ROW.name} connections, ${sample.calls} calls`;
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

function tables(
  { byRoom, byFolder, busyUs }: Profiled,
  { calls, callsPerSecond, databaseCpuUs }: Sample,
  perCallUs: number,
): string {
  const line = (name: string, us: number) => {
    const share = us / busyUs;
    return [name, figure(share * perCallUs), `${figure(share * 100)} %`];
  };
  const rooms = ROOMS.map((room) => line(room, byRoom.get(room) ?? 0));
  const folders = [...byFolder].sort(([, a], [, b]) => b - a).slice(0, FOLDERS_SHOWN);
  return [
    `${calls} calls, ${figure(callsPerSecond)} a second under the profiler; µs are shares of the gateway's processor time a call`,
    table(
      ['room', 'µs a call', 'share'],
      [
        ...rooms,
        ['the gateway, in all', figure(perCallUs), '100 %'],
        ['Postgres, beside it', databaseCpuUs === null ? '–' : figure(databaseCpuUs), ''],
      ],
    ),
    table(
      ['folder or package', 'µs a call', 'share'],
      folders.map(([folder, us]) => line(folder, us)),
    ),
  ].join('\n\n');
}
