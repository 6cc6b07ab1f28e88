/**
 * statement — the ceiling of the database: the very statement that saves a batch, its notice to other gateways included,
 * with so many calls in it, one after the other, without a door. Reading and deciding go on in between, as they must for
 * there to be something to save, but only the time from sending the statement to its COMMIT counts.
 */
import './leash.ts';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database, Lane } from '../../server/db/client.ts';
import { systemClock as clock } from '../../server/domain/clock.ts';
import { hintOfMoves } from '../../server/events/bus.ts';
import { Ledger } from '../../server/metering/ledger.ts';
import { xorshift } from '../load/bodies.ts';
import type { Job, JobResult, LoadAnswer } from '../load/job.ts';
import { percentileOf } from '../statistics.ts';
import { consumeRequest, tenantIdIn } from './consume-request.ts';
import { openDatabase } from './parts.ts';

const database = openDatabase();
const tenantId = await tenantIdIn(database);

let savedMs = 0;
/** The gateway's own way in, with its second flight timed. */
const timed: Lane = {
  reset: () => database.lane.reset(),
  async transact(first, second) {
    let sentAtMs = 0;
    const saved = await database.lane.transact(first, async (rows, query) => {
      const statements = await second(rows, query);
      sentAtMs = performance.now();
      return statements;
    });
    savedMs = performance.now() - sentAtMs;
    return saved;
  },
};
/** Whom its notices are from. */
const ownId = randomUUID();
const ledger = new Ledger({
  database: { ...database, lane: timed } satisfies Database,
  catalogs: new Catalogs(),
  clock,
  onCommitted: () => {},
  hintOf: (changes) => hintOfMoves(ownId, changes),
});

async function runBatches({ customers, callsPerRequest, keyPrefix, warmUpMs, measureMs }: Job): Promise<JobResult> {
  const next = xorshift();
  const durationsMs: number[] = [];
  const [startedAtMs, cpuBefore] = [performance.now(), process.cpuUsage()];
  let sent = 0;
  const call = () => {
    sent += 1;
    return consumeRequest(tenantId, next() % customers, `${keyPrefix}-${sent}`);
  };
  while (performance.now() - startedAtMs < warmUpMs + measureMs || durationsMs.length === 0) {
    const isMeasured = performance.now() - startedAtMs >= warmUpMs;
    const results = await ledger.record(Array.from({ length: callsPerRequest }, call));
    const refused = results.find((result) => !('allowed' in result) || !result.allowed);
    if (refused) throw new Error(`a call was not allowed: ${JSON.stringify(refused, null, 1)}`);
    if (isMeasured) durationsMs.push(savedMs);
    await sleep(0); // hears when it is to end
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    calls: durationsMs.length * callsPerRequest,
    measuredMs: durationsMs.reduce((sum, ms) => sum + ms, 0),
    p50Ms: percentileOf(durationsMs, 50),
    p99Ms: percentileOf(durationsMs, 99),
    p999Ms: percentileOf(durationsMs, 99.9),
    allCalls: sent,
    allAccepted: sent,
    allReplayed: 0,
    firstRefusal: null,
    cpuMs: (user + system) / 1_000,
  };
}

const say = (answer: LoadAnswer): void => void process.send?.(answer);

process.on('message', (job: Job) => {
  runBatches(job).then(
    (result) => say({ result }),
    (error: unknown) => say({ failure: error instanceof Error ? error.message : String(error) }),
  );
});
process.channel?.ref(); // waiting for a job is what it lives for
process.send?.({ url: 'none' });
