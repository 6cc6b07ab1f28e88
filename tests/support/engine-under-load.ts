/**
 * engine-under-load — a process that counts as fast as it can until it is killed: `engine-under-load.ts <folder or URL>
 * <tenant id> <reference id> <key prefix>`.
 *
 * Each idempotency key is written to stdout before it is sent (`sent k1`) and after it is answered (`done k1`, or
 * `denied k1`), at once and without a buffer of our own, so that what a reader got before the kill is what had happened.
 */
import { writeSync } from 'node:fs';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database } from '../../server/db/client.ts';
import { openPglite } from '../../server/db/pglite.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { systemClock } from '../../server/domain/clock.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { Engine } from '../../server/metering/engine.ts';
import { Ledger } from '../../server/metering/ledger.ts';
import { Memory } from '../../server/metering/memory.ts';
import { newConsume } from '../../server/metering/testing/new-consume.ts';

const CALLERS = 16;
/** Some wait while others are on their way, so that whoever is killed has two batches in flight. */
const BATCH_SIZE_MAX = 6;
/** Longer than any reader takes, for whom everything here waits. */
const DEADLINE_MS = 60_000;
const [place = '', tenantId = '', referenceId = '', prefix = ''] = process.argv.slice(2);

const database: Database = place.startsWith('postgres:')
  ? openPostgres({ url: place, poolSize: 1, statementTimeoutMs: 10_000 })
  : await openPglite(place);
const ledger = new Ledger({
  database,
  catalogs: new Catalogs(),
  clock: systemClock,
  onCommitted: () => {},
  hintOf: () => null,
  memory: new Memory({ contestedMs: 1 }), // else two of them would soon read, which is done one batch at a time
});
const engine = new Engine(
  { ledger, clock: systemClock, onUnreachable: () => database.lane.reset() },
  { batchSizeMax: BATCH_SIZE_MAX, deadlineMs: DEADLINE_MS },
);

let next = 0;
async function callForever(): Promise<never> {
  for (;;) {
    const idempotencyKey = `${prefix}${next++}`;
    say(`sent ${idempotencyKey}`);
    const customerId = customerIdOf(tenantId, referenceId);
    const { allowed } = await engine.consume(newConsume({ tenantId, customerId, referenceId, idempotencyKey }));
    say(`${allowed ? 'done' : 'denied'} ${idempotencyKey}`);
  }
}

/** Waits while the pipe is full: a reader on a busy machine may come late. A line is so short that it goes whole or not. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

await Promise.all(Array.from({ length: CALLERS }, callForever));
