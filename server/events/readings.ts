/**
 * readings — what streams ask of the truth, gathered: one reading at a time for each tenant, for all who asked
 * meanwhile. So a change that wakes every stream of a tenant costs no storm of queries.
 *
 * A reading begins after it was asked for, and is never older than the question.
 */
import type { CustomerMeters, MeterSelection } from '../domain/meters.ts';
import type { Truth } from './truth.ts';

/** How many customers one reading is of, at most. */
const CUSTOMERS_MAX = 1_000;

type Asked = {
  readonly selection: MeterSelection;
  readonly resolve: (found: CustomerMeters | null) => void;
  readonly reject: (error: unknown) => void;
};

export class Readings {
  readonly #truth: Pick<Truth, 'meters'>;
  /** By tenant, for as long as somebody reads for it: who waits for the next reading. */
  readonly #waiting = new Map<string, Asked[]>();

  constructor(truth: Pick<Truth, 'meters'>) {
    this.#truth = truth;
  }

  /**
   * @returns null for a customer who is not the tenant's, or not there.
   * @throws what the truth does, to all who share the reading.
   */
  read(tenantId: string, selection: MeterSelection): Promise<CustomerMeters | null> {
    return new Promise((resolve, reject) => {
      const asked = { selection, resolve, reject };
      const waiting = this.#waiting.get(tenantId);
      if (waiting) waiting.push(asked);
      else void this.#run(tenantId, [asked]);
    });
  }

  async #run(tenantId: string, waiting: Asked[]): Promise<void> {
    this.#waiting.set(tenantId, waiting);
    while (waiting.length > 0) {
      await Promise.resolve(); // whom the same change has woken asks in the same turn
      await this.#readTogether(tenantId, takeBatch(waiting));
    }
    this.#waiting.delete(tenantId);
  }

  async #readTogether(tenantId: string, batch: ReadonlyMap<string, readonly Asked[]>): Promise<void> {
    const asked = [...batch.values()].flat();
    const selections = [...batch.values()].flatMap(([first]) => (first ? [first.selection] : []));
    try {
      const found = await this.#truth.meters(tenantId, selections);
      for (const { selection, resolve } of asked) resolve(found.get(selection.customerId) ?? null);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}

/** Takes by customer what one reading can answer: of each a single selection. Leaves the others, in order. */
function takeBatch(waiting: Asked[]): ReadonlyMap<string, readonly Asked[]> {
  const batch = new Map<string, Asked[]>();
  for (const asked of waiting.splice(0)) {
    const { customerId } = asked.selection;
    const sharing = batch.get(customerId);
    if (!sharing && batch.size < CUSTOMERS_MAX) batch.set(customerId, [asked]);
    else if (sharing?.[0] && isSame(sharing[0].selection, asked.selection)) sharing.push(asked);
    else waiting.push(asked);
  }
  return batch;
}

const isSame = (one: MeterSelection, other: MeterSelection): boolean =>
  JSON.stringify(one.featureKeys) === JSON.stringify(other.featureKeys);
