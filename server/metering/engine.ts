/**
 * engine — group commit: what arrives while transactions are in flight forms the next batch.
 *
 * No timer and no added latency when idle; under load, one transaction for as many requests as came in meanwhile, so a
 * hot customer is no slower than many cold ones. Two batches are in flight where the second can be decided by what the
 * first will leave: while the database saves one, the other is decided and sent. Nobody is answered before COMMIT.
 */
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import { Uncountable } from './draft.ts';
import { Finisher, type Pending, requestsOf } from './finisher.ts';
import type { Ledger } from './ledger.ts';
import { doesNotAddUp, overloaded, stopping, tooLate } from './refusals.ts';
import { POSTPONED, type Reply } from './replies.ts';
import type { ConsumeRequest, Consumption, Request, ReserveRequest, Result, ResultOf } from './requests.ts';

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
  readonly ledger: Pick<Ledger, 'recordRemembered' | 'record' | 'preview'>;
  readonly clock: Clock;
  /** Told when the database did not answer, so that the next batch gets a new connection. */
  readonly onUnreachable: (cause: unknown) => void;
  /** Told the size and duration of each batch. */
  readonly onBatch?: (size: number, durationMs: number) => void;
  /** Told the outcome of each request, how long it took from its arrival, and the answer where there is one. */
  readonly onAnswered?: (outcome: string, durationMs: number, answer?: Result) => void;
};

export class Engine {
  readonly #deps: Required<EngineDeps>;
  readonly #options: EngineOptions;
  readonly #finisher: Finisher;
  /** In order of arrival. */
  #queue: Pending[] = [];
  #arrived = 0;
  #running: Promise<void> | null = null;
  /** Until the newest batch is finished, and all before it. Never rejects. */
  #newest: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(deps: EngineDeps, options: Partial<EngineOptions> = {}) {
    this.#options = { ...ENGINE_DEFAULTS, ...options };
    this.#deps = {
      ...deps,
      onUnreachable: unlessItThrows(deps.onUnreachable),
      onBatch: unlessItThrows(deps.onBatch),
      onAnswered: unlessItThrows(deps.onAnswered),
    };
    const { ledger, onUnreachable, onAnswered } = this.#deps;
    this.#finisher = new Finisher({ ledger, deadlineMs: this.#options.deadlineMs, onUnreachable, onAnswered });
  }

  /** Requests waiting for the next batch. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /**
   * Decides and records one request.
   *
   * @throws {MeterError} for what is wrong with it (`CUSTOMER_NOT_FOUND`, `FEATURE_NOT_FOUND`, `PLAN_NOT_FOUND`,
   *   `INVALID_AMOUNT`, `INVALID_INPUT`, `IDEMPOTENCY_CONFLICT`, and what its verb says); retryable: `OVERLOADED`,
   *   `DEADLINE_EXCEEDED`, `UNAVAILABLE`, `SHUTTING_DOWN`.
   */
  async execute<R extends Request>(request: R): Promise<ResultOf<R>> {
    this.#admit(1);
    return (await this.#enqueue(request)) as ResultOf<R>; // each verb has its own kind of answer: see requests.ts
  }

  /** Decides and records one use. */
  consume(request: ConsumeRequest): Promise<Consumption> {
    return this.execute(request);
  }

  /** Decides and records several in order. All of them are queued, or none; each has its own result. */
  async consumeMany(requests: readonly ConsumeRequest[]): Promise<PromiseSettledResult<Consumption>[]> {
    this.#admit(requests.length);
    return Promise.allSettled(requests.map((request) => this.#enqueue(request) as Promise<Consumption>)); // see `execute`
  }

  /**
   * What `execute` would answer now; nothing of it is written, but where more is due of the customer than one transaction
   * settles, that is settled first, as it would be by itself. Throws as `execute` does.
   */
  async check<R extends ConsumeRequest | ReserveRequest>(request: R): Promise<ResultOf<R>> {
    for (;;) {
      const result = await this.#deps.ledger.preview(request).catch((error: unknown) => {
        throw error instanceof Uncountable ? doesNotAddUp() : error;
      });
      if (result instanceof MeterError) throw result;
      if (result !== POSTPONED) return result as ResultOf<R>; // see `execute`
      const { tenantId, customerId, referenceId } = request;
      await this.execute({ kind: 'settle', tenantId, customerId, referenceId, idempotencyKey: null });
    }
  }

  /** Takes no more requests, and returns when those it has are answered. */
  async drain(): Promise<void> {
    this.#stopping = true;
    do {
      await this.#running;
      await this.#newest; // which may give some back
    } while (this.#running !== null);
  }

  #admit(count: number): void {
    const refusal = this.#refusalOf(count);
    if (refusal === null) return;
    for (let i = 0; i < count; i += 1) this.#deps.onAnswered(refusal.code, 0);
    throw refusal;
  }

  #refusalOf(count: number): MeterError | null {
    if (this.#stopping) return stopping();
    const { queueLengthMax } = this.#options;
    return this.#queue.length + count <= queueLengthMax ? null : overloaded(this.#queue.length, queueLengthMax);
  }

  #enqueue(request: Request): Promise<Result> {
    return new Promise((resolve, reject) => {
      const arrivedAtMs = this.#deps.clock.now();
      const arrival = this.#arrived;
      this.#arrived += 1;
      this.#queue.push({ request, arrival, arrivedAtMs, startedMs: performance.now(), resolve, reject, retry: null });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        // Let the event loop read the requests that are there already: an embedded database answers in microtasks, and
        // without this every batch would hold one.
        await new Promise(setImmediate);
        await this.#beginNext();
      }
    } finally {
      this.#running = null; // in the same tick that saw the queue empty: who comes next starts anew
    }
  }

  /**
   * Begins to record the next batch.
   *
   * @returns when another may be begun: beside one that was sent by what is remembered, one; beside one that reads, none.
   */
  async #beginNext(): Promise<void> {
    const before = this.#newest;
    const ahead = this.#takeBatch();
    const sent = this.#sendAhead(ahead);
    if (sent !== null) {
      this.#follow(before, ahead, this.#finisher.finishSent(ahead, sent, before));
      return before;
    }
    this.#putBack(ahead); // and taken again: those before may come back, and more come meanwhile
    await before; // what it reads is what they leave
    const batch = this.#takeBatch();
    if (batch.length === 0) return; // they have waited too long
    this.#follow(before, batch, this.#finisher.finish(batch));
    return this.#newest;
  }

  /** Sends what can be decided by what is remembered; null for all else, and for what has failed so before. */
  #sendAhead(batch: readonly Pending[]): Promise<readonly Reply[]> | null {
    if (batch.length === 0 || batch.some(({ retry }) => retry !== null)) return null;
    try {
      return this.#deps.ledger.recordRemembered(requestsOf(batch));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The batch is the newest now; whoever is to be recorded later comes back. */
  #follow(before: Promise<void>, batch: readonly Pending[], finishing: Promise<readonly Pending[]>): void {
    const startedMs = performance.now();
    const finished = finishing
      .catch((error: unknown) => {
        for (const { reject } of batch) reject(error);
        return [];
      })
      .then((later) => {
        this.#putBack(later);
        if (later.length > 0) this.#running ??= this.#run();
        if (batch.length > 0) this.#deps.onBatch(batch.length, performance.now() - startedMs);
      });
    this.#newest = Promise.all([before, finished]).then(() => {}); // keeps nothing of those before
  }

  /** In front of whoever came after them. */
  #putBack(batch: readonly Pending[]): void {
    if (batch.length === 0) return;
    const queue = [...batch, ...this.#queue];
    const isInOrder = (this.#queue[0]?.arrival ?? Number.POSITIVE_INFINITY) > (batch.at(-1)?.arrival ?? 0);
    this.#queue = isInOrder ? queue : queue.sort((a, b) => a.arrival - b.arrival);
  }

  /**
   * The next requests in order of arrival, without those that have waited too long. What has failed before is a batch of its own, so
   * that whatever is wrong with it costs nobody else a second try.
   */
  #takeBatch(): readonly Pending[] {
    const { batchSizeMax, deadlineMs } = this.#options;
    const nowMs = this.#deps.clock.now();
    const hasFailed = this.#queue[0]?.retry !== null;
    const end = this.#queue.findIndex(({ retry }) => (retry !== null) !== hasFailed);
    const taken = this.#queue.splice(0, end < 0 ? batchSizeMax : Math.min(end, batchSizeMax));
    return taken.filter((pending) => {
      const inTime = nowMs - pending.arrivedAtMs <= deadlineMs;
      if (!inTime) this.#finisher.answer(pending, tooLate(deadlineMs));
      return inTime;
    });
  }
}

/** Whoever only listens does not keep the engine from its work, and is complained of once. */
function unlessItThrows<A extends readonly unknown[]>(listener: (...args: A) => void = () => {}) {
  let hasThrown = false;
  return (...args: A): void => {
    try {
      listener(...args);
    } catch (error) {
      if (!hasThrown) process.emitWarning(error instanceof Error ? error : String(error));
      hasThrown = true;
    }
  };
}
