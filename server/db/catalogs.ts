/** catalogs — each tenant's features and plans, kept in memory for as long as their version stands. */
import { LRUCache } from 'lru-cache';
import type { Catalog } from '../domain/plan.ts';
import type { Query } from './client.ts';
import { catalogVersion, loadCatalog } from './queries/catalog.ts';

const TENANTS_MAX = 10_000;

export class Catalogs {
  readonly #known = new LRUCache<string, Catalog>({ max: TENANTS_MAX });

  /** The catalog of at least this version, which the caller has just read from the tenant's row. */
  async atVersion(query: Query, tenantId: string, version: number): Promise<Catalog> {
    const known = this.#known.get(tenantId);
    if (known && known.version >= version) return known;
    const loaded = await loadCatalog(query, tenantId);
    this.#known.set(tenantId, loaded);
    return loaded;
  }

  /** The catalog as of now: asks for the version, and reads the rest only when it has changed. */
  async current(query: Query, tenantId: string): Promise<Catalog> {
    return this.atVersion(query, tenantId, await catalogVersion(query, tenantId));
  }
}
