/**
 * ledger — one batch through the database: load, decide, save, in one transaction of two flights.
 */
import type { Database, Query, Row } from '../db/client.ts';
import type { Alert } from '../domain/alert.ts';
import type { Clock } from '../domain/clock.ts';
import type { MeterError } from '../domain/errors.ts';
import type { Catalog } from '../domain/plan.ts';
import type { Usage } from '../domain/usage.ts';
import { answerFromJson } from './answer.ts';
import { type BatchResult, decideBatch, type Outcome } from './batch.ts';
import type { Catalogs } from './catalogs.ts';
import type { ConsumeRequest, Consumption } from './consumption.ts';
import type { Changes, NewAlert } from './state.ts';
import {
  alertsOfEventStatement,
  loadStatements,
  notifyStatement,
  readAlertsOfEvent,
  readLoaded,
  readSavedAlerts,
  saveStatement,
} from './store.ts';

/** What a committed batch changed, for those who listen. */
export type Committed = {
  readonly moved: readonly CustomerMoved[];
  readonly alerts: readonly Alert[];
};

/** How a batch moved one customer. */
export type CustomerMoved = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly sequenceBefore: bigint;
  readonly sequence: bigint;
  /** The state after the batch, of the meters it changed. */
  readonly usages: readonly Usage[];
};

/** A message to other gateways, sent with the commit. */
export type Hint = { readonly channel: string; readonly payload: string };

export type LedgerDeps = {
  readonly database: Database;
  readonly catalogs: Catalogs;
  readonly clock: Clock;
  /** Hears of every batch after its commit, before the callers do. */
  readonly onCommitted: (committed: Committed) => void;
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
    let decided: BatchResult | undefined;
    let replayedAlerts: readonly (readonly Alert[])[] = [];
    const saved = await this.#deps.database.lane.transact(loadStatements(requests, true), async (rows, query) => {
      decided = await this.#decide(requests, rows, query);
      replayedAlerts = await alertsOfReplays(requests, decided.outcomes, query);
      return this.#writes(decided.changes);
    });
    if (!decided) throw new Error('a batch was committed before it was decided');
    const { outcomes, changes } = decided;
    const alerts = readSavedAlerts(changes.alerts, saved);
    if (changes.events.length > 0) this.#deps.onCommitted({ moved: movedBy(decided), alerts: [...alerts.values()] });
    return requests.map((request, i) => resultOf(request, outcomes[i], alerts, replayedAlerts[i] ?? []));
  }

  /** What `record` would answer one request now: the same reading, the same decision, and nothing is written. */
  async preview(request: ConsumeRequest): Promise<Result> {
    const { query } = this.#deps.database;
    const rows = await Promise.all(loadStatements([request], false).map((statement) => query(statement)));
    const { outcomes } = await this.#decide([request], rows, query);
    const [replayedAlerts = []] = await alertsOfReplays([request], outcomes, query);
    return resultOf(request, outcomes[0], new Map(), replayedAlerts);
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
    return [saveStatement(changes), ...(hint ? [notifyStatement(hint.channel, hint.payload)] : [])];
  }
}

/** The alerts that the first answers of replayed calls spoke of, by position in the batch. Seldom any. */
function alertsOfReplays(requests: readonly ConsumeRequest[], outcomes: readonly Outcome[], query: Query) {
  return Promise.all(
    requests.map(async (request, i) => {
      const outcome = outcomes[i];
      if (outcome?.kind !== 'replayed' || outcome.answer.alerts === 0) return [];
      return readAlertsOfEvent(
        request,
        await query(alertsOfEventStatement(request.customerId, outcome.answer.sequence)),
      );
    }),
  );
}

function resultOf(
  request: ConsumeRequest,
  outcome: Outcome | undefined,
  saved: ReadonlyMap<NewAlert, Alert>,
  replayed: readonly Alert[],
): Result {
  switch (outcome?.kind) {
    case 'decided': {
      return { ...outcome.consumption, alerts: outcome.alerts.flatMap((alert) => saved.get(alert) ?? []) };
    }
    case 'replayed':
      return answerFromJson(outcome.answer, request, outcome.feature, replayed);
    case 'failed':
      return outcome.error;
    default:
      throw new Error('a request of the batch was not decided');
  }
}

/** Of each meter the last state in the batch; earlier ones were never visible to anybody. */
function movedBy({ outcomes, changes }: BatchResult): readonly CustomerMoved[] {
  const newest = new Map(changes.customers.map((customer) => [customer.id, new Map<string, Usage>()]));
  for (const outcome of outcomes) {
    if (outcome.kind !== 'decided' || !outcome.consumption.allowed) continue;
    const { usage } = outcome.consumption;
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
