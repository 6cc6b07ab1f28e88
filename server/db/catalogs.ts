/** catalogs — each tenant's features and plans, kept in memory for as long as their version stands. */
import { LRUCache } from 'lru-cache';
import type { Catalog } from '../domain/plan.ts';
import type { Query } from './client.ts';
import { catalogVersion, loadCatalog } from './queries/catalog.ts';

const TENANTS_MAX = 10_000;

/** By tenant and version. */
type Loading = Map<string, Promise<Catalog>>;

export class Catalogs {
  readonly #known = new LRUCache<string, Catalog>({ max: TENANTS_MAX });
  /**
   * What is being read now, so that all who miss a version together read it once. Each way to the database has its own:
   * a transaction that waited for a reading of the pool would wait for ever where the pool waits for its locks.
   */
  readonly #loading = new WeakMap<Query, Loading>();

  /** Those that are in memory, of whatever version; null where one of them is not. */
  known(tenantIds: readonly string[]): ReadonlyMap<string, Catalog> | null {
    const found = new Map<string, Catalog>();
    for (const tenantId of tenantIds) {
      const catalog = found.get(tenantId) ?? this.#known.get(tenantId);
      if (!catalog) return null;
      found.set(tenantId, catalog);
    }
    return found;
  }

  /** The catalog of at least this version, which the caller has just read from the tenant's row. */
  async atVersion(query: Query, tenantId: string, version: number): Promise<Catalog> {
    const known = this.#known.get(tenantId);
    if (known && known.version >= version) return known;
    const loading = this.#loadingBy(query);
    const name = `${tenantId} ${version}`; // a reading for an earlier version may have begun before this one was there
    const begun = loading.get(name);
    if (begun) return begun;
    const loaded = this.#load(query, tenantId);
    loading.set(name, loaded);
    try {
      return await loaded;
    } finally {
      loading.delete(name);
    }
  }

  /** The catalog as of now: asks for the version, and reads the rest only when it has changed. */
  async current(query: Query, tenantId: string): Promise<Catalog> {
    return this.atVersion(query, tenantId, await catalogVersion(query, tenantId));
  }

  /** A slow reading may arrive after a newer one, and then gives way to it. */
  async #load(query: Query, tenantId: string): Promise<Catalog> {
    const loaded = await loadCatalog(query, tenantId);
    const known = this.#known.get(tenantId);
    if (known && known.version > loaded.version) return known;
    this.#known.set(tenantId, loaded);
    return loaded;
  }

  #loadingBy(query: Query): Loading {
    const loading = this.#loading.get(query) ?? new Map();
    this.#loading.set(query, loading);
    return loading;
  }
}
