/** run — rounds of all rows in turn, with the machine and the books looked at in between. */
import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { type Checkout, openCheckout } from './against/checkout.ts';
import { calibrate } from './measure/calibration.ts';
import { durableWriteMs } from './measure/fsync.ts';
import { readMetrics } from './measure/gateway-metrics.ts';
import { describeMachine } from './measure/machine.ts';
import { quietAwaiter } from './measure/quiet.ts';
import { measureRow, type Timing } from './measure/row.ts';
import type { Options } from './options.ts';
import { type Plan, planOf, requestsPerSecond, rowsOfRound, withoutRowsOf } from './plan.ts';
import { BEFORE, type Row, type ServerName } from './rows.ts';
import type { CheckedBooks, Round, Run, Sample } from './samples.ts';
import type { Ledger } from './servers.ts';
import { median } from './statistics.ts';
import { createWorld, startedOf, type World } from './world.ts';

/** A server is warm after so many calls. */
const FIRST_CALLS = 15_000;
const AGAIN_CALLS = 5_000;
const WARM_GO_MS = 500;
/** A round in which the machine changed more than that is said to be spoilt. */
const DRIFT_MAX = 0.1;
const OTHERS_SHARE_MAX = 0.1;

export type Say = (line: string) => void;

/** @throws where a process fails or a database cannot be read; everything that was started has ended by then. */
export async function run(options: Options, command: string, say: Say): Promise<Run> {
  const wanted = planOf(options);
  const checkouts = options.against.map(openCheckout);
  const startedAt = new Date().toISOString();
  say('starting Postgres, seeding 10,000 customers, starting the servers');
  const world = await createWorld(wanted.servers, checkouts);
  try {
    const plan = withoutRowsOf(world.missing, wanted);
    const measured = new Measured(world, plan, options);
    say('warming up');
    await measured.warmUp();
    const rounds: Round[] = [];
    let failure: string | null = null;
    for (let number = 1; number <= options.rounds && failure === null; number += 1) {
      try {
        rounds.push(await measured.round(number));
        say(`round ${number} of ${options.rounds}${spoiltNote(rounds.at(-1))}`);
      } catch (error) {
        if (rounds.length === 0) throw error;
        failure = `round ${number}: ${error instanceof Error ? error.message : String(error)}`; // the rounds before it stand
      }
    }
    await world.endServers();
    if (failure === null) await measured.checkEmbedded(options.rounds);
    const { measureMs, warmUpMs } = options;
    const { rows, ratios } = plan;
    const machine = describeMachine(world.postgres);
    const against = describeCheckouts(checkouts);
    const missing = [...world.missing].map(([server, why]) => ({ server, why }));
    return {
      startedAt,
      command,
      machine,
      against,
      missing,
      failure,
      measureMs,
      warmUpMs,
      rows,
      ratios,
      rounds,
      books: measured.books,
      fanOut: null,
    };
  } finally {
    await world.close();
  }
}

const describeCheckouts = (checkouts: readonly Checkout[]): Run['against'] =>
  checkouts.map(({ commit }, i) => ({ server: BEFORE[i] ?? 'before', commit }));

const spoiltNote = (round: Round | undefined): string => (round?.spoiltBy ? ` (spoilt: ${round.spoiltBy})` : '');

class Measured {
  readonly books: CheckedBooks[] = [];
  readonly #world: World;
  readonly #rows: readonly Row[];
  readonly #options: Options;
  readonly #awaitQuiet: () => Promise<void>;
  readonly #accepted = new Map<ServerName, number>();
  /** Sets the idempotency keys of this run apart from any other's. */
  readonly #runId = randomBytes(4).toString('hex');
  #jobs = 0;
  #calibratedMs = Number.NaN;

  constructor(world: World, { rows }: Plan, options: Options) {
    this.#world = world;
    this.#rows = rows;
    this.#options = options;
    this.#awaitQuiet = quietAwaiter(options.patienceMs);
  }

  async warmUp(): Promise<void> {
    for (const server of new Set(this.#rows.map((row) => row.server))) {
      await this.#warm(server, FIRST_CALLS, this.#options.firstWarmUpMs);
    }
    await this.#checkServers(0);
    await this.#awaitQuiet();
    this.#calibratedMs = await calibrate();
  }

  async round(number: number): Promise<Round> {
    const samples: Sample[] = [];
    let warm: ServerName | null = null;
    const reached = new Map<string, number>();
    for (const row of rowsOfRound(this.#rows, number)) {
      if (row.server !== warm) await this.#warm(row.server, AGAIN_CALLS, this.#options.againWarmUpMs);
      warm = row.server;
      await this.#awaitQuiet();
      const { warmUpMs, measureMs } = this.#options;
      const sample = await this.#measure(row, {
        warmUpMs,
        measureMs,
        requestsPerSecond: requestsPerSecond(row, reached),
      });
      reached.set(row.name, sample.callsPerSecond);
      samples.push(sample);
    }
    await this.#checkServers(number);
    await this.#awaitQuiet();
    const before = this.#calibratedMs;
    const after = await calibrate();
    this.#calibratedMs = after;
    const { folder } = this.#world;
    const spoiltBy = whatSpoilt(before, after, samples);
    const [loadAverage = Number.NaN] = loadavg();
    return {
      number,
      samples,
      calibrationMs: [before, after],
      durableWriteMs: durableWriteMs(folder),
      loadAverage,
      spoiltBy,
    };
  }

  /** Once its server has ended, an embedded database can be read as well. */
  async checkEmbedded(afterRound: number): Promise<void> {
    for (const [server, ledger] of this.#used()) {
      if (ledger.isEmbedded) await this.#check(server, ledger, afterRound);
    }
  }

  /**
   * Lets a server answer until it is compiled, or its time is over. Without this the
   * first row after a pause took up to twice the processor time of the next, presumably because V8 drops idle code.
   */
  async #warm(server: ServerName, calls: number, withinMs: number): Promise<void> {
    const busiest = this.#rows.findLast(
      (row) => row.server === server && row.pace === null && row.callsPerRequest === 1,
    );
    if (!busiest) return;
    const measureMs = Math.min(WARM_GO_MS, withinMs);
    for (let leftMs = withinMs, left = calls; leftMs > 0 && left > 0; leftMs -= measureMs) {
      left -= (await this.#measure(busiest, { warmUpMs: 0, measureMs, requestsPerSecond: null })).calls;
    }
  }

  async #measure(row: Row, timing: Timing): Promise<Sample> {
    this.#jobs += 1;
    const sample = await measureRow(this.#world, row, timing, `${this.#runId}-${this.#jobs}`);
    const accepted = sample.calls - sample.refused - sample.replayed; // a replay was accepted as it came first
    this.#accepted.set(row.server, (this.#accepted.get(row.server) ?? 0) + accepted);
    return sample;
  }

  #used(): readonly (readonly [ServerName, Ledger])[] {
    return [...this.#accepted.keys()].flatMap((name) => {
      const ledger = this.#world.servers.get(name)?.ledger;
      return ledger ? [[name, ledger] as const] : [];
    });
  }

  async #checkServers(afterRound: number): Promise<void> {
    for (const [server, ledger] of this.#used()) {
      if (ledger.isEmbedded) await this.#checkMetrics(server);
      else await this.#check(server, ledger, afterRound);
    }
  }

  async #check(server: ServerName, ledger: Ledger, afterRound: number): Promise<void> {
    this.books.push({ server, afterRound, books: await ledger.read(this.#accepted.get(server) ?? 0) });
  }

  /** While the gateway has the database, its own count has to do. */
  async #checkMetrics(server: ServerName): Promise<void> {
    const { allowed } = await readMetrics(startedOf(this.#world, server).server.url);
    const accepted = this.#accepted.get(server);
    if (allowed !== accepted) throw new Error(`${server} counts ${allowed} allowed calls, its callers ${accepted}`);
  }
}

function whatSpoilt(before: number, after: number, samples: readonly Sample[]): string | null {
  const drift = Math.abs(after - before) / before;
  if (drift > DRIFT_MAX) return `the same work took ${percent(drift)} ${after > before ? 'longer' : 'less'} after it`;
  const shares = samples.flatMap(({ othersShare }) => othersShare ?? []);
  const share = median(shares);
  if (share > OTHERS_SHARE_MAX) return `other processes took ${percent(share)} of the machine`;
  return null;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
