/**
 * notices — tells other systems what happened: makes events of what is found in the database, sends what is due, and
 * forgets what is old. It may be late, or run on several gateways at once.
 */
import type { Database } from '../db/client.ts';
import { emitKept } from '../db/queries/outgoing-events.ts';
import type { Clock } from '../domain/clock.ts';
import { SingleRun } from '../domain/single-run.ts';
import { AlertCollector } from './alert-collector.ts';
import { Exceeded } from './exceeded.ts';
import { forgetNotices } from './forget.ts';
import { queueAgeMs } from './leases.ts';
import type { Mail } from './mail.ts';
import { createPost, type PostOptions } from './post.ts';
import { Sender, type SenderDeps } from './sender.ts';

export type NoticesDeps = Pick<SenderDeps, 'clock' | 'stopGraceMs' | 'onOutcome' | 'onDisabled' | 'onError'> & {
  readonly database: Database;
  readonly post: PostOptions;
  /** Null where no mail server is set. */
  readonly mail?: Mail | null;
  readonly random?: () => number;
};

/** Often enough that nothing piles up. */
const FORGET_EVERY_MS = 60_000;

export class Notices {
  /** Is told of answers. */
  readonly exceeded = new Exceeded();
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #mail: Mail | null;
  readonly #collector: AlertCollector;
  readonly #sender: Sender;
  readonly #runs = new SingleRun(() => this.#runOnce());
  #isStopped = false;
  #forgotMs: number | null = null;
  #queueAgeMs = 0;

  constructor(deps: NoticesDeps) {
    const { database, clock, post, mail = null, random = Math.random, onError, ...rest } = deps;
    this.#database = database;
    this.#clock = clock;
    this.#onError = onError;
    this.#mail = mail;
    this.#collector = new AlertCollector({ database, clock });
    const { query } = database;
    this.#sender = new Sender({ ...rest, query, clock, post: createPost(post), mail, random, onError });
  }

  /** For how long the oldest delivery that is due has waited, as of the last run. */
  get queueAgeMs(): number {
    return this.#queueAgeMs;
  }

  /** Makes events, and begins to send what is due. Asked again meanwhile, it is the same run. */
  run(): Promise<void> {
    return this.#runs.run();
  }

  /** Until nothing is being sent. */
  idle(): Promise<void> {
    return this.#sender.idle();
  }

  /** Ends within seconds: what is being sent then is sent again later. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#runs.over();
    await this.#try(() => this.#tellExceeded());
    await this.#sender.stop();
    this.#mail?.close();
  }

  async #runOnce(): Promise<void> {
    await this.#try(() => this.#tellExceeded());
    await this.#try(() => this.#collector.collect(() => this.#isStopped));
    await this.#try(async () => {
      this.#queueAgeMs = await queueAgeMs(this.#database.query, this.#clock.now());
    });
    await this.#sender.send();
    await this.#try(() => this.#forget());
  }

  #tellExceeded(): Promise<void> {
    return this.exceeded.flush((notices) => emitKept(this.#database.query, notices, this.#clock.now()));
  }

  async #forget(): Promise<void> {
    const nowMs = this.#clock.now();
    if (this.#forgotMs !== null && Math.abs(nowMs - this.#forgotMs) < FORGET_EVERY_MS) return; // clocks go back, too
    this.#forgotMs = nowMs;
    await forgetNotices(this.#database.query, nowMs, () => this.#isStopped);
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#onError(error);
    }
  }
}
