/** row — one row, once: the load process calls, and whatever the processes took meanwhile is read before and after. */
import { availableParallelism } from 'node:os';
import { type Child, messageOf, startedOrEnded } from '../children.ts';
import type { Job, JobResult, LoadAnswer } from '../load/job.ts';
import { BEFORE, type Row, type ServerName } from '../rows.ts';
import type { Sample } from '../samples.ts';
import { startedOf, type World } from '../world.ts';
import { cpuMsOf, cpuMsOfFamily, cpuMsOfMachine } from './cpu.ts';
import { type GatewayMetrics, readMetrics } from './gateway-metrics.ts';
import { askingHealth } from './health.ts';

/** `requestsPerSecond` of an open loop; null for a closed one. */
export type Timing = Pick<Job, 'warmUpMs' | 'measureMs' | 'requestsPerSecond'>;

const US_PER_MS = 1_000;
/** Beyond the time of the row itself: connecting, and the last replies. */
const GRACE_MS = 30_000;

/** @throws where the load process could not do its work. */
export async function measureRow(world: World, row: Row, timing: Timing, keyPrefix: string): Promise<Sample> {
  const { server } = startedOf(world, row.server);
  const { connections, customers, callsPerRequest, replayShare } = row;
  const metricsBefore = await batchMetrics(world, row);
  const before = cpuTimes(world, row);
  const job = { ...timing, url: server.url, connections, customers, callsPerRequest, replayShare, keyPrefix };
  const running = runJob(isItsOwnLoad(row) ? server : world.load, job);
  const [result, health] = row.health
    ? await askingHealth(server.url, timing.warmUpMs, running)
    : [await running, null];
  const used = difference(before, cpuTimes(world, row));
  const metricsAfter = await batchMetrics(world, row);
  server.assertAlive();
  const isOwn = isItsOwnLoad(row);
  const each = (ms: number | null) => (ms === null || isOwn ? null : (ms * US_PER_MS) / result.allCalls);
  return {
    row: row.name,
    requestsPerSecond: timing.requestsPerSecond,
    callsPerSecond: result.calls / (result.measuredMs / 1_000),
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    p999Ms: result.p999Ms,
    health,
    batchSize: metricsBefore && metricsAfter && batchSizeBetween(metricsBefore, metricsAfter),
    serverCpuUs: each(used.server),
    databaseCpuUs: each(used.database),
    loadCpuUs: each(result.cpuMs),
    othersShare: othersShare(used, isOwn ? 0 : result.cpuMs),
    calls: result.allCalls,
    refused: result.allCalls - result.allAccepted,
    replayed: result.allReplayed,
    firstRefusal: result.firstRefusal,
  };
}

/** Without a door there is nothing to call: the process calls itself, and what it takes beside is no part of the row. */
const isItsOwnLoad = ({ server }: Row): boolean => server === 'statement';

async function runJob(caller: Child, job: Job): Promise<JobResult> {
  const answered = messageOf<LoadAnswer>(caller);
  caller.process.send(job);
  const answer = await startedOrEnded(caller, () => answered, job.warmUpMs + job.measureMs + GRACE_MS);
  if ('failure' in answer) throw new Error(`calling ${job.url} failed: ${answer.failure}`);
  return answer.result;
}

const GATEWAYS: readonly ServerName[] = ['postgres', 'pglite', ...BEFORE];

const batchMetrics = async (world: World, { server }: Row): Promise<GatewayMetrics | null> =>
  GATEWAYS.includes(server) ? readMetrics(startedOf(world, server).server.url) : null;

function batchSizeBetween(before: GatewayMetrics, after: GatewayMetrics): number {
  return (after.batched - before.batched) / (after.batches - before.batches);
}

type CpuTimes = {
  readonly atMs: number;
  readonly server: number | null;
  readonly database: number | null;
  readonly machine: number | null;
  readonly own: number;
};

function cpuTimes(world: World, row: Row): CpuTimes {
  const { user, system } = process.cpuUsage();
  const { server, storePid = world.postgres.pid } = startedOf(world, row.server);
  return {
    atMs: performance.now(),
    server: cpuMsOf(server.pid),
    database: cpuMsOfFamily(storePid),
    machine: cpuMsOfMachine(),
    own: (user + system) / US_PER_MS,
  };
}

function difference(before: CpuTimes, after: CpuTimes): CpuTimes {
  const minus = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b);
  return {
    atMs: after.atMs - before.atMs,
    server: minus(after.server, before.server),
    database: minus(after.database, before.database),
    machine: minus(after.machine, before.machine),
    own: after.own - before.own,
  };
}

/** What the machine did beyond the run's own processes, of all it could have done. */
function othersShare({ atMs, server, database, machine, own }: CpuTimes, loadMs: number): number | null {
  if (server === null || database === null || machine === null) return null;
  return Math.max(0, machine - server - database - own - loadMs) / (atMs * availableParallelism());
}
