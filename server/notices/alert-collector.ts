/**
 * alert-collector — makes an outgoing event of every alert that is told, exactly one.
 *
 * Alerts are stored with the use that raised them, and numbered per tenant in order of their commits, without gaps. So
 * nothing is added to that: a cursor follows the numbers, and moves in the transaction that makes the events.
 */
import type { Database, Db, Query } from '../db/client.ts';
import { alertsAfter } from '../db/queries/alerts.ts';
import { emitAll } from '../db/queries/outgoing-events.ts';
import { queryIn } from '../db/query-in.ts';
import type { Clock } from '../domain/clock.ts';
import { thresholdReached } from '../domain/notices-of-use.ts';

export type CollectorDeps = { readonly database: Pick<Database, 'db' | 'query'>; readonly clock: Clock };

/** Alerts of one transaction. */
const BATCH_MAX = 500;

/** A tenant without a cursor never had an endpoint. */
const BEHIND = `
  SELECT c.tenant_id FROM alert_cursors c JOIN tenants t ON t.id = c.tenant_id WHERE t.alert_sequence > c.sequence`;

/** Whoever holds it collects; another gateway leaves the tenant to it. */
const LOCK = `
  SELECT c.sequence, t.alert_sequence FROM alert_cursors c JOIN tenants t ON t.id = c.tenant_id
  WHERE c.tenant_id = $1::uuid FOR UPDATE OF c SKIP LOCKED`;

const MOVE = 'UPDATE alert_cursors SET sequence = $2::bigint WHERE tenant_id = $1::uuid';

export class AlertCollector {
  readonly #deps: CollectorDeps;

  constructor(deps: CollectorDeps) {
    this.#deps = deps;
  }

  /** All that there is now. @param isStopped Asked in between. */
  async collect(isStopped: () => boolean = () => false): Promise<void> {
    const { database } = this.#deps;
    const behind = await database.query<{ tenant_id: string }>({ text: BEHIND, params: [] });
    for (const { tenant_id: tenantId } of behind) {
      let isMore = true;
      while (isMore && !isStopped()) isMore = await database.db.transaction((tx) => this.#collectSome(tx, tenantId));
    }
  }

  /** @returns whether there may be more. */
  async #collectSome(tx: Db, tenantId: string): Promise<boolean> {
    const query = queryIn(tx);
    const [cursor] = await query<CursorRow>({ text: LOCK, params: [tenantId] });
    if (!cursor) return false;
    const sequence = BigInt(cursor.sequence);
    const alerts = await alertsAfter(query, { tenantId, customerId: null, sequence, eventSequence: 0n }, BATCH_MAX);
    await emitAll(query, alerts.map(thresholdReached), this.#deps.clock.now());
    const isMore = alerts.length === BATCH_MAX;
    // Those that are muted are passed over: all up to what the tenant's row said before have been read, if any were left.
    const newest = isMore ? sequence : BigInt(cursor.alert_sequence);
    await moveTo(query, tenantId, largest(newest, sequence, alerts.at(-1)?.sequence ?? 0n));
    return isMore;
  }
}

const moveTo = (query: Query, tenantId: string, sequence: bigint) =>
  query({ text: MOVE, params: [tenantId, sequence.toString()] });

const largest = (...numbers: readonly bigint[]): bigint => numbers.reduce((a, b) => (a > b ? a : b));

type CursorRow = { readonly sequence: string; readonly alert_sequence: string };
