/**
 * engine — group commit: what arrives while transactions are in flight forms the next batch.
 *
 * No timer and no added latency when idle; under load, one transaction for as many requests as came in meanwhile, so a
 * hot customer is no slower than many cold ones. Two batches are in flight where the second can be decided by what the
 * first will leave: while the database saves one, the other is decided and sent. Nobody is answered before COMMIT.
 */
import { isUnreachable, sqlStateOf } from '../db/client.ts';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import { Uncountable } from './draft.ts';
import type { Ledger } from './ledger.ts';
import {
  beingChanged,
  doesNotAddUp,
  isConflict,
  isHeld,
  isLate,
  overloaded,
  refusalOf,
  stopping,
  tooLate,
  unanswered,
  unreachable,
} from './refusals.ts';
import type { ConsumeRequest, Consumption, Request, ReserveRequest, ResultOf } from './requests.ts';
import { POSTPONED, type Result } from './results.ts';

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
  /** Told the outcome of each request, and how long it took from its arrival. */
  readonly onAnswered?: (outcome: string, durationMs: number) => void;
};

type Pending = {
  readonly request: Request;
  /** By the clock of requests, for the deadline. */
  readonly arrivedAtMs: number;
  /** On the monotonic clock of this process, for the metrics. */
  readonly startedMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

type Answer = Exclude<Result, MeterError | typeof POSTPONED>;

/** What keeps more than one batch from being recorded. */
type Trouble = { readonly kind: 'unreachable'; readonly cause: unknown } | { readonly kind: 'customer-held' };

export class Engine {
  readonly #deps: EngineDeps;
  readonly #options: EngineOptions;
  #queue: Pending[] = [];
  #running: Promise<void> | null = null;
  /** Until everybody of the newest batch is answered, and of all before it. */
  #newest: Promise<unknown> = Promise.resolve();
  /** Batches that failed and are being recorded anew: what comes later waits for them. */
  #recovering = 0;
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
      await this.#newest; // which may leave some that are postponed
    } while (this.#running !== null);
  }

  #admit(count: number): void {
    const refusal = this.#refusalOf(count);
    if (refusal === null) return;
    for (let i = 0; i < count; i += 1) this.#deps.onAnswered?.(refusal.code, 0);
    throw refusal;
  }

  #refusalOf(count: number): MeterError | null {
    if (this.#stopping) return stopping();
    const { queueLengthMax } = this.#options;
    return this.#queue.length + count <= queueLengthMax ? null : overloaded(this.#queue.length, queueLengthMax);
  }

  #enqueue(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const arrivedAtMs = this.#deps.clock.now();
      this.#queue.push({ request, arrivedAtMs, startedMs: performance.now(), resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        // Let the event loop read the requests that are there already: an embedded database answers in microtasks, and
        // without this every batch would hold one.
        await new Promise(setImmediate);
        await this.#send(this.#takeBatch());
      }
    } finally {
      this.#running = null; // in the same tick that saw the queue empty: who comes next starts anew
    }
  }

  /** Has a batch recorded. @returns when the next may be taken: there are two in flight at most. */
  async #send(batch: readonly Pending[]): Promise<void> {
    if (batch.length === 0) return;
    const before = this.#newest;
    const sent = this.#recovering > 0 ? null : this.#sendRemembered(batch);
    if (sent === null) await before; // it reads what they leave
    const settled = this.#settleAll(batch, sent, before);
    this.#newest = Promise.all([before, settled]);
    await (sent === null ? settled : before);
  }

  #sendRemembered(batch: readonly Pending[]): Promise<readonly Result[]> | null {
    try {
      return this.#deps.ledger.recordRemembered(requestsOf(batch));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Answers every caller of a batch, which may have been sent by what is remembered. */
  async #settleAll(
    batch: readonly Pending[],
    sent: Promise<readonly Result[]> | null,
    before: Promise<unknown>,
  ): Promise<void> {
    const startedMs = performance.now();
    const postponed: Pending[] = [];
    if (sent === null) await this.#settle(batch, postponed);
    else await this.#settleSent(batch, sent, before, postponed);
    this.#queue.unshift(...postponed); // they came before whoever waits
    if (postponed.length > 0) this.#running ??= this.#run();
    this.#deps.onBatch?.(batch.length, performance.now() - startedMs);
  }

  /** One that failed is recorded by reading, whatever it failed for, when those before it are. */
  async #settleSent(
    batch: readonly Pending[],
    sent: Promise<readonly Result[]>,
    before: Promise<unknown>,
    postponed: Pending[],
  ): Promise<void> {
    try {
      return this.#answerAll(batch, await this.#inTime(sent), postponed);
    } catch (error) {
      this.#recovering += 1;
      await before;
      if (isLate(error) || isUnreachable(error)) this.#giveUp(batch, error);
      else await this.#settle(batch, postponed);
    }
    this.#recovering -= 1;
  }

  /** The next requests in order of arrival, without those that have waited too long. */
  #takeBatch(): readonly Pending[] {
    const { batchSizeMax, deadlineMs } = this.#options;
    const nowMs = this.#deps.clock.now();
    const taken = this.#queue.splice(0, batchSizeMax);
    return taken.filter((pending) => {
      const inTime = nowMs - pending.arrivedAtMs <= deadlineMs;
      if (!inTime) this.#answer(pending, tooLate(deadlineMs));
      return inTime;
    });
  }

  /**
   * Records a batch and answers every caller. One bad request never fails its neighbours.
   *
   * @param postponed Is given those that go into the next one, because settling their customers takes more than one.
   * @returns what went wrong beyond the batch itself, or null.
   */
  async #settle(batch: readonly Pending[], postponed: Pending[], isRerun = false): Promise<Trouble | null> {
    try {
      this.#answerAll(batch, await this.#inTime(this.#deps.ledger.record(requestsOf(batch))), postponed);
      return null;
    } catch (error) {
      return this.#recover(batch, postponed, error, isRerun);
    }
  }

  #answerAll(batch: readonly Pending[], results: readonly Result[], postponed: Pending[]): void {
    for (const [i, pending] of batch.entries()) {
      const result = results[i] ?? new Error('a request was not decided');
      if (isPostponed(result)) postponed.push(pending);
      else this.#answer(pending, result);
    }
  }

  /** A batch failed, and nothing of it is recorded unless the database was lost in COMMIT. */
  async #recover(
    batch: readonly Pending[],
    postponed: Pending[],
    error: unknown,
    isRerun: boolean,
  ): Promise<Trouble | null> {
    const state = sqlStateOf(error);
    if (isLate(error) || isUnreachable(error)) return this.#giveUp(batch, error);
    if (!isRerun && isConflict(state)) return this.#settle(batch, postponed, true);
    if (batch.length > 1) return this.#settleOneByOne(batch, postponed);
    for (const pending of batch) this.#answer(pending, refusalOf(error));
    return isHeld(state) ? { kind: 'customer-held' } : null;
  }

  async #settleOneByOne(batch: readonly Pending[], postponed: Pending[]): Promise<Trouble | null> {
    const held = new Set<string>();
    for (const [i, pending] of batch.entries()) {
      const { customerId } = pending.request;
      const isBehind = postponed.some(({ request }) => request.customerId === customerId);
      if (isBehind) postponed.push(pending); // in order of arrival
      const trouble = isBehind || held.has(customerId) ? null : await this.#settle([pending], postponed);
      if (held.has(customerId)) this.#answer(pending, beingChanged());
      if (trouble?.kind === 'customer-held') held.add(customerId); // its other requests need not each wait for the lock
      if (trouble?.kind === 'unreachable') return this.#giveUp(batch.slice(i + 1), trouble.cause); // nor for the deadline
    }
    return null;
  }

  /** A server that is gone may leave a query unanswered for ever; the batch has its own deadline. */
  async #inTime(results: Promise<readonly Result[]>): Promise<readonly Result[]> {
    const { deadlineMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unanswered(deadlineMs)), deadlineMs);
    });
    try {
      return await Promise.race([results, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Every answer goes out here, and is counted: also what the database or we ourselves failed at. */
  #answer({ startedMs, resolve, reject }: Pending, result: Answer | Error): void {
    if (result instanceof Error) reject(result);
    else resolve(result);
    this.#deps.onAnswered?.(outcomeOf(result), performance.now() - startedMs);
  }

  #giveUp(batch: readonly Pending[], cause: unknown): Trouble {
    this.#deps.onUnreachable(cause);
    const error = cause instanceof MeterError ? cause : unreachable();
    for (const pending of batch) this.#answer(pending, error);
    return { kind: 'unreachable', cause };
  }
}

const requestsOf = (batch: readonly Pending[]): readonly Request[] => batch.map(({ request }) => request);

const isPostponed = (result: Result | Error): result is typeof POSTPONED => result === POSTPONED;

/** One word for what became of a request: for metrics. */
function outcomeOf(result: Answer | Error): string {
  if (result instanceof Error) return result instanceof MeterError ? result.code : 'INTERNAL_SERVER_ERROR';
  if (result.kind === 'settled') return result.kind;
  if ('denial' in result && result.denial) return result.denial.reason;
  return 'replayed' in result && result.replayed ? 'replayed' : 'allowed';
}
