/**
 * closed-loop — so many connections, each of which sends its next call when the last one is answered.
 *
 * On plain sockets: it costs a third of the processor time of the usual HTTP clients, time that is taken from the server
 * when both share a machine.
 */
import { connect, type Socket } from 'node:net';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { API_KEY, CONSUME, FEATURE_KEY, referenceOf } from '../catalog.ts';
import { readReply } from './http-reply.ts';
import type { Job, JobResult } from './job.ts';

const REPLY_WITHIN_MS = 15_000;
const MICROSECONDS = 1_000;

/** @throws where a connection breaks, or a reply is overdue. */
export async function runClosedLoop(job: Job): Promise<JobResult> {
  const cpuBefore = process.cpuUsage();
  const tally = new Tally();
  const nextBody = bodies(job);
  const sockets = await Promise.all(Array.from({ length: job.connections }, () => open(job.url)));
  try {
    const loops = Promise.all(sockets.map((socket) => new Caller(socket, job.url, nextBody, tally).done));
    const timetable = async () => {
      await sleep(job.warmUpMs);
      tally.beginToMeasure();
      await sleep(job.measureMs);
      tally.end();
      await loops; // the last replies count for the books, not for the time
    };
    await Promise.race([timetable(), loops]);
  } finally {
    tally.end();
    for (const socket of sockets) socket.destroy();
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { ...tally.result(), cpuMs: (user + system) / MICROSECONDS };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket.off('error', reject)));
  });
}

/** The bodies of the calls: a fresh idempotency key each, and a customer by a seeded generator (xorshift). */
function bodies({ customers, keyPrefix }: Job): () => string {
  const query = JSON.stringify(CONSUME);
  const references = Array.from({ length: customers }, (_, i) => referenceOf(i));
  let state = 0x9e3779b9;
  let sent = 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    sent += 1;
    const input = `{"referenceId":"${references[(state >>> 0) % customers]}","featureKey":"${FEATURE_KEY}","idempotencyKey":"${keyPrefix}-${sent}"}`;
    return `{"query":${query},"variables":{"input":${input}}}`;
  };
}

/** What is counted for all connections together. */
class Tally {
  #phase: 'warm-up' | 'measuring' | 'ended' = 'warm-up';
  readonly #latencies: RecordableHistogram = createHistogram({ figures: 3 });
  #measuredFromMs = 0;
  #measuredMs = 0;
  #allReplies = 0;
  #allAccepted = 0;
  #firstRefusal: string | null = null;

  get hasEnded(): boolean {
    return this.#phase === 'ended';
  }

  beginToMeasure(): void {
    this.#phase = 'measuring';
    this.#measuredFromMs = performance.now();
  }

  end(): void {
    if (this.#phase === 'measuring') this.#measuredMs = performance.now() - this.#measuredFromMs;
    this.#phase = 'ended';
  }

  count(body: string, latencyMs: number): void {
    this.#allReplies += 1;
    if (body.includes('"allowed":true')) this.#allAccepted += 1;
    else this.#firstRefusal ??= body;
    if (this.#phase === 'measuring') this.#latencies.record(Math.max(1, Math.round(latencyMs * MICROSECONDS)));
  }

  result(): Omit<JobResult, 'cpuMs'> {
    const percentileMs = (percentile: number) => this.#latencies.percentile(percentile) / MICROSECONDS;
    return {
      replies: this.#latencies.count,
      measuredMs: this.#measuredMs,
      p50Ms: percentileMs(50),
      p99Ms: percentileMs(99),
      allReplies: this.#allReplies,
      allAccepted: this.#allAccepted,
      firstRefusal: this.#firstRefusal,
    };
  }
}

/** One connection. `done` settles after the last reply, or rejects when the connection fails. */
class Caller {
  readonly done: Promise<void>;
  readonly #socket: Socket;
  readonly #head: string;
  readonly #nextBody: () => string;
  #received = '';
  #sentAtMs = 0;

  constructor(socket: Socket, url: string, nextBody: () => string, tally: Tally) {
    this.#socket = socket;
    this.#nextBody = nextBody;
    const { host } = new URL(url);
    this.#head = `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${API_KEY}\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: `;
    this.done = new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the server closed a connection')));
      socket.setTimeout(REPLY_WITHIN_MS, () => reject(new Error(`no reply within ${REPLY_WITHIN_MS / 1_000} s`)));
      socket.on('data', (data) => {
        this.#received += data.toString('latin1');
        const reply = readReply(this.#received);
        if (reply === null) return;
        this.#received = '';
        tally.count(reply.body, performance.now() - this.#sentAtMs);
        if (tally.hasEnded) resolve();
        else this.#send();
      });
    });
    this.#send();
  }

  /** Head and body in one packet; all of it is ASCII, so a character is a byte. */
  #send(): void {
    const body = this.#nextBody();
    this.#sentAtMs = performance.now();
    this.#socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, 'latin1');
  }
}
