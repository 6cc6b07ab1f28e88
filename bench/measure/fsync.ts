/** fsync — what one durable write costs on the disk that holds the databases. No commit can be quicker. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../statistics.ts';

const WRITES = 50;
const PAGE = Buffer.alloc(8_192, 1);

/** Median milliseconds of a write of one page and `fdatasync`, Postgres's own default way on Linux. */
export function durableWriteMs(folder: string): number {
  const file = join(folder, 'durable-write');
  const descriptor = openSync(file, 'w');
  try {
    const times = Array.from({ length: WRITES }, () => {
      const startedAt = performance.now();
      writeSync(descriptor, PAGE, 0, PAGE.length, 0);
      fdatasyncSync(descriptor);
      return performance.now() - startedAt;
    });
    return median(times);
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}
