/**
 * reporter — usage on its way to Stripe, in the background: windows are closed, messages sent, troubles told, and once a
 * day the ledger is compared with Stripe's sums. Any number of gateways may run one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Stripe from 'stripe';
import type { Query } from '../../../db/client.ts';
import type { Clock } from '../../../domain/clock.ts';
import { SingleRun } from '../../../domain/single-run.ts';
import { REPORTED_BACK_MAX_MS } from '../../../domain/usage-report.ts';
import type { Pause } from './account-pauses.ts';
import { collect } from './collector.ts';
import { claimDay, giveDayBack } from './daily-run.ts';
import { isSound } from './differences.ts';
import { Meters } from './meters.ts';
import { type Reconciled, reconcile } from './reconcile.ts';
import { type PayersOf, Sender, type SenderOptions } from './sender.ts';
import type { Trouble } from './troubles.ts';
import { dropOldMessages } from './upkeep.ts';

export type ReporterDeps = {
  readonly query: Query;
  readonly clock: Clock;
  readonly stripe: Stripe;
  readonly payersOf: PayersOf;
  /** The same as the engine's: see `LedgerDeps`. */
  readonly windowMs: number;
  /** Tells of dead letters and what is late for its invoice: each once. */
  readonly tellTroubles: (nowMs: number) => Promise<readonly Trouble[]>;
  /** Told of each that was told. */
  readonly onTrouble: (trouble: Trouble) => void;
  /** Told of the day's comparison: how many rows there are, and those whose difference does not go by itself. */
  readonly onReconciled: (rows: number, troubled: readonly Reconciled[]) => void;
  /** Told why something could not be done; the next run tries again. */
  readonly onError: (error: unknown) => void;
  /** Told once a pause of an account that Stripe refuses. */
  readonly onPaused?: (pause: Pause) => void;
  readonly sender?: Partial<SenderOptions>;
};

/** As what the day's comparison is claimed, and how often a gateway asks whether it is due. */
const COMPARISON = 'usage-comparison';
const ASKED_EVERY_MS = 3_600_000;
/** A gateway that closes has 8 s for all. */
const STOP_MS_MAX = 2_000;

export class UsageReporter {
  readonly #deps: ReporterDeps;
  readonly #sender: Sender;
  /** Each by itself: while Stripe does not answer, windows are closed and troubles told all the same. */
  readonly #collecting = new SingleRun(() => this.#try(() => collect(this.#deps, () => this.#isStopped)));
  readonly #sending = new SingleRun(() => this.#try(() => this.#sender.run()));
  readonly #telling = new SingleRun(() => this.#try(() => this.#tell()));
  #comparing: Promise<void> = Promise.resolve();
  #asksAgainAtMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
    this.#sender = new Sender(deps, deps.sender);
  }

  /** Does what is due. Asked again meanwhile, nothing is done twice at once. Never rejects. */
  async run(): Promise<void> {
    await this.#collecting.run();
    await Promise.all([this.#telling.run(), this.#sending.run().then(() => this.#telling.run())]);
    await this.#try(() => this.#beginComparison());
  }

  /** Once a day, by one of all gateways. It takes its time, and nothing waits for it. */
  async #beginComparison(): Promise<void> {
    const { query, clock } = this.#deps;
    const nowMs = clock.now();
    if (nowMs < this.#asksAgainAtMs) return;
    this.#asksAgainAtMs = nowMs + ASKED_EVERY_MS;
    if (await claimDay(query, COMPARISON, nowMs)) this.#comparing = this.#try(() => this.#compareToday(nowMs));
  }

  /** What ends it early, others may do. */
  async #compareToday(claimedAtMs: number): Promise<void> {
    const { query, clock } = this.#deps;
    const isStopped = () => this.#isStopped;
    let isDone = false;
    try {
      isDone = await this.compare();
    } finally {
      if (!isDone) await giveDayBack(query, COMPARISON, claimedAtMs);
    }
    await dropOldMessages(query, clock.now(), isStopped);
  }

  /** When the comparison that has begun is over. */
  whenCompared(): Promise<void> {
    return this.#comparing;
  }

  /** Begins nothing more, and waits a little for what is on its way: whatever is not heard of, the next gateway finds out. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#sender.stop();
    const over = Promise.all([
      ...[this.#collecting, this.#sending, this.#telling].map((runs) => runs.over()),
      this.#comparing,
    ]);
    await Promise.race([over, sleep(STOP_MS_MAX, undefined, { ref: false })]);
  }

  async #tell(): Promise<void> {
    const { clock, tellTroubles, onTrouble } = this.#deps;
    for (const trouble of await tellTroubles(clock.now())) onTrouble(trouble);
  }

  /** Compares all that Stripe could still be told of. @returns whether it came to the end. */
  async compare(): Promise<boolean> {
    const { query, clock, payersOf, stripe, onReconciled, onError } = this.#deps;
    const range = { tenantId: null, endedAfterMs: clock.now() - REPORTED_BACK_MAX_MS };
    const deps = { query, clock, payersOf, meters: new Meters(stripe), onUnread: onError };
    const troubled: Reconciled[] = [];
    let rows = 0;
    for await (const row of reconcile(deps, range)) {
      if (this.#isStopped) return false;
      rows += 1;
      if (!isSound(row)) troubled.push(row);
    }
    onReconciled(rows, troubled);
    return true;
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    if (this.#isStopped) return;
    try {
      await work();
    } catch (error) {
      this.#deps.onError(error);
    }
  }
}
