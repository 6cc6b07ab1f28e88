/**
 * ledger — one batch through the database: load, decide, save, in one transaction.
 *
 * Whoever is not remembered takes a flight to be read, and everybody one to be written. Where credits, holds, late use or
 * something due are at stake, a batch reads once or twice more. Where nobody must be read, the next batch need not wait:
 * it is decided by what this one will leave, and fails with it.
 */

import type { Catalogs } from '../db/catalogs.ts';
import { type Database, type Query, type Row, type Statement, sqlStateOf } from '../db/client.ts';
import { lacksEventMonth, makeEventMonths } from '../db/event-months.ts';
import { newRevision } from '../db/revision.ts';
import type { Alert } from '../domain/alert.ts';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { BeforeDecision } from '../domain/hook.ts';
import type { Catalog } from '../domain/plan.ts';
import type { Hint } from '../events/bus.ts';
import type { Committed } from '../events/committed.ts';
import { decideBatch } from './batch.ts';
import { copiesOf, Memory } from './memory.ts';
import { MoreGrantsNeeded } from './more-grants.ts';
import { type Left, rememberSent } from './remember.ts';
import { alertsOfReplays, movedBy, POSTPONED, type Reply, repliesOf, withAlerts } from './replies.ts';
import type { Request } from './requests.ts';
import type { Changes, CustomerState, NewAlert } from './state.ts';
import { catalogVersionsStatement, readCatalogVersions } from './store/load-customers.ts';
import type { Customers, Look } from './store/look.ts';
import { isEmpty, type Proof, proofStatement } from './store/proof.ts';
import { readSavedAlerts, saveStatements } from './store/save.ts';
import { firstLook, GRANTS_AT_FIRST, secondLook, thirdLook } from './wants.ts';

export type LedgerDeps = {
  readonly database: Database;
  readonly catalogs: Catalogs;
  readonly clock: Clock;
  /** Hears of every batch after its commit, before the callers do. */
  readonly onCommitted: (committed: Committed) => void;
  /** Told when `onCommitted` throws, which changes nothing for the callers; left out, the process warns on stderr. */
  readonly onListenerError?: (error: unknown) => void;
  /** What other gateways should hear of these changes; null where there are no others. */
  readonly hintOf: (changes: Changes) => Hint | null;
  /** The app's own function inside the decision; left out: none. */
  readonly before?: BeforeDecision | null;
  /** In what windows overage is told to a biller; left out: there is none. */
  readonly reportWindowMs?: number | null;
  /** Left out: one of its own, of the usual size. */
  readonly memory?: Memory;
};

/** By what a batch was decided that nobody has read for it: who is remembered, and the catalogs if those are, too. */
type Guess = { readonly customers: Customers; readonly catalogs: ReadonlyMap<string, Catalog> | null };

const NO_GUESS: Guess = { customers: new Map(), catalogs: null };

/** SQLSTATE of a batch that was decided by a row, or a catalog, that is another by now. */
const ANOTHER_BY_NOW = '22012';
/** SQLSTATEs of a guess that was wrong: that, or a key was known. */
const WRONG_GUESS: ReadonlySet<string> = new Set([ANOTHER_BY_NOW, '23505']);

export class Ledger {
  readonly #deps: LedgerDeps;
  readonly #memory: Memory;
  /** Batches that failed. */
  #failed = 0;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
    this.#memory = deps.memory ?? new Memory();
  }

  /**
   * Decides a batch by what is remembered, and sends it: before it is recorded the next one may be decided.
   *
   * @returns null where it takes more than that. Null or rejected, the batch is for `record`; where it rejects, nothing of it is
   *   recorded unless the connection was lost.
   */
  recordRemembered(requests: readonly Request[]): Promise<readonly Reply[]> | null {
    if (this.#deps.database.engine === 'pglite') return null; // it works on this thread, and not beside us
    const guess = this.#guess(requests);
    const decided = guess.catalogs && this.#decideAtOnce(requests, guess.customers, guess.catalogs);
    if (!decided || failsUnderKey(requests, decided)) return null;
    return this.#unlessWrong(requests, guess, () => this.#save(requests, [], async () => ({ decided, guess })));
  }

  /**
   * Decides and records a batch; it has happened when this returns, but for what is postponed. What was sent before must be
   * recorded, or have failed; a batch that was decided by what this one leaves must fail with it.
   *
   * @throws the database's error, after which nothing of the batch is recorded, unless the connection was lost in COMMIT.
   */
  async record(requests: readonly Request[]): Promise<readonly Reply[]> {
    const guess = this.#guess(requests);
    try {
      return await this.#unlessWrong(requests, guess, () => this.#recordInMonth(requests, guess));
    } catch (error) {
      const isWrong = error instanceof UnprovenKey || WRONG_GUESS.has(sqlStateOf(error) ?? '');
      if (guess.customers.size === 0 || !isWrong) throw error;
      return this.#unlessWrong(requests, NO_GUESS, () => this.#recordInMonth(requests, NO_GUESS));
    }
  }

  /** Where nobody made the month of the events in time, or the clock stands elsewhere, nothing is written; it is made then. */
  async #recordInMonth(requests: readonly Request[], guess: Guess): Promise<readonly Reply[]> {
    try {
      return await this.#recordOnce(requests, guess);
    } catch (error) {
      if (!lacksEventMonth(error)) throw error;
      await makeEventMonths(this.#deps.database, this.#deps.clock.now());
      return this.#recordOnce(requests, guess);
    }
  }

  /** What is remembered of the requests' customers, and of their catalogs where nobody needs to be read. */
  #guess(requests: readonly Request[]): Guess {
    const customers = this.#memory.recall(requests);
    if (requests.some(({ customerId }) => !customers.has(customerId))) return { customers, catalogs: null };
    const catalogs = this.#deps.catalogs.known(requests.map(({ tenantId }) => tenantId));
    return catalogs === null ? NO_GUESS : { customers, catalogs };
  }

  /** Forgets whom a batch was about that failed, and distrusts the guess by which it was decided. */
  async #unlessWrong<T>(requests: readonly Request[], { customers }: Guess, work: () => Promise<T>): Promise<T> {
    const failedBefore = this.#failed;
    try {
      return await work();
    } catch (error) {
      this.#memory.forget(requests);
      // One that failed while this one was on its way took with it what this one was decided by.
      if (sqlStateOf(error) === ANOTHER_BY_NOW && this.#failed === failedBefore) this.#memory.doubt(customers);
      this.#failed += 1;
      throw error;
    }
  }

  #recordOnce(requests: readonly Request[], guess: Guess): Promise<readonly Reply[]> {
    const unknown = requests.filter(({ customerId }) => !guess.customers.has(customerId));
    const looks = guess.catalogs === null ? firstLook(unknown, true) : [];
    return this.#save(requests, statementsOf(requests, looks), async (rows, query) => {
      const { batch, catalogs, customers } = await this.#decide(requests, { looks, rows, guess }, query);
      if (guess.customers.size > 0 && failsUnderKey(requests, batch)) throw new UnprovenKey();
      // Whatever can fail is done before COMMIT: a batch that has happened must never be taken for one that has not.
      const replayedAlerts = await alertsOfReplays(requests, batch.outcomes, query);
      const replies = repliesOf(requests, batch.outcomes, catalogs, replayedAlerts);
      return { decided: { ...batch, customers, replies }, guess };
    });
  }

  /** Writes what is decided, by the rows of what was asked first, and tells it. */
  async #save(
    requests: readonly Request[],
    first: readonly Statement[],
    decide: (rows: readonly Row[][], query: Query) => Promise<{ readonly decided: Decided; readonly guess: Guess }>,
  ): Promise<readonly Reply[]> {
    let decided: Decided | undefined;
    let lookedAt: Iterable<CustomerState> = [];
    const saved = await this.#deps.database.lane.transact(first, async (rows, query) => {
      const made = await decide(rows, query);
      decided = made.decided;
      const revision = newRevision();
      lookedAt = rememberSent(this.#memory, requests, decided, revision);
      return this.#writes(decided.changes, proofOf(made.guess, decided), revision);
    });
    if (!decided) throw new Error('a batch was committed before it was decided');
    this.#memory.keep(lookedAt, null);
    const alerts = this.#savedAlerts(decided, saved);
    this.#announce(decided, [...alerts.values()]);
    return withAlerts(decided, alerts);
  }

  /** The batch has happened: whatever goes wrong here must not have it recorded again. */
  #savedAlerts({ changes }: Decided, saved: readonly Row[][]): ReadonlyMap<NewAlert, Alert> {
    try {
      return readSavedAlerts(changes.alerts, saved);
    } catch (error) {
      this.#complain(error);
      return new Map();
    }
  }

  /** What `record` would answer one request now: the same reading, the same decision, and nothing is written. */
  async preview(request: Request): Promise<Reply> {
    const { query } = this.#deps.database;
    const looks = firstLook([request], false);
    const [customers, ...others] = statementsOf([request], looks);
    // The customer first: what is read after it is never older than the sequence that the answer carries.
    const first = customers ? await query(customers) : [];
    const rows = [first, ...(await Promise.all(others.map((statement) => query(statement))))];
    const { batch, catalogs } = await this.#decide([request], { looks, rows, guess: NO_GUESS }, query);
    const alerts = await alertsOfReplays([request], batch.outcomes, query);
    const [result] = repliesOf([request], batch.outcomes, catalogs, alerts);
    if (!result) throw new Error('a request was not decided');
    const [moved] = batch.changes.customers;
    if (!moved || result instanceof MeterError || result === POSTPONED || !('usage' in result)) return result;
    return { ...result, usage: { ...result.usage, sequence: moved.sequenceBefore } }; // no sequence was taken
  }

  #announce(decided: Decided, alerts: readonly Alert[]): void {
    if (decided.changes.customers.length === 0) return;
    try {
      this.#deps.onCommitted({ moved: movedBy(decided), alerts: alerts.filter(({ mutedAtMs }) => mutedAtMs === null) });
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const { onListenerError = warn } = this.#deps;
    onListenerError(error);
  }

  /** Reads on where the first look shows that it must, and decides. */
  async #decide(requests: readonly Request[], { looks, rows, guess }: Known, query: Query) {
    const catalogs = guess.catalogs ?? (await this.#catalogsOf(rows[1] ?? [], query));
    const nowMs = this.#deps.clock.now();
    for (let grantsMax = GRANTS_AT_FIRST; ; grantsMax *= GRANTS_AT_FIRST) {
      const customers = copiesOf(guess.customers);
      readInto(customers, looks, withoutVersions(rows));
      await lookAgain(secondLook(requests, customers, catalogs, nowMs, grantsMax), customers, query);
      await lookAgain(thirdLook(customers), customers, query);
      try {
        const state = { customers, catalogs, nowMs, before: this.#deps.before ?? null };
        return { batch: decideBatch(requests, state), catalogs, customers };
      } catch (error) {
        if (!(error instanceof MoreGrantsNeeded)) throw error; // draws from more grants than were read: look at more
      }
    }
  }

  /** Decides by what is remembered alone; null where that is not all it takes. */
  #decideAtOnce(
    requests: readonly Request[],
    remembered: Customers,
    catalogs: ReadonlyMap<string, Catalog>,
  ): Decided | null {
    const nowMs = this.#deps.clock.now();
    const customers = copiesOf(remembered);
    if (secondLook(requests, customers, catalogs, nowMs, GRANTS_AT_FIRST).length > 0) return null;
    if (thirdLook(customers).length > 0) return null;
    const state = { customers, catalogs, nowMs, before: this.#deps.before ?? null };
    const batch = decideBatch(requests, state);
    if (batch.outcomes.some(({ kind }) => kind === 'postponed')) return null;
    // Whoever replays one of these is in this very batch, whose alerts are yet to be stored: see `withAlerts`.
    return { ...batch, customers, replies: repliesOf(requests, batch.outcomes, catalogs, []) };
  }

  async #catalogsOf(rows: readonly Row[], query: Query): Promise<ReadonlyMap<string, Catalog>> {
    const catalogs = new Map<string, Catalog>();
    for (const [tenantId, version] of readCatalogVersions(rows)) {
      catalogs.set(tenantId, await this.#deps.catalogs.atVersion(query, tenantId, version));
    }
    return catalogs;
  }

  #writes(changes: Changes, proof: Proof, revision: bigint): readonly Statement[] {
    if (changes.customers.length === 0 && changes.answers.length === 0)
      return isEmpty(proof) ? [] : [proofStatement(proof)];
    const hint = changes.customers.length === 0 ? null : this.#deps.hintOf(changes);
    const { reportWindowMs = null } = this.#deps;
    return saveStatements(changes, { proof, revision, hint, reportWindowMs });
  }
}

/**
 * Whether nothing would show that a key was sent before: what is written under it does, and nothing is of a call that fails.
 */
const failsUnderKey = (requests: readonly Request[], { outcomes }: Pick<Left, 'outcomes'>): boolean =>
  outcomes.some(({ kind }, i) => kind === 'failed' && requests[i]?.idempotencyKey !== null);

class UnprovenKey extends Error {}

/** What became of a batch, whose customers are as it leaves them. */
type Decided = Left & { readonly replies: readonly Reply[] };

/** What a batch is decided by: the rows of its first look, and what nobody has looked at. */
type Known = { readonly looks: readonly Look[]; readonly rows: readonly (readonly Row[])[]; readonly guess: Guess };

/** All of a guess that no write of this batch shows to be right by itself. */
function proofOf({ customers, catalogs }: Guess, { changes, customers: decided }: Decided): Proof {
  const written = new Set(changes.customers);
  const guessed = [...customers.keys()].flatMap((id) => decided.get(id) ?? []);
  return {
    customers: guessed.filter((customer) => !written.has(customer)),
    catalogs: [...(catalogs ?? [])].map(([tenantId, { version }]) => ({ tenantId, version })),
  };
}

/** The first flight: customers, then the versions of their tenants' catalogs, then the rest of the first look. */
function statementsOf(requests: readonly Request[], [customers, ...others]: readonly Look[]): readonly Statement[] {
  if (!customers) return [];
  const versions = catalogVersionsStatement(requests.map((r) => r.tenantId));
  return [customers.statement, versions, ...others.map(({ statement }) => statement)];
}

const withoutVersions = ([customers = [], , ...others]: readonly (readonly Row[])[]) => [customers, ...others];

function readInto(customers: Customers, looks: readonly Look[], rows: readonly (readonly Row[])[]): void {
  for (const [i, look] of looks.entries()) look.read(rows[i] ?? [], customers);
}

async function lookAgain(looks: readonly Look[], customers: Customers, query: Query): Promise<void> {
  if (looks.length === 0) return;
  readInto(customers, looks, await Promise.all(looks.map(({ statement }) => query(statement))));
}

const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));
