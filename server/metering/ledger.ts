/**
 * ledger — one batch through the database: load, decide, save, in one transaction of two flights.
 */

import type { Catalogs } from '../db/catalogs.ts';
import type { Database, Query, Row } from '../db/client.ts';
import { alertsOfEvent } from '../db/queries/stored-alerts.ts';
import type { Alert } from '../domain/alert.ts';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { Catalog } from '../domain/plan.ts';
import type { Usage } from '../domain/usage.ts';
import type { Hint } from '../events/bus.ts';
import type { Committed, CustomerMoved } from '../events/committed.ts';
import { answerFromJson } from './answer.ts';
import { type BatchResult, decideBatch, type Outcome } from './batch.ts';
import type { ConsumeRequest, Consumption } from './consumption.ts';
import type { Changes, NewAlert } from './state.ts';
import { loadStatements, notifyStatement, readLoaded, readSavedAlerts, saveStatement } from './store.ts';

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
};

/** A request's own result; an error here is about this request alone. */
export type Result = Consumption | MeterError;

export class Ledger {
  readonly #deps: LedgerDeps;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
  }

  /**
   * Decides and records a batch; it has happened when this returns.
   *
   * @throws the database's error, after which nothing of the batch is recorded, unless the connection was lost in COMMIT.
   */
  async record(requests: readonly ConsumeRequest[]): Promise<readonly Result[]> {
    let decided: Decided | undefined;
    const saved = await this.#deps.database.lane.transact(loadStatements(requests, true), async (rows, query) => {
      const { outcomes, changes } = await this.#decide(requests, rows, query);
      // Whatever can fail is done before COMMIT: a batch that has happened must never be taken for one that has not.
      const results = resultsOf(requests, outcomes, await alertsOfReplays(requests, outcomes, query));
      decided = { outcomes, changes, results };
      return this.#writes(changes);
    });
    if (!decided) throw new Error('a batch was committed before it was decided');
    const alerts = readSavedAlerts(decided.changes.alerts, saved);
    this.#announce(decided, [...alerts.values()]);
    return withAlerts(decided, alerts);
  }

  /** What `record` would answer one request now: the same reading, the same decision, and nothing is written. */
  async preview(request: ConsumeRequest): Promise<Result> {
    const { query } = this.#deps.database;
    const [customer, ...others] = loadStatements([request], false);
    // The customer first: what is read after it is never older than the sequence that the answer carries.
    const rows = [await query(customer), ...(await Promise.all(others.map((statement) => query(statement))))];
    const { outcomes, changes } = await this.#decide([request], rows, query);
    const [result] = resultsOf([request], outcomes, await alertsOfReplays([request], outcomes, query));
    if (!result) throw new Error('a request was not decided');
    const [moved] = changes.customers;
    if (!moved || result instanceof MeterError) return result;
    return { ...result, usage: { ...result.usage, sequence: moved.sequenceBefore } }; // no sequence was taken
  }

  #announce(decided: Decided, alerts: readonly Alert[]): void {
    if (decided.changes.events.length === 0) return;
    const { onCommitted, onListenerError = warn } = this.#deps;
    try {
      onCommitted({ moved: movedBy(decided), alerts });
    } catch (error) {
      onListenerError(error);
    }
  }

  async #decide(requests: readonly ConsumeRequest[], rows: readonly Row[][], query: Query): Promise<BatchResult> {
    const { customers, catalogVersions } = readLoaded(rows);
    const catalogs = new Map<string, Catalog>();
    for (const [tenantId, version] of catalogVersions) {
      catalogs.set(tenantId, await this.#deps.catalogs.atVersion(query, tenantId, version));
    }
    return decideBatch(requests, customers, catalogs, this.#deps.clock.now());
  }

  #writes(changes: Changes) {
    if (changes.events.length === 0 && changes.answers.length === 0) return [];
    const hint = changes.events.length === 0 ? null : this.#deps.hintOf(changes);
    return [saveStatement(changes), ...(hint ? [notifyStatement(hint)] : [])];
  }
}

/** The alerts that the first answers of replayed calls spoke of, by position in the batch. Seldom any. */
function alertsOfReplays(requests: readonly ConsumeRequest[], outcomes: readonly Outcome[], query: Query) {
  return Promise.all(
    requests.map(async (request, i) => {
      const outcome = outcomes[i];
      if (outcome?.kind !== 'replayed' || outcome.answer.alerts === 0) return [];
      return alertsOfEvent(query, request.customerId, outcome.answer.sequence);
    }),
  );
}

type Decided = BatchResult & { readonly results: readonly Result[] };

/** Every request's result, but for the alerts of this very batch: they get their sequence when they are stored. */
const resultsOf = (
  requests: readonly ConsumeRequest[],
  outcomes: readonly Outcome[],
  replayedAlerts: readonly (readonly Alert[])[],
): readonly Result[] => requests.map((request, i) => resultOf(request, outcomes[i], replayedAlerts[i] ?? []));

function resultOf(request: ConsumeRequest, outcome: Outcome | undefined, replayedAlerts: readonly Alert[]): Result {
  switch (outcome?.kind) {
    case 'decided':
      return { ...outcome.consumption, alerts: [] };
    case 'replayed':
      return answerFromJson(outcome.answer, request, outcome.feature, replayedAlerts);
    case 'failed':
      return outcome.error;
    default:
      throw new Error('a request of the batch was not decided');
  }
}

/** Adds the alerts of this batch: to those who raised them, and to those who sent the same call again within it. */
function withAlerts({ results }: Decided, saved: ReadonlyMap<NewAlert, Alert>): readonly Result[] {
  if (saved.size === 0) return results;
  const byEvent = new Map<string, Alert[]>();
  for (const [{ customerId, eventSequence }, alert] of saved) {
    const event = `${customerId} ${eventSequence}`;
    byEvent.set(event, [...(byEvent.get(event) ?? []), alert]);
  }
  return results.map((result) => {
    if (result instanceof MeterError || !result.allowed) return result;
    const alerts = byEvent.get(`${result.usage.customerId} ${result.usage.sequence}`);
    return alerts ? { ...result, alerts } : result;
  });
}

const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));

/** Of each meter the last state in the batch; earlier ones were never visible to anybody. */
function movedBy({ outcomes, changes }: BatchResult): readonly CustomerMoved[] {
  const newest = new Map(changes.customers.map((customer) => [customer.id, new Map<string, Usage>()]));
  for (const outcome of outcomes) {
    if (outcome.kind !== 'decided' || !outcome.consumption.allowed) continue;
    const usage = outcome.own;
    newest.get(usage.customerId)?.set(usage.feature.key, usage);
  }
  return changes.customers.map(({ id, tenantId, sequenceBefore, sequence }) => ({
    tenantId,
    customerId: id,
    sequenceBefore,
    sequence,
    usages: [...(newest.get(id)?.values() ?? [])],
  }));
}
