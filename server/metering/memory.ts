/**
 * memory — customers as this process left them, so that who uses again need not be read again.
 *
 * What is remembered is a guess: another process may have changed it since. So whatever is decided by it is proven as it is
 * written: every write of a customer's row gives it another revision, all that belongs to a customer changes with its row,
 * and a batch fails whole where a row or a catalog is no longer the one it was decided by. Then it is read, under locks,
 * and decided anew. The memory makes an answer cheaper or dearer, and never another.
 */
import { LRUCache } from 'lru-cache';
import type { Request } from './requests.ts';
import { type CustomerState, meterKey, noHoldings } from './state.ts';
import type { Customers } from './store/look.ts';

export type MemoryOptions = {
  /** Customers and counters in memory at most, of about half a KiB each; 0 remembers nobody. */
  readonly sizeMax: number;
  /** Who turned out to be changed by others is read for so long, since others will go on. */
  readonly contestedMs: number;
};

export const MEMORY_DEFAULTS: MemoryOptions = { sizeMax: 50_000, contestedMs: 30_000 };

const CONTESTED_MAX = 50_000;
/** All counters of a customer are copied for each of its batches: those of a few features and entities are worth that. */
const CARRIED_COUNTERS_MAX = 100;

export class Memory {
  readonly #customers: LRUCache<string, CustomerState> | null;
  readonly #contested: LRUCache<string, true>;
  readonly #keys = new RecentKeys();

  constructor(options: Partial<MemoryOptions> = {}) {
    const { sizeMax, contestedMs } = { ...MEMORY_DEFAULTS, ...options };
    this.#customers =
      sizeMax === 0 ? null : new LRUCache({ maxSize: sizeMax, sizeCalculation: ({ counters }) => 1 + counters.size });
    this.#contested = new LRUCache({ max: CONTESTED_MAX, ttl: contestedMs });
  }

  /** Those of whom all that these requests look at first is remembered; to be copied before they are changed. */
  recall(requests: readonly Request[]): Customers {
    const recalled: Customers = new Map();
    if (this.#customers === null) return recalled;
    const unknown = new Set<string>();
    for (const request of requests) {
      const { customerId } = request;
      const customer = recalled.get(customerId) ?? this.#customers.get(customerId);
      if (customer && this.#isKnown(request, customer)) recalled.set(customerId, customer);
      else unknown.add(customerId);
    }
    for (const customerId of unknown) recalled.delete(customerId);
    return recalled;
  }

  /**
   * Remembers customers as a batch left them. Whoever was asked anything but for use is read again next time.
   *
   * @param written Those of them whose rows have this revision now.
   */
  keep(
    requests: readonly Request[],
    customers: Customers,
    { written, revision }: { readonly written: ReadonlySet<CustomerState>; readonly revision: bigint },
  ): void {
    if (this.#customers === null) return;
    for (const customer of customers.values()) {
      if (this.#contested.has(customer.id)) continue;
      this.#keepCounters(customer);
      this.#customers.set(customer.id, leftBy(customer, written.has(customer) ? revision : customer.revision));
    }
    for (const { customerId, kind, idempotencyKey } of requests) {
      if (kind !== 'consume') this.#customers.delete(customerId);
      if (idempotencyKey !== null) this.#keys.add(idempotencyKey);
    }
  }

  forget(customerIds: Iterable<string>): void {
    for (const customerId of customerIds) this.#customers?.delete(customerId);
  }

  /** Forgets customers of whom something turned out to be otherwise, and does not remember them for a while. */
  contest(customerIds: Iterable<string>): void {
    for (const customerId of customerIds) {
      this.#customers?.delete(customerId);
      this.#contested.set(customerId, true);
    }
  }

  /** Counters that this batch did not read stand as remembered where its row still has the remembered revision. */
  #keepCounters({ id, revision, counters }: CustomerState): void {
    const remembered = this.#customers?.peek(id);
    if (remembered?.revision !== revision || remembered.counters.size > CARRIED_COUNTERS_MAX) return;
    for (const [key, counter] of remembered.counters) if (!counters.has(key)) counters.set(key, counter);
  }

  #isKnown(request: Request, { counters }: CustomerState): boolean {
    if (request.kind !== 'consume' || !counters.has(meterKey(request.featureKey, null))) return false;
    if (request.entityId !== null && !counters.has(meterKey(request.featureKey, request.entityId))) return false;
    return request.idempotencyKey === null || !this.#keys.has(request.idempotencyKey);
  }
}

/**
 * Most of the last 50,000 keys or so, whosever they were: one that comes again is not guessed to be new. Of each no more is
 * kept than a hash, in place of another that came before; a key that is taken for one that came is read, which is all that
 * it costs, and one that is not, fails its batch.
 */
class RecentKeys {
  readonly #hashes = new Uint32Array(1 << 17);

  add(key: string): void {
    const hash = hashOf(key);
    this.#hashes[hash % this.#hashes.length] = hash;
  }

  has(key: string): boolean {
    const hash = hashOf(key);
    return this.#hashes[hash % this.#hashes.length] === hash;
  }
}

/** FNV-1a over UTF-16 units, never 0. @see http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0 || 1;
}

/** For decisions to change. */
export const copiesOf = (customers: Customers): Customers =>
  new Map([...customers].map(([id, customer]) => [id, copyOf(customer)]));

const copyOf = (customer: CustomerState): CustomerState => ({
  ...customer,
  ...noHoldings(),
  counters: new Map(customer.counters),
});

/** As it is to be found by the next batch. The counters are handed on: the batch that leaves them is decided. */
const leftBy = (customer: CustomerState, revision: bigint): CustomerState => ({
  ...customer,
  ...NOTHING_HELD,
  counters: customer.counters,
  revision,
  sequenceBefore: customer.sequence,
});

/** Of everybody who is remembered, who is copied before anything is put in. */
const NOTHING_HELD = noHoldings();
