/**
 * invoicer — makes invoice records of billing periods that are over, in the background.
 *
 * Nobody waits for it: it may be late, stand still for months, or run on several gateways at once. Each period gets its
 * record all the same, and only one.
 */
import {
  type InvoiceTurn,
  invoiceTurns,
  lookAtInvoicesAgain,
  openInvoiceBooks,
} from '../../db/queries/invoice-positions.ts';
import type { Customer } from '../../domain/customer.ts';
import { MeterError } from '../../domain/errors.ts';
import { SingleRun } from '../../domain/single-run.ts';
import { type InvoicingDeps, invoiceNextPeriod } from './invoice-next-period.ts';

export type InvoicerDeps = InvoicingDeps & {
  /** Brings a customer up to now, as every call does first. */
  readonly settle: (customer: Pick<Customer, 'tenantId' | 'id' | 'referenceId'>) => Promise<void>;
  /** Told why a customer could not be invoiced; it is tried again later. */
  readonly onError: (error: unknown) => void;
};

/** Read at a time. */
const TURNS_MAX = 200;
/** Whoever can't be invoiced must not keep others waiting. */
const TRY_AGAIN_MS = 5 * 60_000;
/** A settling does so much of what is due; one that does nothing more will not do better the next time. */
const SETTLING_ROUNDS_MAX = 100;

export class Invoicer {
  readonly #deps: InvoicerDeps;
  readonly #runs = new SingleRun(() => this.#runOnce());
  #stopped = false;

  constructor(deps: InvoicerDeps) {
    this.#deps = deps;
  }

  /** Invoices whoever is to be invoiced. Asked again meanwhile, it is the same run. @returns how many invoices it made. */
  run(): Promise<number> {
    return this.#runs.run();
  }

  /** Ends after the period that is being invoiced now. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#runs.over();
  }

  async #runOnce(): Promise<number> {
    const { database, clock, onError } = this.#deps;
    let made = 0;
    try {
      await openInvoiceBooks(database.query, clock.now());
      while (!this.#stopped) {
        const turns = await invoiceTurns(database.query, clock.now(), TURNS_MAX);
        for (const turn of turns) made += await this.#try(turn);
        if (turns.length < TURNS_MAX) break;
      }
    } catch (error) {
      if (!this.#stopped) onError(error);
    }
    return made;
  }

  async #try(turn: InvoiceTurn): Promise<number> {
    const { database, clock, onError } = this.#deps;
    try {
      return await this.#invoice(turn);
    } catch (error) {
      if (this.#stopped) return 0; // the database may be gone already
      if (!isShuttingDown(error)) onError(error);
      await lookAtInvoicesAgain(database.query, turn.customerId, clock.now() + TRY_AGAIN_MS);
      return 0;
    }
  }

  /** All of a customer's periods that are over, one after the other. */
  async #invoice(turn: InvoiceTurn): Promise<number> {
    let made = 0;
    for (let rounds = 0; !this.#stopped; ) {
      const done = await invoiceNextPeriod(this.#deps, turn);
      if (done.kind === 'waiting') break;
      if (done.kind === 'invoiced') {
        made += done.numbers.length;
        continue;
      }
      if (rounds === SETTLING_ROUNDS_MAX) throw new Error(`customer ${turn.customerId} could not be settled`);
      rounds += 1;
      await this.#deps.settle(done.customer);
    }
    return made;
  }
}

const isShuttingDown = (error: unknown): boolean => error instanceof MeterError && error.code === 'SHUTTING_DOWN';
