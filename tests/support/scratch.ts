/** scratch — folders for what a test throws away. */
import { existsSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** On Linux: files in memory. */
const MEMORY = '/dev/shm';
/** Some fifty databases; in a container it is often far less. */
const MEMORY_BYTES_MIN = 2 * 1_024 ** 3;

/**
 * A new folder, in memory where there is enough and nobody has set `TMPDIR`: a database is a thousand files, which a
 * disk takes longer to make and to remove than most tests take.
 *
 * @param name What it is for: the first part of its own name.
 * @param within Another scratch folder, to be removed with it.
 */
export function scratchFolder(name: string, within = hasMemory() ? MEMORY : tmpdir()): string {
  return mkdtempSync(join(within, `metergraph-${name}-`));
}

function hasMemory(): boolean {
  if (process.env.TMPDIR || !existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= MEMORY_BYTES_MIN;
}
