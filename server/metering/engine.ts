/**
 * engine — group commit: what arrives while a transaction is in flight forms the next batch.
 *
 * No timer and no added latency when idle; under load, one transaction for as many requests as came in meanwhile, so a
 * hot customer is no slower than many cold ones. Nobody is answered before COMMIT.
 */
import { isUnreachable, sqlStateOf } from '../db/client.ts';
import type { Clock } from '../domain/clock.ts';
import { invalidInput, MeterError } from '../domain/errors.ts';
import type { ConsumeRequest, Consumption } from './consumption.ts';
import type { Ledger, Result } from './ledger.ts';

export type EngineOptions = {
  /** Requests in one transaction at most. */
  readonly batchSizeMax: number;
  /** Requests waiting at most; beyond it callers hear `OVERLOADED`. */
  readonly queueLengthMax: number;
  /** How long a request may wait for its batch, and how long a batch may take. */
  readonly deadlineMs: number;
};

export const ENGINE_DEFAULTS: EngineOptions = { batchSizeMax: 1_000, queueLengthMax: 20_000, deadlineMs: 5_000 };

export type EngineDeps = {
  readonly ledger: Pick<Ledger, 'record' | 'preview'>;
  readonly clock: Clock;
  /** Told when the database did not answer, so that the next batch gets a new connection. */
  readonly onUnreachable: (cause: unknown) => void;
  /** Told the size and duration of each batch. */
  readonly onBatch?: (size: number, durationMs: number) => void;
  /** Told the outcome of each request, and how long it took from its arrival. */
  readonly onAnswered?: (outcome: string, durationMs: number) => void;
};

type Pending = {
  readonly request: ConsumeRequest;
  /** By the clock of requests, for the deadline. */
  readonly arrivedAtMs: number;
  readonly resolve: (consumption: Consumption) => void;
  readonly reject: (error: unknown) => void;
};

/** SQLSTATEs after which the same batch may pass as it is: it met another gateway's. */
const CONFLICTS: ReadonlySet<string> = new Set(['23505', '40P01', '40001', '22012']);
/** The class of SQLSTATE for data that no column can hold: text with a zero character, properties that are not JSON. */
const DATA_EXCEPTION_CLASS = '22';

export class Engine {
  readonly #deps: EngineDeps;
  readonly #options: EngineOptions;
  #queue: Pending[] = [];
  #running: Promise<void> | null = null;
  #stopping = false;

  constructor(deps: EngineDeps, options: Partial<EngineOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...ENGINE_DEFAULTS, ...options };
  }

  /** Requests waiting for the next batch. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /**
   * Decides and records one request.
   *
   * @throws {MeterError} `CUSTOMER_NOT_FOUND`, `FEATURE_NOT_FOUND`, `PLAN_NOT_FOUND`, `INVALID_AMOUNT`,
   *   `IDEMPOTENCY_CONFLICT`; retryable: `OVERLOADED`, `DEADLINE_EXCEEDED`, `UNAVAILABLE`, `SHUTTING_DOWN`.
   */
  async consume(request: ConsumeRequest): Promise<Consumption> {
    this.#admit(1);
    return this.#enqueue(request);
  }

  /** Decides and records several in order. All of them are queued, or none; each has its own result. */
  async consumeMany(requests: readonly ConsumeRequest[]): Promise<PromiseSettledResult<Consumption>[]> {
    this.#admit(requests.length);
    return Promise.allSettled(requests.map((request) => this.#enqueue(request)));
  }

  /** What `consume` would answer now; nothing is written. Throws as `consume` does. */
  async check(request: ConsumeRequest): Promise<Consumption> {
    const result = await this.#deps.ledger.preview(request);
    if (result instanceof MeterError) throw result;
    return result;
  }

  /** Takes no more requests, and returns when those it has are answered. */
  async drain(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  #admit(count: number): void {
    if (this.#stopping) throw new MeterError('SHUTTING_DOWN', 'This gateway is stopping; send the call again.');
    const { queueLengthMax } = this.#options;
    if (this.#queue.length + count <= queueLengthMax) return;
    const waiting = `${this.#queue.length} calls are waiting and at most ${queueLengthMax} may`;
    throw new MeterError('OVERLOADED', `${waiting}; nothing was written, send the call again shortly.`);
  }

  #enqueue(request: ConsumeRequest): Promise<Consumption> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, arrivedAtMs: this.#deps.clock.now(), resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      // Let the event loop read the requests that are there already: an embedded database answers in microtasks, and
      // without this every batch would hold one.
      await new Promise(setImmediate);
      const batch = this.#takeBatch();
      if (batch.length === 0) continue;
      const startedAtMs = performance.now();
      await this.#settle(batch);
      this.#deps.onBatch?.(batch.length, performance.now() - startedAtMs);
    }
    this.#running = null;
  }

  /** The next requests in order of arrival, without those that have waited too long. */
  #takeBatch(): readonly Pending[] {
    const { batchSizeMax, deadlineMs } = this.#options;
    const nowMs = this.#deps.clock.now();
    const taken = this.#queue.splice(0, batchSizeMax);
    return taken.filter((pending) => {
      const inTime = nowMs - pending.arrivedAtMs <= deadlineMs;
      if (!inTime)
        pending.reject(
          new MeterError(
            'OVERLOADED',
            `The call waited ${deadlineMs} ms for its turn; nothing was written, send it again.`,
          ),
        );
      return inTime;
    });
  }

  /**
   * Answers every caller of a batch. One bad request never fails its neighbours.
   *
   * @returns what the database was unreachable by, or null.
   */
  async #settle(batch: readonly Pending[], isRerun = false): Promise<unknown> {
    let results: readonly Result[];
    try {
      results = await this.#recordInTime(batch);
    } catch (error) {
      return this.#recover(batch, error, isRerun);
    }
    for (const [i, pending] of batch.entries()) this.#answer(pending, results[i]);
    return null;
  }

  /** A batch failed, and nothing of it is recorded unless the database was lost in COMMIT. */
  async #recover(batch: readonly Pending[], error: unknown, isRerun: boolean): Promise<unknown> {
    const state = sqlStateOf(error);
    if (isLate(error) || isUnreachable(error)) return this.#giveUp(batch, error);
    if (!isRerun && state !== null && CONFLICTS.has(state)) return this.#settle(batch, true);
    if (batch.length > 1) return this.#settleOneByOne(batch);
    batch[0]?.reject(refusalOf(error, state));
    return null;
  }

  async #settleOneByOne(batch: readonly Pending[]): Promise<unknown> {
    for (const [i, pending] of batch.entries()) {
      const cause = await this.#settle([pending]);
      if (cause !== null) return this.#giveUp(batch.slice(i + 1), cause); // they need not each wait for the deadline
    }
    return null;
  }

  /** A server that is gone may leave a query unanswered for ever; the batch has its own deadline. */
  async #recordInTime(batch: readonly Pending[]): Promise<readonly Result[]> {
    const { deadlineMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      const late = `The database did not answer within ${deadlineMs} ms; whether the call was recorded is unknown. Send it again with the same idempotency key.`;
      timer = setTimeout(() => reject(new MeterError('DEADLINE_EXCEEDED', late)), deadlineMs);
    });
    try {
      return await Promise.race([this.#deps.ledger.record(batch.map(({ request }) => request)), deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  #answer({ arrivedAtMs, resolve, reject }: Pending, result: Result | undefined): void {
    if (result) this.#deps.onAnswered?.(outcomeOf(result), this.#deps.clock.now() - arrivedAtMs);
    if (!result) reject(new Error('a request of the batch has no result'));
    else if (result instanceof MeterError) reject(result);
    else resolve(result);
  }

  #giveUp(batch: readonly Pending[], cause: unknown): unknown {
    this.#deps.onUnreachable(cause);
    const error =
      cause instanceof MeterError
        ? cause
        : new MeterError(
            'UNAVAILABLE',
            'The database could not be reached; send the call again with the same idempotency key.',
          );
    for (const pending of batch) pending.reject(error);
    return cause;
  }
}

/** One word for what became of a request: for metrics. */
function outcomeOf(result: Result): string {
  if (result instanceof MeterError) return result.code;
  return result.denial?.reason ?? (result.replayed ? 'replayed' : 'allowed');
}

/** What a caller hears whose request failed alone. */
function refusalOf(error: unknown, state: string | null): unknown {
  if (state === null || CONFLICTS.has(state) || !state.startsWith(DATA_EXCEPTION_CLASS)) return error;
  const sentence = `The database can't hold a value of this call (${error instanceof Error ? error.message : state}); nothing was written.`;
  return invalidInput(['input'], sentence);
}

const isLate = (error: unknown): boolean => error instanceof MeterError && error.code === 'DEADLINE_EXCEEDED';
