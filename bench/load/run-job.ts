/** run-job — opens the connections of a job, calls for its time, and counts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bodies } from './bodies.ts';
import { callInTurn } from './closed-loop.ts';
import { Connection } from './connection.ts';
import type { Job, JobResult } from './job.ts';
import { callWhenDue } from './open-loop.ts';
import { Tally } from './tally.ts';

const MICROSECONDS = 1_000;

/** @throws where a connection breaks, or a reply is overdue. */
export async function runJob(job: Job): Promise<JobResult> {
  const cpuBefore = process.cpuUsage();
  const tally = new Tally(job.callsPerRequest);
  const connections = await Promise.all(Array.from({ length: job.connections }, () => Connection.open(job.url)));
  try {
    // The last replies count for the books, not for the time.
    const calls = Promise.all([call(connections, job, tally), timetable(job, tally)]);
    await Promise.race([calls, ...connections.map(({ failed }) => failed)]);
  } finally {
    tally.end();
    for (const connection of connections) connection.close();
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { ...tally.result(), cpuMs: (user + system) / MICROSECONDS };
}

function call(connections: readonly Connection[], job: Job, tally: Tally): Promise<void> {
  const { requestsPerSecond } = job;
  const nextBody = bodies(job);
  return requestsPerSecond === null
    ? callInTurn(connections, nextBody, tally)
    : callWhenDue(connections, nextBody, tally, requestsPerSecond);
}

async function timetable({ warmUpMs, measureMs }: Job, tally: Tally): Promise<void> {
  await sleep(warmUpMs);
  tally.beginToMeasure();
  await sleep(measureMs);
  tally.end();
}
