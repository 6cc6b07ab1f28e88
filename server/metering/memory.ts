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
  /** The revisions by which a batch was decided that turned out to be wrong: of some of them, or of a catalog. */
  readonly #doubted = new LRUCache<string, bigint>({ max: CONTESTED_MAX });
  readonly #keys: RecentKeys | null;

  constructor(options: Partial<MemoryOptions> = {}) {
    const { sizeMax, contestedMs } = { ...MEMORY_DEFAULTS, ...options };
    this.#customers =
      sizeMax === 0 ? null : new LRUCache({ maxSize: sizeMax, sizeCalculation: ({ counters }) => 1 + counters.size });
    this.#contested = new LRUCache({ max: CONTESTED_MAX, ttl: contestedMs });
    this.#keys = sizeMax === 0 ? null : new RecentKeys();
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

  /** What is remembered of customers beside what a batch has read of them is theirs to keep, and remembered no more. */
  handOver(customers: Customers): void {
    for (const customer of customers.values()) {
      this.#handOverCounters(customer);
      this.#customers?.delete(customer.id);
    }
  }

  /**
   * Remembers customers as a batch left them.
   *
   * @param revision Of their rows from now on; null where it is the one they had.
   */
  keep(customers: Iterable<CustomerState>, revision: bigint | null): void {
    if (this.#customers === null) return;
    for (const customer of customers) {
      this.#judge(customer);
      if (this.#contested.has(customer.id)) continue;
      this.#customers.set(customer.id, leftBy(customer, revision ?? customer.revision));
    }
  }

  /** A key has come; whoever sends it again is not guessed to be new. */
  hear(idempotencyKey: string): void {
    this.#keys?.add(idempotencyKey);
  }

  /** Whether a key came to this process, not long ago. */
  hasHeard(idempotencyKey: string): boolean {
    return this.#keys?.has(idempotencyKey) ?? true;
  }

  /** What was remembered of requests whose batch has failed. */
  forget(requests: readonly Request[]): void {
    for (const { customerId, idempotencyKey } of requests) {
      this.#customers?.delete(customerId);
      if (idempotencyKey !== null) this.#keys?.delete(idempotencyKey);
    }
  }

  /** Forgets customers of whom something may be otherwise: who has another revision when it is read is contested. */
  doubt(customers: Customers): void {
    for (const { id, revision } of customers.values()) {
      this.#customers?.delete(id);
      this.#doubted.set(id, revision);
    }
  }

  /** Forgets a customer who is changed by others, and does not remember it for a while. */
  contest(customerId: string): void {
    this.#customers?.delete(customerId);
    this.#contested.set(customerId, true);
  }

  #judge({ id, revision }: CustomerState): void {
    const doubted = this.#doubted.get(id);
    if (doubted === undefined) return;
    this.#doubted.delete(id);
    if (doubted !== revision) this.contest(id);
  }

  /** Counters that this batch did not read stand as remembered where its row still has the remembered revision. */
  #handOverCounters({ id, revision, counters }: CustomerState): void {
    const remembered = this.#customers?.peek(id);
    if (remembered?.revision !== revision || remembered.counters.size > CARRIED_COUNTERS_MAX) return;
    for (const [key, counter] of remembered.counters) if (!counters.has(key)) counters.set(key, counter);
  }

  #isKnown(request: Request, { counters }: CustomerState): boolean {
    if (request.kind !== 'consume' || !counters.has(meterKey(request.featureKey, null))) return false;
    if (request.entityId !== null && !counters.has(meterKey(request.featureKey, request.entityId))) return false;
    return request.idempotencyKey === null || !this.hasHeard(request.idempotencyKey);
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

  delete(key: string): void {
    const hash = hashOf(key);
    if (this.#hashes[hash % this.#hashes.length] === hash) this.#hashes[hash % this.#hashes.length] = 0;
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
