/**
 * closer — brings idle customers up to now in the background: periods get their final totals, credits renew, holds expire.
 *
 * Nothing waits for it: whoever touches a customer settles first. So it may be late, or run on several gateways at once;
 * under the customer's lock the second of them finds nothing due any more.
 */
import type { Query } from '../db/client.ts';
import type { Upkeep } from '../db/upkeep.ts';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import { SingleRun } from '../domain/single-run.ts';
import type { Engine } from './engine.ts';
import type { SettleRequest } from './requests.ts';

export type CloserDeps = {
  readonly query: Query;
  readonly clock: Clock;
  readonly engine: Pick<Engine, 'execute'>;
  /** What the database itself needs from time to time; left out, nobody looks after it here. */
  readonly upkeep?: Pick<Upkeep, 'run' | 'stop'>;
  /** Told why customers could not be settled; they are found again by the next run. */
  readonly onError: (error: unknown) => void;
};

/** Customers settled at once: few enough that calls between them hardly wait. */
const BATCH_MAX = 200;

const DUE_CUSTOMERS = `
  SELECT id, tenant_id, reference_id FROM customers WHERE due_at <= $1::timestamptz ORDER BY due_at LIMIT $2::integer`;

export class Closer {
  readonly #deps: CloserDeps;
  readonly #runs = new SingleRun(() => this.#runOnce());
  #stopped = false;

  constructor(deps: CloserDeps) {
    this.#deps = deps;
  }

  /** Settles whoever is due, until nobody is, and looks after the database. Asked again meanwhile, it is the same run. @returns how many they were. */
  run(): Promise<number> {
    return this.#runs.run();
  }

  /** Ends after the customers that are being settled now. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.upkeep?.stop();
    await this.#runs.over();
  }

  async #runOnce(): Promise<number> {
    let settled = 0;
    try {
      while (!this.#stopped) {
        const due = await this.#due();
        const results = await Promise.allSettled(due.map((request) => this.#deps.engine.execute(request)));
        const failed = results.filter((result) => result.status === 'rejected');
        settled += results.length - failed.length;
        for (const { reason } of failed) if (!isShuttingDown(reason)) this.#deps.onError(reason);
        if (due.length < BATCH_MAX || failed.length > 0) break; // the next run tries the failed ones again
      }
      await this.#deps.upkeep?.run(this.#deps.clock.now());
    } catch (error) {
      this.#deps.onError(error);
    }
    return settled;
  }

  async #due(): Promise<readonly SettleRequest[]> {
    const { query, clock } = this.#deps;
    const now = new Date(clock.now()).toISOString();
    const rows = await query<DueRow>({ text: DUE_CUSTOMERS, params: [now, BATCH_MAX] });
    return rows.map(({ id, tenant_id, reference_id }) => ({
      kind: 'settle',
      tenantId: tenant_id,
      customerId: id,
      referenceId: reference_id,
      idempotencyKey: null,
    }));
  }
}

type DueRow = { readonly id: string; readonly tenant_id: string; readonly reference_id: string };

const isShuttingDown = (error: unknown): boolean => error instanceof MeterError && error.code === 'SHUTTING_DOWN';
