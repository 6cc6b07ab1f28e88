/**
 * disk — waits until nothing is written any more: what was stored before a measurement may be written back during it. The
 * system keeps what nobody has synced for half a minute first, so a database must have been asked for a CHECKPOINT by then.
 * Linux only (`/proc`).
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 1_000;
/** In that time; so much is written by a system with nothing to do, its logs and statistics. */
const IDLE_BYTES_MAX = 1_048_576;
/** The kernel's unit in /proc, whatever the disk's own is. */
const SECTOR_BYTES = 512;

export type DiskRest = {
  /** False where the time was over first; null where the system does not tell. */
  readonly isIdle: boolean | null;
  readonly waitedMs: number;
};

/** @param written Bytes on all disks so far; null where the system does not tell. */
export async function awaitIdleDisk(
  withinMs: number,
  written: () => number | null = bytesWritten,
  pause: (ms: number) => Promise<unknown> = sleep,
): Promise<DiskRest> {
  let before = written();
  for (let waitedMs = 0; waitedMs < withinMs; ) {
    await pause(LOOK_MS);
    waitedMs += LOOK_MS;
    const after = written();
    if (before === null || after === null) return { isIdle: null, waitedMs };
    if (after - before <= IDLE_BYTES_MAX) return { isIdle: true, waitedMs };
    before = after;
  }
  return { isIdle: false, waitedMs: withinMs };
}

function bytesWritten(): number | null {
  return existsSync('/proc/diskstats') ? bytesWrittenIn(readFileSync('/proc/diskstats', 'utf8')) : null;
}

/**
 * A partition counts beside its disk: twice nothing is nothing.
 *
 * @see https://docs.kernel.org/admin-guide/iostats.html
 */
export function bytesWrittenIn(diskstats: string): number {
  const lines = diskstats.split('\n').map((line) => line.trim().split(/\s+/));
  return lines.reduce((sum, fields) => sum + Number(fields[9] ?? 0) * SECTOR_BYTES, 0);
}
