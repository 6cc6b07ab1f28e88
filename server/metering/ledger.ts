/**
 * ledger — one batch through the database: load, decide, save, in one transaction.
 *
 * Most batches take two flights, one to read and one to write. Where credits, holds, late use or something due are at
 * stake, they read once or twice more.
 */

import type { Catalogs } from '../db/catalogs.ts';
import type { Database, Query, Row, Statement } from '../db/client.ts';
import { lacksEventMonth, makeEventMonths } from '../db/event-months.ts';
import { alertsOfEvents, type EventRange } from '../db/queries/alerts.ts';
import type { Alert } from '../domain/alert.ts';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { BeforeDecision } from '../domain/hook.ts';
import type { Catalog } from '../domain/plan.ts';
import type { Usage } from '../domain/usage.ts';
import type { Hint } from '../events/bus.ts';
import type { Committed, CustomerMoved } from '../events/committed.ts';
import { answerFromJson } from './answer.ts';
import { type BatchResult, decideBatch, type Outcome } from './batch.ts';
import { MoreGrantsNeeded } from './more-grants.ts';
import type { Result as Answer, Request } from './requests.ts';
import type { Changes, NewAlert } from './state.ts';
import { catalogVersionsStatement, readCatalogVersions } from './store/load-customers.ts';
import type { Customers, Look } from './store/look.ts';
import { notifyStatement, readSavedAlerts, saveStatements } from './store/save.ts';
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
};

/** Not decided yet: so much is due of its customer that settling takes more transactions. See `settleCustomer`. */
export const POSTPONED = { kind: 'postponed' } as const;

/** A request's own result; an error here is about this request alone. */
export type Result = Answer | MeterError | typeof POSTPONED;

export class Ledger {
  readonly #deps: LedgerDeps;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
  }

  /**
   * Decides and records a batch; it has happened when this returns, but for what is postponed.
   *
   * @throws the database's error, after which nothing of the batch is recorded, unless the connection was lost in COMMIT.
   */
  async record(requests: readonly Request[]): Promise<readonly Result[]> {
    try {
      return await this.#recordOnce(requests);
    } catch (error) {
      if (!lacksEventMonth(error)) throw error;
      // Nobody made the month in time, or the clock stands elsewhere. Nothing was written; it is made now.
      await makeEventMonths(this.#deps.database, this.#deps.clock.now());
      return this.#recordOnce(requests);
    }
  }

  async #recordOnce(requests: readonly Request[]): Promise<readonly Result[]> {
    let decided: Decided | undefined;
    const looks = firstLook(requests, true);
    const saved = await this.#deps.database.lane.transact(statementsOf(requests, looks), async (rows, query) => {
      const { batch, catalogs } = await this.#decide(requests, looks, rows, query);
      // Whatever can fail is done before COMMIT: a batch that has happened must never be taken for one that has not.
      const replayedAlerts = await alertsOfReplays(requests, batch.outcomes, query);
      decided = { ...batch, results: resultsOf(requests, batch.outcomes, catalogs, replayedAlerts) };
      return this.#writes(batch.changes);
    });
    if (!decided) throw new Error('a batch was committed before it was decided');
    const alerts = readSavedAlerts(decided.changes.alerts, saved);
    this.#announce(decided, [...alerts.values()]);
    return withAlerts(decided, alerts);
  }

  /** What `record` would answer one request now: the same reading, the same decision, and nothing is written. */
  async preview(request: Request): Promise<Result> {
    const { query } = this.#deps.database;
    const looks = firstLook([request], false);
    const [customers, ...others] = statementsOf([request], looks);
    // The customer first: what is read after it is never older than the sequence that the answer carries.
    const first = customers ? await query(customers) : [];
    const rows = [first, ...(await Promise.all(others.map((statement) => query(statement))))];
    const { batch, catalogs } = await this.#decide([request], looks, rows, query);
    const alerts = await alertsOfReplays([request], batch.outcomes, query);
    const [result] = resultsOf([request], batch.outcomes, catalogs, alerts);
    if (!result) throw new Error('a request was not decided');
    const [moved] = batch.changes.customers;
    if (!moved || result instanceof MeterError || result === POSTPONED || !('usage' in result)) return result;
    return { ...result, usage: { ...result.usage, sequence: moved.sequenceBefore } }; // no sequence was taken
  }

  #announce(decided: Decided, alerts: readonly Alert[]): void {
    if (decided.changes.customers.length === 0) return;
    const { onCommitted, onListenerError = warn } = this.#deps;
    try {
      onCommitted({ moved: movedBy(decided), alerts: alerts.filter(({ mutedAtMs }) => mutedAtMs === null) });
    } catch (error) {
      onListenerError(error);
    }
  }

  /** Reads on where the first look shows that it must, and decides. */
  async #decide(requests: readonly Request[], looks: readonly Look[], rows: readonly (readonly Row[])[], query: Query) {
    const catalogs = await this.#catalogsOf(rows[1] ?? [], query);
    const nowMs = this.#deps.clock.now();
    for (let grantsMax = GRANTS_AT_FIRST; ; grantsMax *= GRANTS_AT_FIRST) {
      const customers: Customers = new Map();
      readInto(customers, looks, withoutVersions(rows));
      await lookAgain(secondLook(requests, customers, catalogs, nowMs, grantsMax), customers, query);
      await lookAgain(thirdLook(customers), customers, query);
      try {
        const state = { customers, catalogs, nowMs, before: this.#deps.before ?? null };
        return { batch: decideBatch(requests, state), catalogs };
      } catch (error) {
        if (!(error instanceof MoreGrantsNeeded)) throw error; // draws from more grants than were read: look at more
      }
    }
  }

  async #catalogsOf(rows: readonly Row[], query: Query): Promise<ReadonlyMap<string, Catalog>> {
    const catalogs = new Map<string, Catalog>();
    for (const [tenantId, version] of readCatalogVersions(rows)) {
      catalogs.set(tenantId, await this.#deps.catalogs.atVersion(query, tenantId, version));
    }
    return catalogs;
  }

  #writes(changes: Changes): readonly Statement[] {
    if (changes.customers.length === 0 && changes.answers.length === 0) return [];
    const hint = changes.customers.length === 0 ? null : this.#deps.hintOf(changes);
    return [...saveStatements(changes), ...(hint ? [notifyStatement(hint)] : [])];
  }
}

/** The first flight: customers, then the versions of their tenants' catalogs, then the rest of the first look. */
function statementsOf(
  requests: readonly Request[],
  [customers, ...others]: readonly [Look, ...Look[]],
): readonly Statement[] {
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

/** The alerts that the first answers of replayed calls spoke of, by position in the batch. Seldom any. */
async function alertsOfReplays(requests: readonly Request[], outcomes: readonly Outcome[], query: Query) {
  const ranges = requests.map((request, i) => raisedBy(request, outcomes[i]));
  const found = (
    await alertsOfEvents(
      query,
      ranges.filter((range) => range !== null),
    )
  ).values();
  return ranges.map((range) => (range === null ? [] : (found.next().value ?? [])));
}

/** The events that raised what a replayed answer speaks of; null where it speaks of nothing, or is none. */
function raisedBy({ customerId }: Pick<Request, 'customerId'>, outcome: Outcome | undefined): EventRange | null {
  if (outcome?.kind !== 'replayed' || outcome.answer.kind !== 'consumption' || outcome.answer.alerts === 0) return null;
  const { alertsFrom, usage } = outcome.answer;
  return { customerId, first: alertsFrom ?? usage.sequence, last: usage.sequence };
}

type Decided = BatchResult & { readonly results: readonly Result[] };

/** Every request's result, but for the alerts of this very batch: they get their sequence when they are stored. */
const resultsOf = (
  requests: readonly Request[],
  outcomes: readonly Outcome[],
  catalogs: ReadonlyMap<string, Catalog>,
  replayedAlerts: readonly (readonly Alert[])[],
): readonly Result[] =>
  requests.map((request, i) => resultOf(request, outcomes[i], catalogs.get(request.tenantId), replayedAlerts[i] ?? []));

function resultOf(
  request: Request,
  outcome: Outcome | undefined,
  catalog: Catalog | undefined,
  replayedAlerts: readonly Alert[],
): Result {
  if (outcome?.kind === 'failed') return outcome.error;
  if (outcome?.kind === 'postponed') return POSTPONED;
  if (outcome?.kind === 'decided') {
    const { result } = outcome;
    return result.kind === 'consumption' ? { ...result, alerts: [] } : result;
  }
  if (outcome?.kind !== 'replayed' || !catalog) throw new Error('a request of the batch was not decided');
  return answerFromJson(outcome.answer, request, catalog, replayedAlerts);
}

/** Adds the alerts of this batch: to those who raised them, and to those who sent the same call again within it. */
function withAlerts({ results, outcomes }: Decided, saved: ReadonlyMap<NewAlert, Alert>): readonly Result[] {
  if (saved.size === 0) return results;
  return results.map((result, i) => {
    if (result instanceof MeterError || result === POSTPONED) return result;
    if (result.kind !== 'consumption' || !result.allowed) return result;
    const outcome = outcomes[i];
    const raised =
      outcome?.kind === 'decided'
        ? outcome.alerts.flatMap((alert) => saved.get(alert) ?? [])
        : savedIn(saved, raisedBy(result.usage, outcome));
    return raised.length > 0 ? { ...result, alerts: raised } : result;
  });
}

function savedIn(saved: ReadonlyMap<NewAlert, Alert>, range: EventRange | null): readonly Alert[] {
  if (range === null) return [];
  const [first, last] = [BigInt(range.first), BigInt(range.last)];
  return [...saved]
    .filter(([{ customerId, eventSequence: at }]) => customerId === range.customerId && first <= at && at <= last)
    .map(([, alert]) => alert);
}

const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));

/** Of each meter the last state in the batch; earlier ones were never visible to anybody. */
function movedBy({ outcomes, changes }: BatchResult): readonly CustomerMoved[] {
  const newest = new Map(changes.customers.map((customer) => [customer.id, new Map<string, Usage>()]));
  for (const outcome of outcomes) {
    if (outcome.kind !== 'decided' || outcome.own === null) continue;
    if (outcome.result.kind === 'consumption' && !outcome.result.allowed) continue;
    newest.get(outcome.own.customerId)?.set(outcome.own.feature.key, outcome.own);
  }
  return changes.customers.map((customer) => ({
    tenantId: customer.tenantId,
    customerId: customer.id,
    sequenceBefore: customer.sequenceBefore,
    sequence: customer.sequence,
    isWhole: customer.limitsSequence <= customer.sequenceBefore && !changes.settled.has(customer),
    dueAtMs: customer.dueAtMs,
    usages: [...(newest.get(customer.id)?.values() ?? [])],
  }));
}
