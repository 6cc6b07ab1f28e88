/**
 * after — tells the app of calls that are committed, behind the caller's back: nothing here is waited for, and nothing
 * here fails a call.
 *
 * What waits is bounded: beyond it the oldest are dropped, counted and told. An app that must hear of every event reads
 * `events`, which holds them all.
 */
import type { AfterHook } from '../hooks.ts';
import type { Complain } from './complaints.ts';
import { DeadlineError, inTime, type Schedule, schedule } from './in-time.ts';
import { type Allowed, afterCallOf } from './told.ts';

export type AfterOptions = {
  /** Calls that wait to be told, at most. */
  readonly queueLengthMax: number;
  /** Hooks that run at once, at most. */
  readonly concurrencyMax: number;
  /** How long one may take before its place is given to the next. */
  readonly deadlineMs: number;
  /** How long to wait at most, at the end, until all is told. */
  readonly drainMs: number;
};

export const AFTER_DEFAULTS: AfterOptions = {
  queueLengthMax: 10_000,
  concurrencyMax: 16,
  deadlineMs: 5_000,
  drainMs: 2_000,
};

/** What became of a call that was to be told: for metrics. */
export type AfterOutcome = 'told' | 'failed' | 'late' | 'dropped';

export type AfterDeps = {
  readonly complain: Complain;
  readonly onOutcome?: (outcome: AfterOutcome) => void;
  readonly schedule?: Schedule;
};

export class AfterCalls {
  readonly #hook: AfterHook;
  readonly #deps: AfterDeps;
  readonly #options: AfterOptions;
  /** In order of commit; a Set is a queue whose oldest entry goes in constant time. */
  readonly #waiting = new Set<Allowed>();
  #running = 0;
  /** Whether the queue is looked at soon anyway. */
  #isAwake = false;
  #idle: (() => void)[] = [];

  constructor(hook: AfterHook, deps: AfterDeps, options: Partial<AfterOptions> = {}) {
    this.#hook = hook;
    this.#deps = deps;
    this.#options = { ...AFTER_DEFAULTS, ...options };
  }

  /** Calls that wait to be told. */
  get queueLength(): number {
    return this.#waiting.size;
  }

  /** Takes a call to be told; returns at once, before the hook runs. */
  tell(allowed: Allowed): void {
    this.#waiting.add(allowed);
    if (this.#waiting.size > this.#options.queueLengthMax) this.#drop();
    if (this.#isAwake) return;
    this.#isAwake = true;
    setImmediate(() => {
      this.#isAwake = false;
      this.#next();
    }); // the caller is answered first
  }

  /** Waits until all is told, and no longer than it may take. @returns how many calls were not told. */
  async drain(): Promise<number> {
    const { complain, schedule: later = schedule } = this.#deps;
    const { drainMs } = this.#options;
    if (this.#waiting.size + this.#running > 0) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      await inTime(() => idle, drainMs, later).catch(() => {}); // what is left is told below
    }
    const left = this.#waiting.size + this.#running;
    this.#waiting.clear();
    for (let i = 0; i < left; i += 1) this.#deps.onOutcome?.('dropped');
    if (left > 0)
      complain('after-left', `${left} calls were not told to the after hook in the ${drainMs} ms before the end.`);
    return left;
  }

  #drop(): void {
    const [oldest] = this.#waiting;
    if (oldest) this.#waiting.delete(oldest);
    this.#deps.onOutcome?.('dropped');
    const { queueLengthMax } = this.#options;
    this.#deps.complain('after-dropped', `More than ${queueLengthMax} calls wait for the after hook, ${SLOWER}`);
  }

  #next(): void {
    while (this.#running < this.#options.concurrencyMax) {
      const [oldest] = this.#waiting;
      if (!oldest) break;
      this.#waiting.delete(oldest);
      this.#running += 1;
      void this.#run(oldest);
    }
    if (this.#running === 0 && this.#waiting.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #run(allowed: Allowed): Promise<void> {
    const { deadlineMs } = this.#options;
    const { complain, onOutcome, schedule: later } = this.#deps;
    let outcome: AfterOutcome = 'told';
    try {
      await inTime(() => this.#hook(afterCallOf(allowed)), deadlineMs, later);
    } catch (error) {
      outcome = error instanceof DeadlineError ? 'late' : 'failed';
      if (outcome === 'late') complain('after-late', `The after hook took more than ${deadlineMs} ms, ${NOT_WAITED}`);
      else complain('after-threw', 'The after hook threw an error; the call it was told of stands.', { err: error });
    }
    onOutcome?.(outcome);
    this.#running -= 1;
    this.#next();
  }
}

const SLOWER = 'and the oldest were dropped: make it faster, or read what happened from the query `events`.';
const NOT_WAITED = 'and is not waited for any longer; hand long work to a queue of your own.';
