/**
 * finisher — sees a batch through: recorded, again where it met another gateway's, one by one where one of its calls is at
 * fault, and every caller answered. One bad request never fails its neighbours.
 */
import { isUnreachable, sqlStateOf } from '../db/client.ts';
import { MeterError } from '../domain/errors.ts';
import type { Ledger } from './ledger.ts';
import { beingChanged, isConflict, isHeld, isLate, refusalOf, unanswered, unreachable } from './refusals.ts';
import { POSTPONED, type Reply } from './replies.ts';
import type { Request, Result } from './requests.ts';

/** A request that waits for its answer. */
export type Pending = {
  readonly request: Request;
  /** How many came before it. */
  readonly arrival: number;
  /** By the clock of requests, for the deadline. */
  readonly arrivedAtMs: number;
  /** On the monotonic clock of this process, for the metrics. */
  readonly startedMs: number;
  readonly resolve: (answer: Result) => void;
  readonly reject: (error: unknown) => void;
  /** How it is to be recorded, after its batch has failed: by reading, or by itself as well, since somebody is held. */
  retry: 'reading' | 'alone' | null;
};

export type FinisherDeps = {
  readonly ledger: Pick<Ledger, 'record'>;
  /** How long a batch may take. */
  readonly deadlineMs: number;
  /** Told when the database did not answer, so that the next batch gets a new connection. */
  readonly onUnreachable: (cause: unknown) => void;
  /** Told the outcome of each request, how long it took from its arrival, and the answer where there is one. */
  readonly onAnswered: (outcome: string, durationMs: number, answer?: Result) => void;
};

/** What keeps more than one batch from being recorded. */
type Trouble = { readonly kind: 'unreachable'; readonly cause: unknown } | { readonly kind: 'customer-held' };

export class Finisher {
  readonly #deps: FinisherDeps;

  constructor(deps: FinisherDeps) {
    this.#deps = deps;
  }

  /**
   * Records a batch, and answers its callers.
   *
   * @returns those to be recorded later, in front of whoever came after them: settling their customers takes more than one batch.
   */
  async finish(batch: readonly Pending[]): Promise<readonly Pending[]> {
    const later: Pending[] = [];
    if (batch.some(({ retry }) => retry === 'alone')) await this.#recordOneByOne(batch, later);
    else await this.#record(batch, later);
    return later;
  }

  /**
   * Answers the callers of a batch that was sent by what is remembered, after those of the batches before it.
   *
   * @returns all of them, to be recorded otherwise in their turn, where it has failed: what for is told when they are read.
   */
  async finishSent(
    batch: readonly Pending[],
    sent: Promise<readonly Reply[]>,
    before: Promise<void>,
  ): Promise<readonly Pending[]> {
    sent.catch(() => {}); // it may fail while we wait for those before it, and is heard below
    await before; // its time begins now: until then the database was at work for them
    try {
      this.#answerAll(batch, await this.#inTime(sent), []);
      return [];
    } catch (error) {
      if (isLate(error) || isUnreachable(error)) {
        this.#giveUp(batch, error);
        return [];
      }
      for (const pending of batch) pending.retry = isHeld(sqlStateOf(error)) ? 'alone' : 'reading';
      return batch;
    }
  }

  /** Every answer goes out here, and is counted: also what the database or we ourselves failed at. */
  answer({ startedMs, resolve, reject }: Pending, result: Result | Error): void {
    if (result instanceof Error) reject(result);
    else resolve(result);
    const answered = result instanceof Error ? undefined : result;
    this.#deps.onAnswered(outcomeOf(result), performance.now() - startedMs, answered);
  }

  /**
   * @param later Is given those that are postponed.
   * @returns what went wrong beyond the batch itself, or null.
   */
  async #record(batch: readonly Pending[], later: Pending[], isRerun = false): Promise<Trouble | null> {
    try {
      this.#answerAll(batch, await this.#inTime(this.#deps.ledger.record(requestsOf(batch))), later);
      return null;
    } catch (error) {
      return this.#recover(batch, later, error, isRerun);
    }
  }

  #answerAll(batch: readonly Pending[], replies: readonly Reply[], later: Pending[]): void {
    for (const [i, pending] of batch.entries()) {
      const reply = replies[i] ?? new Error('a request was not decided');
      if (isPostponed(reply)) {
        pending.retry = null; // it did not fail
        later.push(pending);
      } else this.answer(pending, reply);
    }
  }

  /** A batch failed, and nothing of it is recorded unless the database was lost in COMMIT. */
  async #recover(
    batch: readonly Pending[],
    later: Pending[],
    error: unknown,
    isRerun: boolean,
  ): Promise<Trouble | null> {
    const state = sqlStateOf(error);
    if (isLate(error) || isUnreachable(error)) return this.#giveUp(batch, error);
    if (!isRerun && isConflict(state)) return this.#record(batch, later, true);
    if (batch.length > 1) return this.#recordOneByOne(batch, later);
    for (const pending of batch) this.answer(pending, refusalOf(error));
    return isHeld(state) ? { kind: 'customer-held' } : null;
  }

  async #recordOneByOne(batch: readonly Pending[], later: Pending[]): Promise<Trouble | null> {
    const held = new Set<string>();
    for (const [i, pending] of batch.entries()) {
      const { customerId } = pending.request;
      const isBehind = later.some(({ request }) => request.customerId === customerId);
      if (isBehind) later.push(pending); // in order of arrival
      const trouble = isBehind || held.has(customerId) ? null : await this.#record([pending], later);
      if (held.has(customerId)) this.answer(pending, beingChanged());
      if (trouble?.kind === 'customer-held') held.add(customerId); // its other requests need not each wait for the lock
      if (trouble?.kind === 'unreachable') return this.#giveUp(batch.slice(i + 1), trouble.cause); // nor for the deadline
    }
    return null;
  }

  /** A server that is gone may leave a query unanswered for ever; the batch has its own deadline. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    const { deadlineMs } = this.#deps;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unanswered(deadlineMs)), deadlineMs);
    });
    try {
      return await Promise.race([work, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  #giveUp(batch: readonly Pending[], cause: unknown): Trouble {
    this.#deps.onUnreachable(cause);
    const error = cause instanceof MeterError ? cause : unreachable();
    for (const pending of batch) this.answer(pending, error);
    return { kind: 'unreachable', cause };
  }
}

export const requestsOf = (batch: readonly Pending[]): readonly Request[] => batch.map(({ request }) => request);

const isPostponed = (reply: Reply | Error): reply is typeof POSTPONED => reply === POSTPONED;

/** One word for what became of a request: for metrics. */
function outcomeOf(result: Result | Error): string {
  if (result instanceof Error) return result instanceof MeterError ? result.code : 'INTERNAL_SERVER_ERROR';
  if (result.kind === 'settled') return result.kind;
  if ('denial' in result && result.denial) return result.denial.reason;
  return 'replayed' in result && result.replayed ? 'replayed' : 'allowed';
}
