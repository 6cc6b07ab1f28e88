/** tables — a profile in figures: by room from the door to the commit, and by source folder. */
import type { Sample } from '../samples.ts';
import { figure, table } from '../table.ts';
import type { Profiled } from './call-tree.ts';
import { ROOMS } from './rooms.ts';

const FOLDERS_SHOWN = 25;

/** @param perCallUs Processor time of a call in the gateway, of which each line is a share. */
export function tables(
  { byRoom, byFolder, busyUs }: Profiled,
  { calls, callsPerSecond, databaseCpuUs }: Pick<Sample, 'calls' | 'callsPerSecond' | 'databaseCpuUs'>,
  perCallUs: number,
): string {
  const line = (name: string, us: number) => {
    const share = us / busyUs;
    return [name, figure(share * perCallUs), `${figure(share * 100)} %`];
  };
  const rooms = ROOMS.map((room) => line(room, byRoom.get(room) ?? 0));
  const folders = [...byFolder].sort(([, a], [, b]) => b - a).slice(0, FOLDERS_SHOWN);
  const databaseUs = databaseCpuUs ?? Number.NaN; // where the system does not tell
  return [
    `${calls} calls, ${figure(callsPerSecond)} a second under the profiler; µs are shares of the gateway's processor time a call`,
    table(
      ['room', 'µs a call', 'share'],
      [
        ...rooms,
        ['the gateway, in all', figure(perCallUs), '100 %'],
        ['Postgres, beside it', figure(databaseUs), ''],
        ['from door to commit', figure(perCallUs + databaseUs), ''],
      ],
    ),
    table(
      ['folder or package', 'µs a call', 'share'],
      folders.map(([folder, us]) => line(folder, us)),
    ),
  ].join('\n\n');
}
